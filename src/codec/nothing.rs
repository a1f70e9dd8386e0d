//! The format of a cache that has none.

use std::time::Duration;

use super::compression::Zip;
use super::fault::Fault;

const ADVICE: &str = "this cache has no format for values outside the process; choose one with `format` \
                      (features `json`, `postcard` and `codec` provide them)";

pub(super) fn encode<T: ?Sized>(_: &T, _: Option<Duration>, _: &Zip) -> Result<Vec<u8>, Fault> {
    Err(ADVICE.into())
}

pub(super) fn decode<T>(_: &[u8], _: &Zip) -> Result<T, Fault> {
    Err(ADVICE.into())
}
