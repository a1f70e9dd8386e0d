//! What of a stream of replies is due, by what has been asked on the same connection.

use std::collections::VecDeque;

use super::expect::{Expected, unfit};
use super::scan::Scan;
use crate::error::{Error, ErrorKind, Result};

/// Follows both directions of a connection that many share: the library that hands its replies to their callers counts
/// them, and would hand on a wrong one.
pub(crate) struct Order {
    asked: Scan,
    answered: Scan,
    due: VecDeque<Expected>,
    /// The beginning of the command that is leaving, as long as it is not known which it is.
    command: Option<Vec<u8>>,
    /// The beginning of the first line of the reply that is coming.
    reply: Option<Vec<u8>>,
}

impl Order {
    pub(crate) fn new(limit: usize) -> Order {
        let (asked, answered) = (Scan::of_commands(), Scan::of_replies(limit));
        Order { asked, answered, due: VecDeque::new(), command: Some(Vec::new()), reply: Some(Vec::new()) }
    }

    /// A command counts when its first bytes leave: its reply may come as soon as its last one has.
    pub(crate) fn ask(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            // What the library spells is RESP.
            let Ok((followed, has_ended)) = self.asked.follow(bytes) else { return };
            self.recognise(&bytes[..followed], has_ended);
            bytes = &bytes[followed..];
        }
    }

    /// # Errors
    /// `Protocol` for what is no RESP, too large, not due, or no reply to what was asked.
    pub(crate) fn answer(&mut self, mut bytes: &[u8]) -> Result<()> {
        while !bytes.is_empty() {
            self.check(bytes)?;
            let (followed, has_ended) = self.answered.follow(bytes)?;
            bytes = &bytes[followed..];
            if has_ended {
                self.due.pop_front();
                self.reply = Some(Vec::new());
            }
        }
        Ok(())
    }

    /// Takes note of what the reply to the command that is leaving has to look like.
    fn recognise(&mut self, bytes: &[u8], has_ended: bool) {
        if let Some(begun) = &mut self.command {
            begun.extend_from_slice(&bytes[..bytes.len().min(LONGEST_HEAD - begun.len())]);
            if let Some(expected) = expected(begun, has_ended) {
                self.due.push_back(expected);
                self.command = None;
            }
        }
        if has_ended {
            self.command = Some(Vec::new());
        }
    }

    /// Looks at the first line of a reply once it is whole.
    fn check(&mut self, bytes: &[u8]) -> Result<()> {
        let Some(begun) = &mut self.reply else { return Ok(()) };
        let Some(&expected) = self.due.front() else { return Err(unasked()) };
        let end = bytes.iter().position(|&byte| byte == b'\n');
        let line = &bytes[..end.unwrap_or(bytes.len())];
        begun.extend_from_slice(&line[..line.len().min(LONGEST_HEAD - begun.len())]);
        if end.is_none() {
            return Ok(());
        }
        let fits = expected.takes_header(begun.strip_suffix(b"\r").unwrap_or(begun));
        self.reply = None;
        if fits { Ok(()) } else { Err(unfit()) }
    }
}

/// What a command that begins so expects; `None` if that cannot be told yet.
fn expected(begun: &[u8], has_ended: bool) -> Option<Expected> {
    let mut lines = begun.split_inclusive(|&byte| byte == b'\n');
    let mut line = || lines.next()?.strip_suffix(b"\r\n");
    match (line(), line(), line()) {
        (Some(count), Some(_), Some(name)) => {
            let count = std::str::from_utf8(count).ok().and_then(|text| text.strip_prefix('*')?.parse().ok());
            Some(Expected::of_named(name, count.unwrap_or(1_usize).saturating_sub(1)))
        }
        // No name of a command is as long.
        _ if has_ended || begun.len() >= LONGEST_HEAD => Some(Expected::Anything),
        _ => None,
    }
}

fn unasked() -> Error {
    Error::new(ErrorKind::Protocol, "the server sent a reply to nothing that was asked")
}

const LONGEST_HEAD: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    const ASKED: &[u8] =
        b"*3\r\n$4\r\nMGET\r\n$1\r\na\r\n$1\r\nb\r\n*2\r\n$3\r\nGET\r\n$1\r\nc\r\n*1\r\n$4\r\nPING\r\n";
    const ANSWERED: &[u8] = b"*2\r\n$1\r\n1\r\n$-1\r\n$1\r\n3\r\n+PONG\r\n";

    fn asked(piece: usize) -> Order {
        let mut order = Order::new(1 << 20);
        ASKED.chunks(piece).for_each(|bytes| order.ask(bytes));
        order
    }

    #[test]
    fn replies_in_order_pass_in_whatever_pieces_they_come() {
        for piece in 1..=ASKED.len() {
            let mut order = asked(piece);
            assert_eq!(
                order.due,
                [Expected::Texts(2), Expected::Text, Expected::Word],
                "in pieces of {piece}"
            );
            ANSWERED.chunks(piece).for_each(|bytes| order.answer(bytes).unwrap());
            assert!(order.due.is_empty() && order.answer(b"+").is_err(), "nothing more is due");
        }
    }

    #[test]
    fn a_reply_that_is_short_or_long_of_a_value_passes_none_to_the_next() {
        for wrong in ["*1\r\n$1\r\n1\r\n$-1\r\n", "*3\r\n$1\r\n1\r\n", ":2\r\n", "$1\r\n1\r\n"] {
            for piece in 1..wrong.len() {
                let mut order = asked(1_000);
                let stopped = wrong.as_bytes().chunks(piece).any(|bytes| order.answer(bytes).is_err());
                assert!(stopped, "{wrong:?} in pieces of {piece}");
            }
        }
    }

    #[test]
    fn a_refusal_may_come_in_place_of_any_reply() {
        let mut order = asked(7);
        order.answer(b"-LOADING wait\r\n-ERR no\r\n-ERR no\r\n").unwrap();
        assert!(order.due.is_empty());
    }

    #[test]
    fn a_command_of_any_size_is_followed() {
        let mut order = Order::new(1 << 20);
        let large = vec![b'x'; 100_000];
        let head = format!("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n${}\r\n", large.len());
        for bytes in [head.as_bytes(), &large, b"\r\n*2\r\n$3\r\nGET\r\n$1\r\nk\r\n"] {
            order.ask(bytes);
        }
        assert_eq!(order.due, [Expected::Done, Expected::Text]);
    }
}
