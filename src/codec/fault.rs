//! Why a value was refused, in words that never quote the value.
//!
//! The texts of serde errors do quote it (`invalid type: string "hunter2"`), and so may those of a user's
//! own impls: neither may become part of an error, be it as text or as source.

use std::any::type_name;
use std::borrow::Cow;

use crate::error::{Error, ErrorKind};

/// A reason without content.
pub(super) type Fault = Cow<'static, str>;

pub(super) fn encode_error<T: ?Sized>(format: &str, why: Fault) -> Error {
    Error::new(ErrorKind::Encode, format!("cannot write a {} as {format}: {why}", type_name::<T>()))
}

pub(super) fn decode_error<T>(format: &str, length: usize, why: Fault) -> Error {
    Error::new(
        ErrorKind::Decode,
        format!("cannot read {length} bytes of {format} as a {}: {why}", type_name::<T>()),
    )
}
