//! Where values end in a stream of bytes (RESP 2 and 3), without reading what they say.

use super::super::{LINE_LIMIT, garbled, too_large};
use crate::error::Result;

/// Follows a stream piece by piece, and remembers where in a value it is.
#[derive(Debug)]
pub(crate) struct Scan {
    /// What one value may take.
    pub(super) limit: usize,
    /// How many values each of the arrays under way still lacks, the outermost first.
    nested: Vec<usize>,
    /// How many that are in all.
    due: usize,
    /// Bytes of a string still to come, with the line end after it.
    skip: usize,
    /// The beginning of a line whose end has not come.
    line: Vec<u8>,
    /// What the value under way takes once it is read.
    weight: usize,
}

impl Scan {
    /// Of what a server sends, none of which may take more than this.
    pub(crate) fn of_replies(limit: usize) -> Scan {
        Scan { limit, nested: Vec::new(), due: 0, skip: 0, line: Vec::new(), weight: 0 }
    }

    /// Of what we send, which may be as large as it is.
    #[cfg(feature = "async")]
    pub(crate) fn of_commands() -> Scan {
        Scan::of_replies(usize::MAX)
    }

    /// Follows the stream to the end of the value under way, or of what has come; says how many bytes that were, and
    /// whether the value has ended.
    ///
    /// # Errors
    /// `Protocol` for what is no RESP, and for a value beyond the limit.
    pub(crate) fn follow(&mut self, bytes: &[u8]) -> Result<(usize, bool)> {
        let mut position = 0;
        while position < bytes.len() {
            let rest = &bytes[position..];
            if self.skip > 0 {
                let skipped = self.skip.min(rest.len());
                self.skip -= skipped;
                position += skipped;
            } else {
                position += self.take_line(rest)?;
            }
            if self.skip == 0 && self.line.is_empty() && self.due == 0 {
                self.weight = 0;
                return Ok((position, true));
            }
        }
        Ok((position, false))
    }

    /// Takes in a line, or the beginning of one; says how many bytes that were.
    fn take_line(&mut self, rest: &[u8]) -> Result<usize> {
        let window = &rest[..rest.len().min(LINE_LIMIT)];
        let Some(end) = window.iter().position(|&byte| byte == b'\n') else {
            self.line.extend_from_slice(window);
            return if self.line.len() < LINE_LIMIT { Ok(window.len()) } else { Err(garbled()) };
        };
        if self.line.is_empty() {
            self.take_header(&rest[..end])?;
        } else {
            let mut line = std::mem::take(&mut self.line);
            line.extend_from_slice(&rest[..end]);
            self.take_header(&line)?;
        }
        Ok(end + 1)
    }

    /// Takes note of what a line announces.
    fn take_header(&mut self, line: &[u8]) -> Result<()> {
        // The library that reads the values goes on to the next `\r\n`: it would take other bytes for them.
        let line = line.strip_suffix(b"\r").ok_or_else(garbled)?;
        let (&kind, length) = line.split_first().ok_or_else(garbled)?;
        let size = match kind {
            b'+' | b'-' | b':' | b',' | b'#' | b'_' | b'(' => 0,
            b'$' | b'=' | b'!' | b'*' | b'~' | b'>' | b'%' => self.size(length)?,
            _ => return Err(garbled()),
        };
        self.take_from_array();
        match kind {
            b'$' | b'=' | b'!' if length != b"-1" => self.skip = size + b"\r\n".len(),
            b'*' | b'~' | b'>' => self.enter(size)?,
            b'%' => self.enter(2 * size)?,
            _ => {}
        }
        self.nested.truncate(self.nested.iter().rposition(|lacks| *lacks > 0).map_or(0, |last| last + 1));
        // An empty array in an array of a million takes as much room as a word.
        self.weight = self.weight.saturating_add(line.len() + self.skip + VALUE);
        let whole = self.weight.saturating_add(self.due.saturating_mul(VALUE));
        if whole > self.limit { Err(too_large(self.limit)) } else { Ok(()) }
    }

    fn take_from_array(&mut self) {
        if let Some(lacks) = self.nested.last_mut() {
            *lacks -= 1;
            self.due -= 1;
        }
    }

    fn enter(&mut self, size: usize) -> Result<()> {
        self.due = self.due.saturating_add(size);
        self.nested.push(size);
        if self.nested.len() > DEEPEST { Err(garbled()) } else { Ok(()) }
    }

    /// A length; that of nothing, −1, is none.
    fn size(&self, digits: &[u8]) -> Result<usize> {
        if digits == b"-1" {
            return Ok(0);
        }
        let size = std::str::from_utf8(digits).ok().and_then(|text| text.parse().ok());
        let size = size.filter(|size| *size <= usize::MAX / 4).ok_or_else(garbled)?;
        if size > self.limit { Err(too_large(self.limit)) } else { Ok(size) }
    }
}

/// No reply to what we ask has arrays in arrays in arrays.
const DEEPEST: usize = 8;

/// The room that a value takes beside its bytes.
const VALUE: usize = size_of::<redis::Value>();

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    const STREAM: &[u8] =
        b"+OK\r\n$5\r\na\r\nbc\r\n$-1\r\n$0\r\n\r\n*2\r\n$-1\r\n*1\r\n:7\r\n*0\r\n-ERR no\r\n";
    const VALUES: usize = 7;
    const LIMIT: usize = 60 << 20;

    #[test]
    fn values_end_where_they_end_in_whatever_pieces_they_come() {
        for piece in 1..=STREAM.len() {
            let (mut scan, mut ended) = (Scan::of_replies(LIMIT), 0);
            for mut bytes in STREAM.chunks(piece) {
                while !bytes.is_empty() {
                    let (followed, has_ended) = scan.follow(bytes).unwrap();
                    bytes = &bytes[followed..];
                    ended += usize::from(has_ended);
                }
            }
            assert_eq!(ended, VALUES, "in pieces of {piece}");
        }
    }

    #[test]
    fn a_value_that_would_take_too_much_room_is_refused_when_it_says_so() {
        for header in [&b"$62914561\r\n"[..], b"*62914560\r\n", b"*2000000\r\n", b"$99999999999\r\n"] {
            let error = Scan::of_replies(LIMIT).follow(header).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Protocol);
            assert!(error.to_string().contains("MiB"), "{error}");
        }
        assert!(Scan::of_replies(LIMIT).follow(b"*100000\r\n").is_ok());
    }

    #[test]
    fn a_value_that_has_become_too_large_is_refused_before_it_ends() {
        let (mut scan, mut taken) = (Scan::of_replies(LIMIT), 0);
        scan.follow(b"*600000\r\n").unwrap();
        let words = b"$100\r\n".iter().chain(&[b'x'; 100]).chain(b"\r\n").copied().collect::<Vec<_>>();
        while scan.follow(&words).is_ok() {
            taken += words.len();
            assert!(taken < LIMIT, "it goes on for ever");
        }
        assert!(taken > 1_000_000);
    }

    #[test]
    fn a_line_ends_where_the_library_sees_its_end() {
        for line in [&b"+OK\n"[..], b"+OK\r=\n", b"$1\n1\r\n", b"*1\n"] {
            assert!(Scan::of_replies(LIMIT).follow(line).is_err(), "{line:?}");
        }
        assert_eq!(Scan::of_replies(LIMIT).follow(b"+O\rK\r\n").unwrap(), (6, true));
    }

    #[test]
    fn arrays_in_arrays_without_end_are_no_reply() {
        assert!(Scan::of_replies(LIMIT).follow(&b"*1\r\n".repeat(8)).is_ok());
        assert!(Scan::of_replies(LIMIT).follow(&b"*1\r\n".repeat(9)).is_err());
        assert!(Scan::of_replies(LIMIT).follow(&b"*2\r\n*0\r\n*1\r\n:1\r\n".repeat(100)).is_ok());
    }
}
