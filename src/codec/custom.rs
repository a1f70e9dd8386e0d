//! A user's own serde format.

use serde::de::{self, DeserializeOwned};
use serde::ser::{Serialize, Serializer};
use std::fmt;
use std::time::Duration;

use super::budget::Budget;
use super::compression::Zip;
use super::fault::Fault;
use super::frame::{self, Label};
use super::shape::Shape;
use super::{counted, integer};
use crate::error::BoxError;

/// A serde format of your own, for [`Format::custom`](super::Format::custom).
///
/// Both methods are called from many threads at once. Integers at the top level never come here: they are
/// decimal text in every format. Whatever the errors say is replaced by the codec's name and the type,
/// because it may quote the value.
///
/// ```
/// # #[cfg(feature = "json")] mod example {
/// use lexigram_cache::{BoxError, Codec, Target, Source};
///
/// struct PrettyJson;
///
/// impl Codec for PrettyJson {
///     fn name(&self) -> &str {
///         "pretty-json"
///     }
///     fn encode(&self, value: Source<'_>, out: &mut Vec<u8>) -> Result<(), BoxError> {
///         Ok(serde_json::to_writer_pretty(out, &value)?)
///     }
///     fn decode(&self, bytes: &[u8], target: Target<'_>) -> Result<(), BoxError> {
///         let mut json = serde_json::Deserializer::from_slice(bytes);
///         target.fill(&mut json)?;
///         Ok(json.end()?)
///     }
/// }
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no format of a cache",
    note = "implement `lexigram_cache::Codec` for it: `name`, `encode` and `decode`"
)]
pub trait Codec: Send + Sync + 'static {
    /// What errors and logs call this format.
    fn name(&self) -> &str;

    /// Appends the bytes of `value` to `out`, which is empty.
    ///
    /// # Errors
    /// Any; the call that wrote the value fails with an error of kind `Encode`.
    fn encode(&self, value: Source<'_>, out: &mut Vec<u8>) -> Result<(), BoxError>;

    /// Reads `bytes` into `target`.
    ///
    /// The bytes may be anything. Refuse what is left over after the value, bound how deep values nest,
    /// and believe no length that the bytes claim.
    ///
    /// # Errors
    /// Any, if `bytes` are not such a value. Not to fill `target` is an error, too.
    fn decode(&self, bytes: &[u8], target: Target<'_>) -> Result<(), BoxError>;
}

/// A value to be written; serialize it as any other.
pub struct Source<'a>(&'a dyn erased_serde::Serialize);

impl Serialize for Source<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        erased_serde::serialize(self.0, serializer)
    }
}

impl fmt::Debug for Source<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Source(..)")
    }
}

/// The place for a value that was read.
pub struct Target<'a>(&'a mut Fill<'a>);

type Fill<'a> = dyn FnMut(&mut dyn erased_serde::Deserializer<'_>) -> erased_serde::Result<()> + 'a;

impl Target<'_> {
    /// Reads the value from `deserializer`.
    ///
    /// # Errors
    /// The deserializer's own error, or one that says how its input is not a value of the type asked for.
    pub fn fill<'de, D: de::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let mut erased = <dyn erased_serde::Deserializer<'_>>::erase(deserializer);
        (self.0)(&mut erased).map_err(de::Error::custom)
    }
}

impl fmt::Debug for Target<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Target(..)")
    }
}

/// What a frame calls these formats.
const CONTENT: u8 = 3;

pub(super) fn encode<T, O>(
    value: &T,
    took: Option<Duration>,
    codec: &dyn Codec,
    zip: &Zip,
) -> Result<Vec<u8>, Fault>
where
    T: Serialize + ?Sized,
    O: DeserializeOwned + 'static,
{
    if Shape::of::<O>().integer {
        return integer::encode(value);
    }
    let mut plain = Vec::new();
    codec.encode(Source(&value), &mut plain).map_err(|_| Fault::from("the codec refused the value"))?;
    if let Some(zipped) = zip.zip(CONTENT, frame::ANY_SHAPE, took, &plain)? {
        return Ok(zipped);
    }
    if frame::is_frame(&plain) { wrap(&plain, took) } else { Ok(plain) }
}

pub(super) fn decode<T>(bytes: &[u8], codec: &dyn Codec, zip: &Zip) -> Result<T, Fault>
where
    T: DeserializeOwned + 'static,
{
    if Shape::of::<T>().integer {
        return integer::decode(bytes);
    }
    let payload = frame::open(bytes, CONTENT, frame::ANY_SHAPE, zip)?;
    let budget = Budget::new(bytes.len(), zip.limit());
    let mut value = None;
    let mut fill = |erased: &mut dyn erased_serde::Deserializer<'_>| {
        value = Some(counted::read(erased, &budget)?);
        Ok(())
    };
    codec
        .decode(payload.as_deref().unwrap_or(bytes), Target(&mut fill))
        .map_err(|_| budget.fault().unwrap_or_else(|| "the codec refused the bytes".into()))?;
    value.ok_or("the codec gave no value".into())
}

/// Bytes that begin like a frame would be taken for one, so they become the payload of a real one.
fn wrap(plain: &[u8], took: Option<Duration>) -> Result<Vec<u8>, Fault> {
    let mut frame = frame::begin(plain.len());
    frame.extend_from_slice(plain);
    let label = Label { content: CONTENT, zlib: false, length: plain.len(), shape: frame::ANY_SHAPE, took };
    frame::seal(frame, label)
}
