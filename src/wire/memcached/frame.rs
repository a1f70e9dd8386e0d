//! Where replies end in a stream of bytes, and which command each answers.

use std::ops::Range;

use memcache::exp::{Error as MetaError, MetaCommandResult, MetaResponse, parse_meta_result};

use super::super::{Replies as Contract, garbled, line, too_large};
use super::opaque;
use crate::error::Result;

/// A reply, or the server's refusal of that one command.
pub(crate) type Reply = std::result::Result<MetaCommandResult, MetaError>;

/// The replies to one request. Remembers how far it has looked, so a long reply is walked once.
pub(crate) struct Replies {
    number: u32,
    commands: Range<usize>,
    position: usize,
    limit: usize,
    replies: Vec<(Reply, Option<Range<usize>>)>,
    /// Of the one command that is none of the meta protocol: lines without a token, up to the word `END`.
    is_stats: bool,
}

impl Replies {
    pub(super) fn new(number: u32, commands: Range<usize>, limit: usize) -> Replies {
        Replies {
            number,
            position: 0,
            limit,
            replies: Vec::with_capacity(commands.len()),
            commands,
            is_stats: false,
        }
    }

    /// The same for the answer to `stats`.
    pub(super) fn of_stats(self) -> Replies {
        Replies { is_stats: true, ..self }
    }
}

impl Contract for Replies {
    type Output = Vec<Reply>;

    fn advance(&mut self, received: &[u8]) -> Result<bool> {
        if self.is_stats {
            return has_ended(received);
        }
        while self.replies.len() < self.commands.len() {
            let Some((header, after)) = line(received, self.position)? else { return Ok(false) };
            let data = match data_size(header, self.limit)? {
                None => None,
                Some(size) if received.len() < after + size + 2 => return Ok(false),
                Some(size) => Some(after..after + size),
            };
            let end = data.as_ref().map_or(after, |data| data.end + 2);
            if data.is_some() && &received[end - 2..end] != b"\r\n" {
                return Err(garbled());
            }
            let asked = opaque(self.number, self.commands.start + self.replies.len());
            let reply = read_header(header, &asked)?;
            self.replies.push((reply, data));
            self.position = end;
        }
        if self.position == received.len() { Ok(true) } else { Err(garbled()) }
    }

    fn read(self, received: &[u8]) -> Result<Vec<Reply>> {
        if self.is_stats {
            let told = MetaResponse::parse_header(b"VA 0").and_then(parse_meta_result);
            return Ok(vec![told.map(|told| with_value(told, Some(received.to_vec())))]);
        }
        let with_data = |(reply, data): (Reply, Option<Range<usize>>)| {
            reply.map(|reply| with_value(reply, data.map(|data| received[data].to_vec())))
        };
        Ok(self.replies.into_iter().map(with_data).collect())
    }

    fn limit(&self) -> usize {
        self.limit
    }
}

fn with_value(mut reply: MetaCommandResult, value: Option<Vec<u8>>) -> MetaCommandResult {
    reply.value = value;
    reply
}

/// Whether the answer to `stats` is complete.
fn has_ended(received: &[u8]) -> Result<bool> {
    let begins = b"STAT ";
    let is_one =
        received.starts_with(&begins[..received.len().min(begins.len())]) || b"END\r\n".starts_with(received);
    if !is_one {
        return Err(garbled());
    }
    Ok(received == b"END\r\n" || received.ends_with(b"\r\nEND\r\n"))
}

/// `VA <size> ..` is followed by so many bytes; no other reply is.
fn data_size(header: &[u8], limit: usize) -> Result<Option<usize>> {
    let Some(rest) = header.strip_prefix(b"VA ") else { return Ok(None) };
    let digits = rest.split(|&byte| byte == b' ').next().unwrap_or_default();
    let size = std::str::from_utf8(digits).ok().and_then(|text| text.parse().ok()).ok_or_else(garbled)?;
    if size > limit { Err(too_large(limit)) } else { Ok(Some(size)) }
}

fn read_header(header: &[u8], asked: &[u8]) -> Result<Reply> {
    // The library takes every ERROR for an unknown command; this one says no at the door, whatever was asked.
    if header == TOO_MANY.as_bytes() {
        return Ok(Err(MetaError::Server(TOO_MANY.to_owned())));
    }
    let reply = match MetaResponse::parse_header(header).and_then(parse_meta_result) {
        Err(MetaError::Protocol(_)) => return Err(garbled()),
        Err(refusal) => return Ok(Err(refusal)),
        Ok(reply) => reply,
    };
    // A no-op has no room for a token; it is only ever sent alone.
    let echoed = reply.opaque.as_deref() == asked.strip_prefix(b"O");
    if echoed || header == b"MN" { Ok(Ok(reply)) } else { Err(garbled()) }
}

pub(super) const TOO_MANY: &str = "ERROR Too many open connections";

#[cfg(test)]
mod tests {
    use super::*;

    const REPLIES: &[u8] = b"VA 4 f0 c7 O7.0\r\na\r\nb\r\nEN O7.1\r\nSERVER_ERROR out of memory\r\n";
    const LIMIT: usize = 1 << 20;

    #[test]
    fn replies_are_complete_at_their_last_byte_and_not_before() {
        let mut replies = Replies::new(7, 0..3, LIMIT);
        for end in 0..REPLIES.len() {
            assert!(!replies.advance(&REPLIES[..end]).unwrap(), "at {end}");
        }
        assert!(replies.advance(REPLIES).unwrap());
        let replies = replies.read(REPLIES).unwrap();
        assert_eq!(replies[0].as_ref().unwrap().value.as_deref(), Some(&b"a\r\nb"[..]));
        assert_eq!(replies[0].as_ref().unwrap().cas, Some(7));
        assert!(!replies[1].as_ref().unwrap().ok());
        assert!(matches!(replies[2], Err(MetaError::Server(_))));
    }

    #[test]
    fn the_answer_to_stats_is_complete_at_its_last_word() {
        let answer = b"STAT pid 7\r\nSTAT version 1.6.18\r\nEND\r\n";
        let mut replies = Replies::new(7, 0..1, LIMIT).of_stats();
        for end in 0..answer.len() {
            assert!(!replies.advance(&answer[..end]).unwrap(), "at {end}");
        }
        assert!(replies.advance(answer).unwrap());
        let reply = replies.read(answer).unwrap().remove(0).unwrap();
        assert_eq!(reply.value.as_deref(), Some(&answer[..]));
        assert!(Replies::new(7, 0..1, LIMIT).of_stats().advance(b"END\r\n").unwrap());
        for other in [&b"ERROR\r\n"[..], b"HD O7.0\r\n", b"END\r\nSTAT"] {
            assert!(Replies::new(7, 0..1, LIMIT).of_stats().advance(other).is_err(), "{other:?}");
        }
    }

    #[test]
    fn a_reply_to_another_command_is_an_error() {
        assert!(Replies::new(7, 0..1, LIMIT).advance(b"HD O7.1\r\n").is_err());
        assert!(Replies::new(7, 0..1, LIMIT).advance(b"HD O6.0\r\n").is_err(), "the request before this one");
        assert!(Replies::new(7, 0..1, LIMIT).advance(b"HD\r\n").is_err());
        assert!(Replies::new(7, 0..1, LIMIT).advance(b"HD O7.0\r\nHD O7.1\r\n").is_err());
    }

    #[test]
    fn what_is_not_memcached_is_an_error() {
        for bytes in [
            &b"HTTP/1.1 400 Bad Request\r\n"[..],
            b"VA x O7.0\r\n",
            b"VA 99999999999 O7.0\r\n",
            b"VA 1 O7.0\r\nabc",
        ] {
            assert!(Replies::new(7, 0..1, LIMIT).advance(bytes).is_err(), "{bytes:?}");
        }
        assert!(Replies::new(7, 0..1, LIMIT).advance(&vec![b'x'; 100_000]).is_err());
    }
}
