//! A line that tells how far a load is, where a person looks at it.

use std::io::{self, IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

pub struct Progress {
    shown: bool,
    size: Option<u64>,
    begun: Instant,
    last: Instant,
}

impl Progress {
    /// Nothing is shown where stderr is no terminal.
    pub fn new(size: Option<u64>) -> Progress {
        let now = Instant::now();
        Progress { shown: io::stderr().is_terminal(), size, begun: now, last: now }
    }

    pub fn show(&mut self, offset: u64, stored: u64) {
        if !self.shown || self.last.elapsed() < EVERY {
            return;
        }
        self.last = Instant::now();
        let bar = self.size.filter(|size| *size > 0).map(|size| {
            let part = (offset as f64 / size as f64).min(1.0);
            let full = (part * WIDTH as f64) as usize;
            format!("[{}{}] {:3.0} %  ", "#".repeat(full), " ".repeat(WIDTH - full), part * 100.0)
        });
        let per_second = stored as f64 / self.begun.elapsed().as_secs_f64();
        let _ =
            write!(io::stderr(), "\r{}{stored} stored, {per_second:.0} per second ", bar.unwrap_or_default());
    }
}

/// The line makes room for what comes next.
impl Drop for Progress {
    fn drop(&mut self) {
        if self.shown {
            let _ = write!(io::stderr(), "\r{:78}\r", "");
        }
    }
}

const EVERY: Duration = Duration::from_millis(100);
const WIDTH: usize = 30;
