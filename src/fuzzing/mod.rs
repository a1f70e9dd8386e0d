//! The door by which the targets of `fuzz/` reach what is private here. No logic: each name hands on to its namesake.
//!
//! Outside of [semantic versioning](https://semver.org), as the underscore of its feature says.
#![expect(missing_debug_implementations, reason = "nobody prints them")]

pub mod memcached;
pub mod redis;

use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::codec::{Compression, Format, ValueCodec};
use crate::error::Result;

/// What a cache has to turn values into bytes and back.
#[derive(Clone, Debug)]
pub struct Codec(ValueCodec);

impl Codec {
    /// A codec that compresses nothing.
    pub fn new(format: Format) -> Codec {
        Codec(ValueCodec::new(format))
    }

    /// One that compresses.
    #[must_use]
    pub fn compressing(self, compression: Compression) -> Codec {
        Codec(self.0.with_compression(compression))
    }

    /// The bytes of a value.
    ///
    /// # Errors
    /// As a cache has them.
    pub fn encode<T: Serialize + DeserializeOwned + 'static>(
        &self,
        value: &T,
        took: Option<Duration>,
    ) -> Result<Vec<u8>> {
        self.0.encode_loaded::<T, T>(value, took)
    }

    /// The value of bytes.
    ///
    /// # Errors
    /// As a cache has them.
    pub fn decode<T: DeserializeOwned + 'static>(&self, bytes: &[u8]) -> Result<T> {
        self.0.decode(bytes)
    }

    /// How long a value took to load.
    pub fn load_time(&self, bytes: &[u8]) -> Option<Duration> {
        self.0.load_time(bytes)
    }
}
