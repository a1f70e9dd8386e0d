//! Which bytes are the replies to one request.

use redis::{Parser, Value};

use super::super::{Replies as Contract, garbled};
use super::plain;
use super::reply::failed;
use super::scan::Scan;
use crate::error::Result;

/// The replies to one request. Remembers how far it has looked, so a long reply is walked once.
pub(crate) struct Replies {
    count: usize,
    /// Replies that have not ended yet.
    due: usize,
    /// How far the scan is.
    position: usize,
    scan: Scan,
}

impl Replies {
    pub(crate) fn new(count: usize, limit: usize) -> Replies {
        Replies { count, due: count, position: 0, scan: Scan::of_replies(limit) }
    }
}

impl Contract for Replies {
    type Output = Vec<Value>;

    fn advance(&mut self, received: &[u8]) -> Result<bool> {
        while self.due > 0 {
            let (followed, has_ended) = self.scan.follow(&received[self.position..])?;
            self.position += followed;
            if !has_ended {
                return Ok(false);
            }
            self.due -= 1;
        }
        if self.position == received.len() { Ok(true) } else { Err(garbled()) }
    }

    fn read(self, received: &[u8]) -> Result<Vec<Value>> {
        let mut rest = received;
        let plain: Option<Vec<Value>> = (0..self.count).map(|_| plain::value(&mut rest)).collect();
        plain.map_or_else(|| read_all(received, self.count), Ok)
    }

    fn limit(&self) -> usize {
        self.scan.limit
    }
}

/// By the library.
fn read_all(mut received: &[u8], count: usize) -> Result<Vec<Value>> {
    let mut parser = Parser::new();
    (0..count).map(|_| parser.parse_value(&mut received).map_err(failed)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPLIES: &[u8] = b"+OK\r\n$5\r\na\r\nbc\r\n*2\r\n$-1\r\n*1\r\n:7\r\n-ERR no\r\n";
    const LIMIT: usize = 1 << 20;

    #[test]
    fn replies_are_complete_at_their_last_byte_and_not_before() {
        let mut replies = Replies::new(4, LIMIT);
        for end in 0..REPLIES.len() {
            assert!(!replies.advance(&REPLIES[..end]).unwrap(), "at {end}");
        }
        assert!(replies.advance(REPLIES).unwrap());
        let values = replies.read(REPLIES).unwrap();
        assert_eq!(values[0], Value::Okay);
        assert_eq!(values[1], Value::BulkString(b"a\r\nbc".to_vec()));
        assert_eq!(values[2], Value::Array(vec![Value::Nil, Value::Array(vec![Value::Int(7)])]));
        assert!(matches!(values[3], Value::ServerError(_)));
    }

    #[test]
    fn a_reply_that_nobody_asked_for_is_an_error() {
        assert!(Replies::new(1, LIMIT).advance(b"+OK\r\n+OK\r\n").is_err());
    }

    #[test]
    fn what_is_not_redis_is_an_error() {
        for bytes in
            [&b"HTTP/1.1 400 Bad Request\r\n"[..], b"$x\r\n", b"$99999999999\r\n", b"*-2\r\n", b"\r\n"]
        {
            assert!(Replies::new(1, LIMIT).advance(bytes).is_err(), "{bytes:?}");
        }
        assert!(Replies::new(1, LIMIT).advance(&vec![b'+'; 100_000]).is_err());
    }
}
