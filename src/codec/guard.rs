//! Reads postcard from bytes that nobody vouches for.
//!
//! Scalars and text are postcard's own business. What nests or repeats is done here, because that is
//! where a few bytes can ask for a stack overflow or for billions of elements that take no bytes each.
//!
//! * Values nest at most [`DEPTH`] deep; an option and a newtype are levels, too.
//! * All sequences and maps together claim at most as many elements as there are bytes, plus
//!   [`EMPTY_ELEMENTS`]. An element that takes a byte always fits; those without bytes, as in `Vec<()>`,
//!   live on the allowance. There are no more of them in longer bytes, or what is spelled longer than need be
//!   could be read, but not what is written of it.
//! * What a sequence claims is only a hint to collections up to [`HINT`].
//! * What the value is made of is paid for from a [`Budget`], by elements before the first of them is read.

use std::marker::PhantomData;

use postcard::de_flavors::Slice;
use postcard::{Deserializer, Error, Result};
use serde::Deserialize;
use serde::de::value::U32Deserializer;
use serde::de::{self, DeserializeOwned, DeserializeSeed, IntoDeserializer, Visitor};

use super::budget::Budget;

/// The value that all of `payload` is.
pub(super) fn read<T: DeserializeOwned>(payload: &[u8], budget: &Budget) -> Result<T> {
    let mut guard = Guard {
        bytes: Deserializer::from_bytes(payload),
        depth: 0,
        elements: payload.len().saturating_add(EMPTY_ELEMENTS),
        empty: EMPTY_ELEMENTS,
        budget,
    };
    let value = T::deserialize(guard.to::<T>())?;
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

struct Guard<'b, 'de> {
    bytes: Deserializer<'de, Slice<'de>>,
    depth: usize,
    /// How many more elements may be claimed.
    elements: usize,
    /// How many more of them may be of no size, without a byte that was read for them.
    empty: usize,
    budget: &'b Budget,
}

impl<'b, 'de> Guard<'b, 'de> {
    /// For a value that goes where a `T` has its place.
    #[inline(always)]
    fn to<T>(&mut self) -> Place<'_, 'b, 'de> {
        Place { guard: self, size: size_of::<T>() }
    }

    /// One level down. After an error nothing is read any more, so the level need not be left.
    #[inline(always)]
    fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
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

    /// Counts an element that may take no byte.
    #[inline(always)]
    fn count<T>(&mut self) -> Result<()> {
        if size_of::<T>() == 0 {
            self.empty = self.empty.checked_sub(1).ok_or(Error::DeserializeUnexpectedEnd)?;
        }
        Ok(())
    }

    /// A value of no size that takes a byte or more, as an enum of one variant does, lives on no allowance.
    #[inline(always)]
    fn uncount<T>(&mut self) {
        if size_of::<T>() == 0 {
            self.empty = self.empty.saturating_add(1);
        }
    }

    /// Pays for an element, and for as many as are left behind it, where that has not been done.
    #[inline(always)]
    fn pay<T>(&mut self, left: usize, paid: &mut usize) -> Result<()> {
        // A smaller one takes no more than the byte that it is read from.
        if size_of::<T>() > 1 && size_of::<T>() > *paid {
            self.budget.pay_for(size_of::<T>(), left.saturating_add(1))?;
            *paid = size_of::<T>();
        }
        Ok(())
    }
}

/// Where a value goes, and whence it comes.
struct Place<'a, 'b, 'de> {
    guard: &'a mut Guard<'b, 'de>,
    /// How large it is: so much is paid for.
    size: usize,
}

impl<'a, 'b, 'de> Place<'a, 'b, 'de> {
    /// Makes a `T` here. If it does not fit it will be in a box, which is to be paid for.
    #[inline(always)]
    fn make<T>(self) -> Result<&'a mut Guard<'b, 'de>> {
        if size_of::<T>() > self.size {
            self.guard.budget.pay_boxed(size_of::<T>())?;
        }
        Ok(self.guard)
    }
}

macro_rules! by_postcard {
    ($($method:ident)*) => {
        $(
            #[inline]
            fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
                self.guard.uncount::<V::Value>();
                de::Deserializer::$method(&mut self.guard.bytes, visitor)
            }
        )*
    };
}

impl<'de> de::Deserializer<'de> for Place<'_, '_, 'de> {
    type Error = Error;

    by_postcard! {
        deserialize_bool deserialize_char deserialize_f32 deserialize_f64
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
        deserialize_str deserialize_string deserialize_bytes deserialize_byte_buf
        deserialize_any deserialize_identifier deserialize_ignored_any
    }

    #[inline]
    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_unit()
    }

    #[inline]
    fn is_human_readable(&self) -> bool {
        false
    }

    #[inline]
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        let guard = self.make::<V::Value>()?;
        match u8::deserialize(&mut guard.bytes)? {
            0 => visitor.visit_none(),
            1 => guard.nested(|guard| visitor.visit_some(guard.to::<V::Value>())),
            _ => Err(Error::DeserializeBadOption),
        }
    }

    #[inline]
    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value> {
        visitor.visit_unit()
    }

    #[inline]
    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value> {
        self.make::<V::Value>()?.nested(|guard| visitor.visit_newtype_struct(guard.to::<V::Value>()))
    }

    #[inline]
    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        let guard = self.make::<V::Value>()?;
        let left = guard.claim()?;
        guard.nested(|guard| visitor.visit_seq(Elements { guard, left, paid: 0 }))
    }

    #[inline]
    fn deserialize_tuple<V: Visitor<'de>>(self, left: usize, visitor: V) -> Result<V::Value> {
        self.make::<V::Value>()?
            .nested(|guard| visitor.visit_seq(Fields { guard, left, whole: PhantomData::<V::Value> }))
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
        let guard = self.make::<V::Value>()?;
        let left = guard.claim()?;
        guard.nested(|guard| visitor.visit_map(Pairs { guard, left, paid: [0; 2] }))
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
        let guard = self.make::<V::Value>()?;
        guard.uncount::<V::Value>();
        guard.nested(|guard| visitor.visit_enum(guard))
    }
}

/// The parts of a `T`, as many as its type says: they lie inside of it.
struct Fields<'a, 'b, 'de, T> {
    guard: &'a mut Guard<'b, 'de>,
    left: usize,
    whole: PhantomData<T>,
}

impl<'de, T> de::SeqAccess<'de> for Fields<'_, '_, 'de, T> {
    type Error = Error;

    #[inline]
    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>> {
        match self.left.checked_sub(1) {
            Some(left) => self.left = left,
            None => return Ok(None),
        }
        if size_of::<S::Value>() > size_of::<T>() {
            self.guard.budget.pay_for(size_of::<S::Value>(), 1)?;
        }
        seed.deserialize(self.guard.to::<S::Value>()).map(Some)
    }

    #[inline]
    fn size_hint(&self) -> Option<usize> {
        Some(self.left.min(HINT))
    }
}

/// The elements of a sequence.
struct Elements<'a, 'b, 'de> {
    guard: &'a mut Guard<'b, 'de>,
    left: usize,
    /// The largest that all that are left are paid for.
    paid: usize,
}

impl<'de> de::SeqAccess<'de> for Elements<'_, '_, 'de> {
    type Error = Error;

    #[inline]
    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>> {
        match self.left.checked_sub(1) {
            Some(left) => self.left = left,
            None => return Ok(None),
        }
        self.guard.count::<S::Value>()?;
        self.guard.pay::<S::Value>(self.left, &mut self.paid)?;
        seed.deserialize(self.guard.to::<S::Value>()).map(Some)
    }

    #[inline]
    fn size_hint(&self) -> Option<usize> {
        Some(self.left.min(HINT))
    }
}

/// The keys of a map, and their values.
struct Pairs<'a, 'b, 'de> {
    guard: &'a mut Guard<'b, 'de>,
    left: usize,
    /// The largest key, and the largest value, that all that are left are paid for.
    paid: [usize; 2],
}

impl<'de> Pairs<'_, '_, 'de> {
    #[inline(always)]
    fn next<S: DeserializeSeed<'de>>(&mut self, half: usize, seed: S) -> Result<S::Value> {
        self.guard.pay::<S::Value>(self.left, &mut self.paid[half])?;
        seed.deserialize(self.guard.to::<S::Value>())
    }
}

impl<'de> de::MapAccess<'de> for Pairs<'_, '_, 'de> {
    type Error = Error;

    #[inline]
    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>> {
        match self.left.checked_sub(1) {
            Some(left) => self.left = left,
            None => return Ok(None),
        }
        self.guard.count::<S::Value>()?;
        self.next(0, seed).map(Some)
    }

    #[inline]
    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value> {
        self.next(1, seed)
    }

    #[inline]
    fn size_hint(&self) -> Option<usize> {
        Some(self.left.min(HINT))
    }
}

impl<'a, 'b, 'de> de::EnumAccess<'de> for &'a mut Guard<'b, 'de> {
    type Error = Error;
    type Variant = Self;

    #[inline]
    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self)> {
        let index: U32Deserializer<Error> = u32::deserialize(&mut self.bytes)?.into_deserializer();
        Ok((seed.deserialize(index)?, self))
    }
}

impl<'de> de::VariantAccess<'de> for &mut Guard<'_, 'de> {
    type Error = Error;

    #[inline]
    fn unit_variant(self) -> Result<()> {
        Ok(())
    }

    #[inline]
    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value> {
        seed.deserialize(self.to::<S::Value>())
    }

    #[inline]
    fn tuple_variant<V: Visitor<'de>>(self, left: usize, visitor: V) -> Result<V::Value> {
        visitor.visit_seq(Fields { guard: self, left, whole: PhantomData::<V::Value> })
    }

    #[inline]
    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        self.tuple_variant(fields.len(), visitor)
    }
}
