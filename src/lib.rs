//! A blocking-first cache.
#![forbid(unsafe_code)]
#![deny(missing_docs)]
#![warn(missing_debug_implementations)]

pub mod config;
mod deadline;
mod error;
mod ttl;

pub use config::Config;
pub use deadline::Deadline;
pub use error::{BoxError, Error, ErrorKind, Result};
pub use ttl::{Lifetime, Remaining, Ttl};
