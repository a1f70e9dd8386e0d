//! Lines of a file or of standard input, each with its number and where it ends.

use std::io::{self, BufRead};

/// Reads line by line into one buffer. A line that is too long is told, not kept.
pub struct Lines<R> {
    reader: R,
    line: Vec<u8>,
    pub number: u64,
    /// Where the line ends, from the beginning of the file.
    pub offset: u64,
}

/// A line that is longer than any value that a server takes would fill the memory.
pub const LONGEST: usize = 32 << 20;

impl<R: BufRead> Lines<R> {
    /// From behind so many lines and bytes on.
    pub fn new(reader: R, number: u64, offset: u64) -> Lines<R> {
        Lines { reader, line: Vec::new(), number, offset }
    }

    /// The next line without its end; an inner `None` stands for one that is too long.
    pub fn next(&mut self) -> io::Result<Option<Option<&[u8]>>> {
        self.line.clear();
        let (mut any, mut too_long) = (false, false);
        loop {
            let chunk = match self.reader.fill_buf() {
                Ok(chunk) => chunk,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if chunk.is_empty() {
                break;
            }
            any = true;
            let end = chunk.iter().position(|byte| *byte == b'\n');
            let taken = end.map_or(chunk.len(), |end| end + 1);
            too_long |= self.line.len() + taken > LONGEST;
            if !too_long {
                self.line.extend_from_slice(&chunk[..taken]);
            }
            self.reader.consume(taken);
            self.offset += taken as u64;
            if end.is_some() {
                break;
            }
        }
        if !any {
            return Ok(None);
        }
        self.number += 1;
        if too_long {
            self.line = Vec::new();
            return Ok(Some(None));
        }
        let line = self.line.strip_suffix(b"\n").unwrap_or(&self.line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let bom = self.number == 1;
        let line = if bom { line.strip_prefix("\u{feff}".as_bytes()).unwrap_or(line) } else { line };
        Ok(Some(Some(line)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_told_with_their_numbers_and_ends_however_they_end() {
        let text = "\u{feff}a\r\n\nb";
        let mut lines = Lines::new(text.as_bytes(), 0, 0);
        assert_eq!(lines.next().unwrap(), Some(Some(&b"a"[..])));
        assert_eq!((lines.number, lines.offset), (1, 6));
        assert_eq!(lines.next().unwrap(), Some(Some(&b""[..])));
        assert_eq!(lines.next().unwrap(), Some(Some(&b"b"[..])));
        assert_eq!((lines.number, lines.offset), (3, text.len() as u64));
        assert_eq!(lines.next().unwrap(), None);
    }

    #[test]
    fn a_line_that_is_too_long_is_passed_over() {
        let long = [vec![b'x'; LONGEST + 1], b"\nshort\n".to_vec()].concat();
        let mut lines = Lines::new(&long[..], 0, 0);
        assert_eq!(lines.next().unwrap(), Some(None));
        assert_eq!(lines.next().unwrap(), Some(Some(&b"short"[..])));
    }
}
