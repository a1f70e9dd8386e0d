//! A blocking-first cache.
#![forbid(unsafe_code)]
#![deny(missing_docs)]
#![warn(missing_debug_implementations)]

mod codec;
mod deadline;
mod error;
mod ttl;

#[cfg(feature = "compress")]
pub use codec::Compression;
pub use codec::Format;
#[cfg(feature = "codec")]
pub use codec::{Codec, Target, Value};
pub use deadline::Deadline;
pub use error::{BoxError, Error, ErrorKind, Result};
pub use ttl::{Lifetime, Remaining, Ttl};
