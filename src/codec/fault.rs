//! Why a value was refused, in words that never quote the value.
//!
//! The texts of serde errors do quote it (`invalid type: string "hunter2"`), and so may those of a user's
//! own impls: neither may become part of an error, be it as text or as source.

use std::any::type_name;
use std::borrow::Cow;

use super::Format;
use crate::error::{Error, ErrorKind};

/// A reason without content.
pub(super) type Fault = Cow<'static, str>;

pub(super) fn encode_error<T: ?Sized>(format: &Format, why: Fault) -> Error {
    let text = format!("cannot write {} as {}: {why}", type_name::<T>(), format.name());
    Error::new(kind(format, ErrorKind::Encode), text)
}

pub(super) fn decode_error<T>(format: &Format, length: usize, why: Fault) -> Error {
    let text = format!("cannot read {length} bytes of {} as {}: {why}", format.name(), type_name::<T>());
    Error::new(kind(format, ErrorKind::Decode), text)
}

fn kind(format: &Format, kind: ErrorKind) -> ErrorKind {
    match format {
        Format::None => ErrorKind::Unsupported,
        #[allow(unreachable_patterns, reason = "a build without formats has no others")]
        _ => kind,
    }
}
