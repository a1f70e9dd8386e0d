//! An error that carries nothing, for serde impls whose reasons nobody may read.

use std::fmt;

/// Whatever went wrong; its text is dropped, since it may quote the value.
#[derive(Clone, Copy, Debug)]
pub(super) struct Refusal;

/// Methods of a `Serializer` that refuse whatever they are given.
macro_rules! refuse {
    ($($method:ident($($type:ty),*) -> $result:ty;)*) => {
        $(
            fn $method(self, $(_: $type),*) -> Result<$result, Refusal> {
                Err(Refusal)
            }
        )*
    };
}
pub(super) use refuse;

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("refused")
    }
}

impl std::error::Error for Refusal {}

impl serde::ser::Error for Refusal {
    fn custom<M: fmt::Display>(_: M) -> Refusal {
        Refusal
    }
}

impl serde::de::Error for Refusal {
    fn custom<M: fmt::Display>(_: M) -> Refusal {
        Refusal
    }
}
