//! Which form a value has outside the process.

#[cfg(feature = "codec")]
use std::sync::Arc;

use std::fmt;

#[cfg(feature = "codec")]
use super::custom::Codec;

/// The form of values outside the process.
///
/// A top-level integer is decimal text in every format, so that counters and values agree. Defaults to
/// `Json`; without feature `json` to `Postcard`, and without either to `None`.
#[derive(Clone, Default)]
#[non_exhaustive]
pub enum Format {
    /// No form at all: values stay in this process. Enough for a memory cache whose keys are always read
    /// as the type that was stored; anything else is an error of kind `Unsupported`.
    #[cfg_attr(not(any(feature = "json", feature = "postcard")), default)]
    None,
    /// Exactly the JSON text, readable from every language.
    #[cfg(feature = "json")]
    #[cfg_attr(feature = "json", default)]
    Json,
    /// Compact and fast, in a frame that tells damaged bytes and bytes of another type's shape.
    ///
    /// A field that is added, renamed or moved makes old values unreadable, not wrong. Values may nest 256
    /// levels deep, options included, and hold some 16,000 elements that take no bytes, as in `Vec<()>`.
    ///
    /// What cannot be read back is an error of kind `Encode`: types that need a format which describes
    /// itself (untagged or internally tagged enums, `flatten`, `serde_json::Value`), and structs that leave
    /// out a field (`skip_serializing_if`). `skip_serializing` without `skip_deserializing` is not noticed
    /// until the value is read.
    ///
    /// The first use of a type runs its `Deserialize` on dummy values, to learn its shape.
    #[cfg(feature = "postcard")]
    #[cfg_attr(not(feature = "json"), default)]
    Postcard,
    /// A serde format of your own; see [`Format::custom`].
    #[cfg(feature = "codec")]
    Custom(Arc<dyn Codec>),
}

impl Format {
    /// A serde format of your own.
    #[cfg(feature = "codec")]
    pub fn custom(codec: impl Codec) -> Format {
        Format::Custom(Arc::new(codec))
    }

    /// `none`, `json`, `postcard`, or the custom codec's own name.
    pub fn name(&self) -> &str {
        match self {
            Format::None => "none",
            #[cfg(feature = "json")]
            Format::Json => "json",
            #[cfg(feature = "postcard")]
            Format::Postcard => "postcard",
            #[cfg(feature = "codec")]
            Format::Custom(codec) => codec.name(),
        }
    }
}

impl fmt::Debug for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Format({})", self.name())
    }
}
