//! The languages of the servers: build a command, read a reply. No socket here.

#[cfg(feature = "memcached")]
pub(crate) mod memcached;
#[cfg(feature = "redis")]
pub(crate) mod redis;

use crate::error::{Error, ErrorKind, Result};

/// Recognises the replies to one request in the bytes that have come so far.
///
/// A reply must end exactly where the last one is due: bytes beyond it answer nothing we asked, and would be
/// taken for the answer to the next request.
pub(crate) trait Replies {
    /// All replies of a request.
    type Output;

    /// Looks at everything received so far and says whether it is complete.
    ///
    /// # Errors
    /// `Protocol`; the connection is then useless.
    fn advance(&mut self, received: &[u8]) -> Result<bool>;

    /// Reads the replies, once `advance` has found them complete.
    fn read(self, received: &[u8]) -> Result<Self::Output>;

    /// The most bytes that are taken in, against a server that never stops talking.
    fn limit(&self) -> usize;
}

/// # Errors
/// `Protocol` once an exchange has brought more than its limit.
pub(crate) fn within_limit(received: &[u8], limit: usize) -> Result<()> {
    if received.len() <= limit { Ok(()) } else { Err(too_large(limit)) }
}

/// Where the line at `from` ends (before its line feed) and the next one starts.
///
/// # Errors
/// `Protocol` for a line that is longer than any protocol's.
#[cfg(feature = "memcached")]
fn line(received: &[u8], from: usize) -> Result<Option<(&[u8], usize)>> {
    let rest = &received[from.min(received.len())..];
    let window = &rest[..rest.len().min(LINE_LIMIT)];
    match window.iter().position(|&byte| byte == b'\n') {
        Some(end) => {
            let text = &rest[..end];
            Ok(Some((text.strip_suffix(b"\r").unwrap_or(text), from + end + 1)))
        }
        None if rest.len() >= LINE_LIMIT => Err(garbled()),
        None => Ok(None),
    }
}

/// Lines carry type, length or a short text; error texts are the longest.
const LINE_LIMIT: usize = 64 * 1024;

fn too_large(limit: usize) -> Error {
    let limit = limit as f64 / f64::from(1024 * 1024);
    let text = format!(
        "the reply would take over {limit} MiB; ask for fewer or smaller values at once, or raise max_reply_size"
    );
    Error::new(ErrorKind::Protocol, text)
}

fn garbled() -> Error {
    Error::new(ErrorKind::Protocol, "the reply is not of this protocol; does another program listen there?")
}
