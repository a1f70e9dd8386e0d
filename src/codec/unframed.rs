//! Stands in for frames where no feature needs them.

use std::borrow::Cow;
use std::time::Duration;

use super::compression::Zip;
use super::fault::Fault;

/// The fingerprint where the payload describes itself.
pub(super) const ANY_SHAPE: u64 = 0;

/// What is no frame does not say how long it took to load.
pub(super) fn load_time(_: &[u8]) -> Option<Duration> {
    None
}

/// No frame can be opened here.
pub(super) fn open<'a>(bytes: &'a [u8], _: u8, _: u64, _: &Zip) -> Result<Option<Cow<'a, [u8]>>, Fault> {
    match bytes.first() {
        Some(0xC1) => {
            Err("it is a frame, which this build cannot open: enable feature `compress` or `postcard`".into())
        }
        _ => Ok(None),
    }
}
