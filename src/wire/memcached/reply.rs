//! What the server said, and what kind of trouble it is.

use std::collections::BTreeMap;
use std::time::Duration;

use memcache::exp::{Error as MetaError, MetaCommandResult, ReturnCode};

use super::frame::{Reply, TOO_MANY};
use crate::error::{Error, ErrorKind, Result};
use crate::ttl::Remaining;

/// An item as a read saw it.
pub(crate) struct Item {
    pub(crate) bytes: Vec<u8>,
    /// Told also where the bytes were not asked for.
    pub(super) size: usize,
    pub(crate) flags: u32,
    pub(crate) cas: u64,
    /// What is left of its stay, which is longer than its value's time where values are kept past that.
    pub(crate) remaining: Remaining,
    /// The server has given out the right to fill it: now, to this read, or before.
    pub(super) marked: bool,
    pub(super) won: bool,
}

/// The item, or `None` for a miss.
pub(crate) fn read_item(reply: Reply) -> Result<Option<Item>> {
    let reply = accepted(reply)?;
    match reply.rc {
        ReturnCode::En => Ok(None),
        ReturnCode::Va | ReturnCode::Hd => Ok(Some(Item {
            flags: reply.client_flags.unwrap_or_default(),
            cas: reply.cas.filter(|cas| *cas != 0).ok_or_else(no_cas)?,
            remaining: remaining(&reply),
            size: reply.size.and_then(|size| usize::try_from(size).ok()).unwrap_or_else(|| length(&reply)),
            marked: reply.won || reply.busy,
            won: reply.won,
            bytes: reply.value.unwrap_or_default(),
        })),
        code => Err(unexpected(code)),
    }
}

fn length(reply: &MetaCommandResult) -> usize {
    reply.value.as_ref().map_or(0, Vec::len)
}

/// −1 is no expiry. A second that has begun still counts: 0 is "within this second".
fn remaining(reply: &MetaCommandResult) -> Remaining {
    match reply.ttl.and_then(|seconds| u64::try_from(seconds).ok()) {
        Some(seconds) => Remaining::For(Duration::from_secs(seconds.max(1))),
        None => Remaining::Never,
    }
}

/// Whether a write or removal took place.
pub(crate) fn read_done(reply: Reply) -> Result<bool> {
    match accepted(reply)?.rc {
        ReturnCode::Hd => Ok(true),
        ReturnCode::Ns | ReturnCode::Ex | ReturnCode::Nf | ReturnCode::En => Ok(false),
        code => Err(unexpected(code)),
    }
}

/// The CAS of what was written, if it was.
pub(crate) fn read_cas(reply: Reply) -> Result<Option<u64>> {
    let reply = accepted(reply)?;
    match reply.rc {
        ReturnCode::Hd => reply.cas.filter(|cas| *cas != 0).ok_or_else(no_cas).map(Some),
        ReturnCode::Ns | ReturnCode::Ex | ReturnCode::Nf => Ok(None),
        code => Err(unexpected(code)),
    }
}

/// A counter after a change; `None` if it was not there.
pub(crate) fn read_sum(reply: Reply) -> Result<Option<u64>> {
    let reply = accepted(reply)?;
    match reply.rc {
        ReturnCode::Nf => Ok(None),
        ReturnCode::Va => {
            let text = reply.value.unwrap_or_default();
            let sum = std::str::from_utf8(&text).ok().and_then(|text| text.trim_end().parse().ok());
            sum.map(Some)
                .ok_or_else(|| Error::new(ErrorKind::Protocol, "a counter was answered with no number"))
        }
        code => Err(unexpected(code)),
    }
}

/// The reply to [`greeting`](super::greeting).
pub(crate) fn read_greeting(replies: Vec<Reply>) -> Result<()> {
    match accepted(replies.into_iter().next_back().ok_or_else(no_reply)?)?.rc {
        ReturnCode::Mn => Ok(()),
        code => Err(unexpected(code)),
    }
}

/// Whether a counter command met a value that is not a number at or above zero.
pub(crate) fn is_not_numeric(reply: &Reply) -> bool {
    matches!(reply, Err(MetaError::Rejected(text)) if text.contains("non-numeric"))
}

/// Whether the stream is still in step after this reply. A command that the server took for malformed
/// may have left its data block to be read as commands.
pub(crate) fn keeps_step(reply: &Reply) -> bool {
    !matches!(reply, Err(MetaError::Rejected(_))) || is_not_numeric(reply)
}

/// The error of a request that was given up half way, since the stream may no longer be in step.
pub(crate) fn out_of_step() -> Error {
    Error::new(ErrorKind::Protocol, "the server took a command for malformed, so the rest was not sent")
}

fn accepted(reply: Reply) -> Result<MetaCommandResult> {
    reply.map_err(refused)
}

/// Sorts a refusal by what the caller can do about it.
pub(crate) fn refused(refusal: MetaError) -> Error {
    match refusal {
        MetaError::Server(text) if text.contains("too large") => {
            let text = "the server takes no value of this size; it dropped the old one too. \
                Raise its -I, or lower max_value_size to what it allows";
            Error::new(ErrorKind::TooLarge, text).with_code("SERVER_ERROR")
        }
        MetaError::Server(text) if text == TOO_MANY => {
            Error::new(ErrorKind::Unavailable, "the server accepts no more clients").with_code("ERROR")
        }
        MetaError::Server(text) if text.contains("out of memory") => {
            Error::new(ErrorKind::Refused, "the server is out of memory").with_code("SERVER_ERROR")
        }
        MetaError::Server(_) => {
            Error::new(ErrorKind::Refused, "the server refused").with_code("SERVER_ERROR")
        }
        MetaError::Rejected(text) if text.contains("non-numeric") => {
            Error::new(ErrorKind::Decode, "the value is no integer")
        }
        _ => {
            let text = "the server does not know this command; memcached 1.6 or newer is needed";
            Error::new(ErrorKind::Refused, text).with_code("CLIENT_ERROR")
        }
    }
}

/// A write under the CAS 0 would be stored whatever is there.
fn no_cas() -> Error {
    Error::new(
        ErrorKind::Protocol,
        "the server told no CAS of an item; is it run with -C, which turns CAS off?",
    )
}

/// The lines `STAT name value` of the answer to `stats`.
pub(crate) fn read_stats(reply: Reply) -> Result<BTreeMap<String, String>> {
    let text = accepted(reply)?.value.unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let facts = text.lines().filter_map(|line| line.strip_prefix("STAT ")?.split_once(' '));
    Ok(facts.map(|(name, fact)| (name.to_owned(), fact.to_owned())).collect())
}

/// Of an exchange that ended with fewer replies than commands.
pub(crate) fn no_reply() -> Error {
    Error::new(ErrorKind::Protocol, "the server sent no reply")
}

fn unexpected(code: ReturnCode) -> Error {
    Error::new(ErrorKind::Protocol, format!("the server answered {code:?}, which this command never gives"))
}

#[cfg(test)]
mod tests {
    use memcache::exp::{MetaResponse, parse_meta_result};

    use super::*;

    #[test]
    fn an_item_without_a_cas_is_refused_since_nothing_could_be_compared() {
        for header in [&b"HD f0 t-1"[..], b"HD f0 t-1 c0"] {
            let reply = parse_meta_result(MetaResponse::parse_header(header).unwrap());
            assert_eq!(read_item(reply).err().unwrap().kind(), ErrorKind::Protocol);
        }
    }
}
