//! The parts of what has parts, each paid for before it is made.

use std::marker::PhantomData;

use serde::de::{DeserializeSeed, Deserializer, EnumAccess, MapAccess, SeqAccess, VariantAccess, Visitor};

use super::Counted;
use super::visitor::Watch;
use crate::codec::budget::{Budget, FIRST, price};

/// Elements, pairs or fields.
pub(super) struct Parts<'b, A, W> {
    pub(super) inner: A,
    pub(super) budget: &'b Budget,
    /// What has been paid for, with all parts that fit into it.
    pub(super) whole: PhantomData<W>,
    pub(super) is_first: bool,
}

impl<'b, A, W> Parts<'b, A, W> {
    #[inline]
    fn part<'de, S: DeserializeSeed<'de>>(&self, seed: S) -> Part<'b, S> {
        let count = if self.is_first { 1 + FIRST } else { 1 };
        Part { seed, budget: self.budget, price: price_beside::<S::Value, W>() * count }
    }
}

/// What a part costs if it is too large to lie inside of a `W`.
const fn price_beside<T, W>() -> usize {
    if size_of::<T>() > size_of::<W>() { price(size_of::<T>()) } else { 0 }
}

/// One of them, before it is there.
struct Part<'b, S> {
    seed: S,
    budget: &'b Budget,
    price: usize,
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Part<'_, S> {
    type Value = S::Value;

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, inner: D) -> Result<S::Value, D::Error> {
        self.budget.pay(self.price)?;
        self.seed.deserialize(Counted { inner, budget: self.budget, place: size_of::<S::Value>() })
    }
}

impl<'de, A: SeqAccess<'de>, W> SeqAccess<'de> for Parts<'_, A, W> {
    type Error = A::Error;

    #[inline]
    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        let part = self.part(seed);
        self.is_first = false;
        self.inner.next_element_seed(part)
    }

    #[inline]
    fn size_hint(&self) -> Option<usize> {
        self.inner.size_hint()
    }
}

impl<'de, A: MapAccess<'de>, W> MapAccess<'de> for Parts<'_, A, W> {
    type Error = A::Error;

    #[inline]
    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        let key = self.part(seed);
        self.inner.next_key_seed(key)
    }

    #[inline]
    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        let value = self.part(seed);
        self.is_first = false;
        self.inner.next_value_seed(value)
    }

    #[inline]
    fn size_hint(&self) -> Option<usize> {
        self.inner.size_hint()
    }
}

/// A variant, before or after it is known which.
pub(super) struct Choice<'b, A, W> {
    pub(super) inner: A,
    pub(super) budget: &'b Budget,
    /// The enum.
    pub(super) whole: PhantomData<W>,
}

impl<'b, 'de, A: EnumAccess<'de>, W> EnumAccess<'de> for Choice<'b, A, W> {
    type Error = A::Error;
    type Variant = Choice<'b, A::Variant, W>;

    #[inline]
    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self::Variant), A::Error> {
        let (name, inner) = self.inner.variant_seed(seed)?;
        Ok((name, Choice { inner, budget: self.budget, whole: self.whole }))
    }
}

impl<'de, A: VariantAccess<'de>, W> VariantAccess<'de> for Choice<'_, A, W> {
    type Error = A::Error;

    #[inline]
    fn unit_variant(self) -> Result<(), A::Error> {
        self.inner.unit_variant()
    }

    #[inline]
    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, A::Error> {
        let price = price_beside::<S::Value, W>();
        self.inner.newtype_variant_seed(Part { seed, budget: self.budget, price })
    }

    #[inline]
    fn tuple_variant<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, A::Error> {
        self.inner.tuple_variant(length, Watch { visitor, budget: self.budget, whole: self.whole })
    }

    #[inline]
    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        self.inner.struct_variant(fields, Watch { visitor, budget: self.budget, whole: self.whole })
    }
}
