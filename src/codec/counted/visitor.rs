//! What a format hands to a type, handed on.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserializer, EnumAccess, Error, MapAccess, SeqAccess, Visitor};

use super::Counted;
use super::parts::{Choice, Parts};
use crate::codec::budget::Budget;

/// A visitor whose parts are paid for.
pub(super) struct Watch<'b, V, W> {
    pub(super) visitor: V,
    pub(super) budget: &'b Budget,
    /// Inside of what the parts will lie; nothing, if there may be any number of them.
    pub(super) whole: PhantomData<W>,
}

impl<'b, V, W> Watch<'b, V, W> {
    #[inline]
    fn parts<A>(&self, inner: A) -> Parts<'b, A, W> {
        Parts { inner, budget: self.budget, whole: self.whole, is_first: true }
    }
}

macro_rules! visit {
    ($($method:ident $type:ty,)*) => {
        $(
            #[inline]
            fn $method<E: Error>(self, value: $type) -> Result<V::Value, E> {
                self.visitor.$method(value)
            }
        )*
    };
}

impl<'de, V: Visitor<'de>, W> Visitor<'de> for Watch<'_, V, W> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.visitor.expecting(f)
    }

    visit! {
        visit_bool bool, visit_char char, visit_f32 f32, visit_f64 f64,
        visit_i8 i8, visit_i16 i16, visit_i32 i32, visit_i64 i64, visit_i128 i128,
        visit_u8 u8, visit_u16 u16, visit_u32 u32, visit_u64 u64, visit_u128 u128,
        visit_str &str, visit_borrowed_str &'de str, visit_string String,
        visit_bytes &[u8], visit_borrowed_bytes &'de [u8], visit_byte_buf Vec<u8>,
    }

    #[inline]
    fn visit_none<E: Error>(self) -> Result<V::Value, E> {
        self.visitor.visit_none()
    }

    #[inline]
    fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
        self.visitor.visit_unit()
    }

    #[inline]
    fn visit_some<D: Deserializer<'de>>(self, inner: D) -> Result<V::Value, D::Error> {
        self.visitor.visit_some(Counted { inner, budget: self.budget, place: size_of::<V::Value>() })
    }

    #[inline]
    fn visit_newtype_struct<D: Deserializer<'de>>(self, inner: D) -> Result<V::Value, D::Error> {
        self.visitor.visit_newtype_struct(Counted {
            inner,
            budget: self.budget,
            place: size_of::<V::Value>(),
        })
    }

    #[inline]
    fn visit_seq<A: SeqAccess<'de>>(self, elements: A) -> Result<V::Value, A::Error> {
        let parts = self.parts(elements);
        self.visitor.visit_seq(parts)
    }

    #[inline]
    fn visit_map<A: MapAccess<'de>>(self, pairs: A) -> Result<V::Value, A::Error> {
        let parts = self.parts(pairs);
        self.visitor.visit_map(parts)
    }

    #[inline]
    fn visit_enum<A: EnumAccess<'de>>(self, inner: A) -> Result<V::Value, A::Error> {
        self.visitor.visit_enum(Choice { inner, budget: self.budget, whole: PhantomData::<V::Value> })
    }
}
