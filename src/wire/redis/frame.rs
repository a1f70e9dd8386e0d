//! Where replies end in a stream of bytes (RESP 2 and 3), without reading what they say.

use redis::{Parser, Value};

use super::super::{Replies as Contract, garbled, line};
use super::reply::failed;
use crate::error::Result;

/// The replies to one request. Remembers how far it has looked, so a long reply is walked once.
pub(crate) struct Replies {
    count: usize,
    /// Values still to come, nested ones included.
    due: usize,
    /// Where the next value begins.
    position: usize,
}

impl Replies {
    pub(crate) fn new(count: usize) -> Replies {
        Replies { count, due: count, position: 0 }
    }
}

impl Contract for Replies {
    type Output = Vec<Value>;

    fn advance(&mut self, received: &[u8]) -> Result<bool> {
        while self.due > 0 {
            let Some((header, after)) = line(received, self.position)? else { return Ok(false) };
            let (&kind, length) = header.split_first().ok_or_else(garbled)?;
            match kind {
                b'+' | b'-' | b':' | b',' | b'#' | b'_' | b'(' => {}
                b'$' | b'=' | b'!' => {
                    let end = after + size(length)?.map_or(0, |size| size + "\r\n".len());
                    if received.len() < end {
                        return Ok(false);
                    }
                    self.position = end;
                    self.due -= 1;
                    continue;
                }
                b'*' | b'~' | b'>' => self.due += size(length)?.unwrap_or(0),
                b'%' => self.due += 2 * size(length)?.unwrap_or(0),
                _ => return Err(garbled()),
            }
            self.position = after;
            self.due -= 1;
        }
        if self.position == received.len() { Ok(true) } else { Err(garbled()) }
    }

    fn read(self, received: Vec<u8>) -> Result<Vec<Value>> {
        let mut parser = Parser::new();
        let mut rest = &received[..];
        (0..self.count).map(|_| parser.parse_value(&mut rest).map_err(failed)).collect()
    }
}

/// A length, or −1 for nothing. None is larger than what a whole exchange may bring.
fn size(digits: &[u8]) -> Result<Option<usize>> {
    if digits == b"-1" {
        return Ok(None);
    }
    let size = std::str::from_utf8(digits).ok().and_then(|text| text.parse().ok());
    size.filter(|size| *size <= super::super::REPLY_LIMIT).map(Some).ok_or_else(garbled)
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPLIES: &[u8] = b"+OK\r\n$5\r\na\r\nbc\r\n*2\r\n$-1\r\n*1\r\n:7\r\n-ERR no\r\n";

    #[test]
    fn replies_are_complete_at_their_last_byte_and_not_before() {
        let mut replies = Replies::new(4);
        for end in 0..REPLIES.len() {
            assert!(!replies.advance(&REPLIES[..end]).unwrap(), "at {end}");
        }
        assert!(replies.advance(REPLIES).unwrap());
        let values = replies.read(REPLIES.to_vec()).unwrap();
        assert_eq!(values[0], Value::Okay);
        assert_eq!(values[1], Value::BulkString(b"a\r\nbc".to_vec()));
        assert_eq!(values[2], Value::Array(vec![Value::Nil, Value::Array(vec![Value::Int(7)])]));
        assert!(matches!(values[3], Value::ServerError(_)));
    }

    #[test]
    fn a_reply_that_nobody_asked_for_is_an_error() {
        assert!(Replies::new(1).advance(b"+OK\r\n+OK\r\n").is_err());
    }

    #[test]
    fn what_is_not_redis_is_an_error() {
        for bytes in
            [&b"HTTP/1.1 400 Bad Request\r\n"[..], b"$x\r\n", b"$99999999999\r\n", b"*-2\r\n", b"\r\n"]
        {
            assert!(Replies::new(1).advance(bytes).is_err(), "{bytes:?}");
        }
        assert!(Replies::new(1).advance(&vec![b'+'; 100_000]).is_err());
    }
}
