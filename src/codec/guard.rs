//! Reads postcard from bytes that nobody vouches for.
//!
//! Scalars and text are postcard's own business. What nests or repeats is done here, because that is
//! where a few bytes can ask for a stack overflow or for billions of elements that take no bytes each.
//!
//! * Values nest at most [`DEPTH`] deep; an option and a newtype are levels, too.
//! * All sequences and maps together claim at most as many elements as there are bytes, plus
//!   [`EMPTY_ELEMENTS`]. An element that takes a byte always fits; those without bytes, as in `Vec<()>`,
//!   live on the allowance.
//! * What a sequence claims is only a hint to collections up to [`HINT`].

use postcard::de_flavors::Slice;
use postcard::{Deserializer, Error, Result};
use serde::Deserialize;
use serde::de::value::U32Deserializer;
use serde::de::{self, DeserializeOwned, DeserializeSeed, IntoDeserializer, Visitor};

/// The value that all of `payload` is.
pub(super) fn read<T: DeserializeOwned>(payload: &[u8]) -> Result<T> {
    let mut guard = Guard {
        bytes: Deserializer::from_bytes(payload),
        depth: 0,
        elements: payload.len().saturating_add(EMPTY_ELEMENTS),
    };
    let value = T::deserialize(&mut guard)?;
    match guard.bytes.finalize()? {
        [] => Ok(value),
        _ => Err(Error::DeserializeBadEncoding),
    }
}

/// How deep values may nest. A linked list, which is an option and a struct at each node, may be as long
/// as it may in JSON, where serde_json stops at 128.
const DEPTH: usize = 256;

/// How many elements may take no byte.
const EMPTY_ELEMENTS: usize = 1 << 14;

/// The most elements for which room is made before they have been seen.
const HINT: usize = 1 << 10;

struct Guard<'de> {
    bytes: Deserializer<'de, Slice<'de>>,
    depth: usize,
    /// How many more elements may be claimed.
    elements: usize,
}

impl<'de> Guard<'de> {
    /// One level down. After an error nothing is read any more, so the level need not be left.
    #[inline(always)]
    fn nested<V>(&mut self, read: impl FnOnce(&mut Self) -> Result<V>) -> Result<V> {
        if self.depth == DEPTH {
            return Err(Error::DeserializeBadEncoding);
        }
        self.depth += 1;
        let value = read(self)?;
        self.depth -= 1;
        Ok(value)
    }

    /// The length of a sequence or map, if it can be true.
    #[inline]
    fn claim(&mut self) -> Result<usize> {
        let claimed = u64::deserialize(&mut self.bytes)?;
        let length = usize::try_from(claimed).map_err(|_| Error::DeserializeUnexpectedEnd)?;
        self.elements = self.elements.checked_sub(length).ok_or(Error::DeserializeUnexpectedEnd)?;
        Ok(length)
    }
}

macro_rules! by_postcard {
    ($($method:ident)*) => {
        $(
            #[inline]
            fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
                de::Deserializer::$method(&mut self.bytes, visitor)
            }
        )*
    };
}

impl<'de> de::Deserializer<'de> for &mut Guard<'de> {
    type Error = Error;

    by_postcard! {
        deserialize_bool deserialize_char deserialize_f32 deserialize_f64
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
        deserialize_str deserialize_string deserialize_bytes deserialize_byte_buf
        deserialize_unit deserialize_any deserialize_identifier deserialize_ignored_any
    }

    #[inline]
    fn is_human_readable(&self) -> bool {
        false
    }

    #[inline]
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match u8::deserialize(&mut self.bytes)? {
            0 => visitor.visit_none(),
            1 => self.nested(|guard| visitor.visit_some(guard)),
            _ => Err(Error::DeserializeBadOption),
        }
    }

    #[inline]
    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value> {
        visitor.visit_unit()
    }

    #[inline]
    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value> {
        self.nested(|guard| visitor.visit_newtype_struct(guard))
    }

    #[inline]
    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        let left = self.claim()?;
        self.nested(|guard| visitor.visit_seq(Elements { guard, left }))
    }

    #[inline]
    fn deserialize_tuple<V: Visitor<'de>>(self, left: usize, visitor: V) -> Result<V::Value> {
        self.nested(|guard| visitor.visit_seq(Elements { guard, left }))
    }

    #[inline]
    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        length: usize,
        visitor: V,
    ) -> Result<V::Value> {
        self.deserialize_tuple(length, visitor)
    }

    #[inline]
    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        let left = self.claim()?;
        self.nested(|guard| visitor.visit_map(Elements { guard, left }))
    }

    #[inline]
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        self.deserialize_tuple(fields.len(), visitor)
    }

    #[inline]
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        self.nested(|guard| visitor.visit_enum(guard))
    }
}

/// The elements of a sequence or the pairs of a map.
struct Elements<'a, 'de> {
    guard: &'a mut Guard<'de>,
    left: usize,
}

impl<'de> Elements<'_, 'de> {
    #[inline]
    fn next<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>> {
        match self.left.checked_sub(1) {
            Some(left) => self.left = left,
            None => return Ok(None),
        }
        seed.deserialize(&mut *self.guard).map(Some)
    }
}

impl<'de> de::SeqAccess<'de> for Elements<'_, 'de> {
    type Error = Error;

    #[inline]
    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>> {
        self.next(seed)
    }

    #[inline]
    fn size_hint(&self) -> Option<usize> {
        Some(self.left.min(HINT))
    }
}

impl<'de> de::MapAccess<'de> for Elements<'_, 'de> {
    type Error = Error;

    #[inline]
    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>> {
        self.next(seed)
    }

    #[inline]
    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value> {
        seed.deserialize(&mut *self.guard)
    }

    #[inline]
    fn size_hint(&self) -> Option<usize> {
        Some(self.left.min(HINT))
    }
}

impl<'de> de::EnumAccess<'de> for &mut Guard<'de> {
    type Error = Error;
    type Variant = Self;

    #[inline]
    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self)> {
        let index: U32Deserializer<Error> = u32::deserialize(&mut self.bytes)?.into_deserializer();
        Ok((seed.deserialize(index)?, self))
    }
}

impl<'de> de::VariantAccess<'de> for &mut Guard<'de> {
    type Error = Error;

    #[inline]
    fn unit_variant(self) -> Result<()> {
        Ok(())
    }

    #[inline]
    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value> {
        seed.deserialize(self)
    }

    #[inline]
    fn tuple_variant<V: Visitor<'de>>(self, left: usize, visitor: V) -> Result<V::Value> {
        visitor.visit_seq(Elements { guard: self, left })
    }

    #[inline]
    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        visitor.visit_seq(Elements { guard: self, left: fields.len() })
    }
}
