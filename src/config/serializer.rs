//! The form values take outside the process.

/// How a backend writes values.
///
/// In a file: `json`, `postcard`, or either with `+compression` behind it; `compression` alone is
/// `json+compression`.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Serializer {
    /// JSON text, readable from every language.
    #[default]
    Json,
    /// A compact binary form.
    Postcard,
    /// JSON, compressed where that saves space.
    CompressedJson,
    /// The compact binary form, compressed where that saves space.
    CompressedPostcard,
}

impl Serializer {
    pub(super) const WORDS: &[(&str, Serializer)] = &[
        ("json", Serializer::Json),
        ("postcard", Serializer::Postcard),
        ("compression", Serializer::CompressedJson),
        ("json+compression", Serializer::CompressedJson),
        ("postcard+compression", Serializer::CompressedPostcard),
    ];

    /// Whether values are compressed.
    pub fn is_compressed(self) -> bool {
        matches!(self, Serializer::CompressedJson | Serializer::CompressedPostcard)
    }

    /// Whether values take the compact binary form, compressed or not.
    pub fn is_postcard(self) -> bool {
        matches!(self, Serializer::Postcard | Serializer::CompressedPostcard)
    }
}
