//! How a typed value becomes bytes and back.
//!
//! [`Format`] says which text or binary form is used, [`ValueCodec`] is what a cache holds: the format
//! and, with feature `compress`, what to compress. Whatever the bytes are, decoding answers with a value
//! or with an error of kind `Decode`; it never panics, and never returns a value of another shape.
//!
//! ```text
//!            counter    text of counters, the same on every format
//! format ──► json       exactly the JSON text
//!        ──► postcard   integer, or writer → frame → guard, told apart by the type's shape
//!        ──► custom     integer, or a user's own serde format
//!        ──► nothing    an error
//!            absent     whether a value is `None`
//!            budget     what a value may take in memory: guard pays itself, counted for the others
//!            compression  around any of them; a compressed value is always a frame
//! ```

mod absent;
#[cfg(any(feature = "json", feature = "postcard", feature = "codec"))]
mod budget;
#[cfg(any(feature = "json", feature = "codec"))]
mod counted;
mod counter;
mod fault;
mod format;
mod nothing;
mod refusal;

#[cfg(feature = "compress")]
#[cfg_attr(
    not(any(feature = "json", feature = "postcard", feature = "codec")),
    expect(dead_code, reason = "a build without formats has no bytes to work on")
)]
mod compression;
#[cfg(feature = "codec")]
mod custom;
#[cfg(any(feature = "postcard", feature = "compress", feature = "codec"))]
#[cfg_attr(
    not(any(feature = "json", feature = "postcard", feature = "codec")),
    expect(dead_code, reason = "a build without formats has no bytes to work on")
)]
mod frame;
#[cfg(feature = "postcard")]
mod guard;
#[cfg(any(feature = "postcard", feature = "codec"))]
mod integer;
#[cfg(feature = "json")]
mod json;
#[cfg(feature = "postcard")]
mod postcard;
#[cfg(any(feature = "postcard", feature = "codec"))]
mod shape;
#[cfg(feature = "postcard")]
mod writer;

// What a format asks for, in a build that does not have it.
#[cfg(not(feature = "compress"))]
#[cfg_attr(
    not(any(feature = "json", feature = "postcard", feature = "codec")),
    expect(dead_code, reason = "a build without formats has no bytes to work on")
)]
mod uncompressed;
#[cfg(not(feature = "compress"))]
use uncompressed as compression;
#[cfg(not(any(feature = "postcard", feature = "compress", feature = "codec")))]
#[cfg_attr(
    not(feature = "json"),
    expect(dead_code, reason = "a build without formats has no bytes to work on")
)]
mod unframed;
#[cfg(not(any(feature = "postcard", feature = "compress", feature = "codec")))]
use unframed as frame;

#[cfg(test)]
mod tests;

use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::Result;

pub(crate) use absent::is_none;
#[cfg(feature = "compress")]
pub use compression::Compression;
pub(crate) use counter::{counter_from_text, counter_to_text};
#[cfg(feature = "codec")]
pub use custom::{Codec, Source, Target};
pub use format::Format;

use compression::Zip;
use fault::{Fault, decode_error, encode_error};

/// Turns the values of one cache into bytes and back.
#[derive(Clone, Debug, Default)]
pub(crate) struct ValueCodec {
    format: Format,
    zip: Zip,
}

impl ValueCodec {
    /// A codec that compresses nothing, but reads what others have compressed.
    pub(crate) fn new(format: Format) -> ValueCodec {
        ValueCodec { format, ..ValueCodec::default() }
    }

    /// Compresses what is large enough for it.
    #[cfg(feature = "compress")]
    pub(crate) fn with_compression(self, compression: Compression) -> ValueCodec {
        ValueCodec { zip: Zip::new(compression), ..self }
    }

    /// The format of the values.
    pub(crate) fn format(&self) -> &Format {
        &self.format
    }

    /// The bytes of `value`, to be read back as an `O`.
    ///
    /// # Errors
    /// `Encode` if the value or its type cannot be written in this format, `Unsupported` if there is no
    /// format.
    pub(crate) fn encode<T, O>(&self, value: &T) -> Result<Vec<u8>>
    where
        T: Serialize + ?Sized,
        O: DeserializeOwned + 'static,
    {
        self.encode_loaded::<T, O>(value, None)
    }

    /// [`encode`](ValueCodec::encode) of a value that took so long to load. Whether the bytes say so depends
    /// on their form: only a frame has room for it.
    pub(crate) fn encode_loaded<T, O>(&self, value: &T, took: Option<Duration>) -> Result<Vec<u8>>
    where
        T: Serialize + ?Sized,
        O: DeserializeOwned + 'static,
    {
        let bytes: Result<Vec<u8>, Fault> = match &self.format {
            #[cfg(feature = "json")]
            Format::Json => json::encode(value, took, &self.zip),
            #[cfg(feature = "postcard")]
            Format::Postcard => postcard::encode::<T, O>(value, took, &self.zip),
            #[cfg(feature = "codec")]
            Format::Custom(codec) => custom::encode::<T, O>(value, took, codec.as_ref(), &self.zip),
            Format::None => nothing::encode(value, took, &self.zip),
        };
        bytes.map_err(|why| encode_error::<O>(&self.format, why))
    }

    /// How long the value that `bytes` hold took to load, where they say so. Decodes nothing.
    pub(crate) fn load_time(&self, bytes: &[u8]) -> Option<Duration> {
        frame::load_time(bytes)
    }

    /// The value that `bytes` hold.
    ///
    /// # Errors
    /// `Decode` if they do not hold a `T` in this format, `Unsupported` if there is no format.
    pub(crate) fn decode<T>(&self, bytes: &[u8]) -> Result<T>
    where
        T: DeserializeOwned + 'static,
    {
        let value: Result<T, Fault> = match &self.format {
            #[cfg(feature = "json")]
            Format::Json => json::decode(bytes, &self.zip),
            #[cfg(feature = "postcard")]
            Format::Postcard => postcard::decode(bytes, &self.zip),
            #[cfg(feature = "codec")]
            Format::Custom(codec) => custom::decode(bytes, codec.as_ref(), &self.zip),
            Format::None => nothing::decode(bytes, &self.zip),
        };
        value.map_err(|why| decode_error::<T>(&self.format, bytes.len(), why))
    }
}
