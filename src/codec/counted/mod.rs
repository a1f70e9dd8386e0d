//! Goes between a type and its format, and pays for what is read.
//!
//! Both see what they would see without it: every question is handed on here, what the format answers in `visitor`, and the
//! parts of what has parts in `parts`. postcard has no need of it, since `guard` pays itself.

mod parts;
mod visitor;

use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Visitor};

use super::budget::Budget;
use visitor::Watch;

/// The value that the deserializer has.
pub(super) fn read<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    inner: D,
    budget: &Budget,
) -> Result<T, D::Error> {
    T::deserialize(Counted { inner, budget, place: size_of::<T>() })
}

/// A deserializer whose value is paid for.
struct Counted<'b, D> {
    inner: D,
    budget: &'b Budget,
    /// The size of what has been paid for: where the value goes.
    place: usize,
}

impl<'b, D> Counted<'b, D> {
    /// Watches how the value is made, after paying for it if it goes elsewhere.
    #[inline]
    fn watch<'de, V: Visitor<'de>, W>(self, visitor: V) -> Result<(D, Watch<'b, V, W>), D::Error>
    where
        D: Deserializer<'de>,
    {
        if size_of::<V::Value>() > self.place {
            self.budget.pay_boxed(size_of::<V::Value>())?;
        }
        Ok((self.inner, Watch { visitor, budget: self.budget, whole: PhantomData }))
    }
}

/// Nothing that takes memory comes of these but text, which is as long in the input.
macro_rules! plain {
    ($($method:ident)*) => {
        $(
            #[inline]
            fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
                self.inner.$method(visitor)
            }
        )*
    };
}

/// What is made has a size of its own, or as many elements as the input says.
macro_rules! open {
    ($($method:ident($($name:ident: $type:ty),*))*) => {
        $(
            #[inline]
            fn $method<V: Visitor<'de>>(self, $($name: $type,)* visitor: V) -> Result<V::Value, D::Error> {
                let (inner, watch) = self.watch::<V, ()>(visitor)?;
                inner.$method($($name,)* watch)
            }
        )*
    };
}

/// What is made has its parts inside of it.
macro_rules! closed {
    ($($method:ident($($name:ident: $type:ty),*))*) => {
        $(
            #[inline]
            fn $method<V: Visitor<'de>>(self, $($name: $type,)* visitor: V) -> Result<V::Value, D::Error> {
                let (inner, watch) = self.watch::<V, V::Value>(visitor)?;
                inner.$method($($name,)* watch)
            }
        )*
    };
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Counted<'_, D> {
    type Error = D::Error;

    plain! {
        deserialize_bool deserialize_char deserialize_f32 deserialize_f64
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
        deserialize_str deserialize_string deserialize_unit deserialize_identifier deserialize_ignored_any
    }

    // JSON has lists of numbers where bytes are asked for.
    open! {
        deserialize_any()
        deserialize_bytes()
        deserialize_byte_buf()
        deserialize_option()
        deserialize_seq()
        deserialize_map()
        deserialize_unit_struct(name: &'static str)
        deserialize_newtype_struct(name: &'static str)
    }

    closed! {
        deserialize_tuple(length: usize)
        deserialize_tuple_struct(name: &'static str, length: usize)
        deserialize_struct(name: &'static str, fields: &'static [&'static str])
        deserialize_enum(name: &'static str, variants: &'static [&'static str])
    }

    #[inline]
    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }
}
