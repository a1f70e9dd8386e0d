//! What a value of a key looks like, for masks and for the schema.

/// A kind of value.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Shape {
    Flag,
    /// A whole number, not negative.
    Whole {
        most: i128,
    },
    Fraction,
    Duration,
    Text,
    /// Text that is never shown.
    Secret,
    /// A list of texts.
    Texts,
    /// One of these.
    Words(Vec<&'static str>),
    /// Keys of its own.
    Section,
    /// The same, or nothing.
    Optional(Box<Shape>),
}

impl Shape {
    pub(super) fn is_secret(&self) -> bool {
        match self {
            Shape::Optional(shape) => shape.is_secret(),
            shape => *shape == Shape::Secret,
        }
    }

    pub(super) fn words(self) -> Vec<&'static str> {
        match self {
            Shape::Words(words) => words,
            Shape::Optional(shape) => shape.words(),
            _ => Vec::new(),
        }
    }
}
