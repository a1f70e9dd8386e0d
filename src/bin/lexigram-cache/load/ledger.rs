//! How far everything is stored: windows of lines, each open until its last batch is.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

/// A place between two lines, all before which is stored or was skipped.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Mark {
    pub line: u64,
    pub offset: u64,
    /// A checksum of what ends there.
    pub tail: u32,
}

/// Windows in the order of their lines. Batches end in any order; the mark moves over windows whose batches all have.
#[derive(Default)]
pub struct Ledger {
    /// The number of the first of these.
    first: u64,
    windows: VecDeque<Window>,
}

#[derive(Default)]
struct Window {
    /// Where it ends, once all its lines were read.
    end: Option<Mark>,
    outstanding: usize,
}

impl Ledger {
    /// Notes a batch that is sent off; says of which window.
    pub fn send(&mut self) -> u64 {
        if self.windows.back().is_none_or(|window| window.end.is_some()) {
            self.windows.push_back(Window::default());
        }
        let last = self.windows.len() - 1;
        self.windows[last].outstanding += 1;
        self.first + last as u64
    }

    /// Notes that the lines up to here are all sent off. How far all is stored, if that has changed.
    pub fn close(&mut self, end: Mark) -> Option<Mark> {
        match self.windows.back_mut() {
            Some(window) if window.end.is_none() => window.end = Some(end),
            _ => self.windows.push_back(Window { end: Some(end), outstanding: 0 }),
        }
        self.advance()
    }

    /// Notes a batch that is stored. How far all is stored, if that has changed.
    pub fn end(&mut self, window: u64) -> Option<Mark> {
        let place = usize::try_from(window - self.first).ok()?;
        self.windows.get_mut(place)?.outstanding -= 1;
        self.advance()
    }

    fn advance(&mut self) -> Option<Mark> {
        let mut reached = None;
        while let Some(Window { end: Some(end), outstanding: 0 }) = self.windows.front() {
            reached = Some(*end);
            self.windows.pop_front();
            self.first += 1;
        }
        reached
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(line: u64) -> Mark {
        Mark { line, ..Mark::default() }
    }

    #[test]
    fn the_mark_waits_for_the_slowest_batch() {
        let mut ledger = Ledger::default();
        let (a, b) = (ledger.send(), ledger.send());
        assert_eq!(ledger.end(b), None);
        assert_eq!(ledger.close(mark(10)), None);
        let c = ledger.send();
        assert_ne!(a, c);
        assert_eq!(ledger.close(mark(20)), None);
        assert_eq!(ledger.end(c), None, "the first window has a batch under way");
        assert_eq!(ledger.end(a), Some(mark(20)));
        assert_eq!(ledger.close(mark(30)), Some(mark(30)), "a window without batches");
    }
}
