//! The parts of sequences, maps, structs and enums, as dummies.

use serde::de::value::BorrowedStrDeserializer;
use serde::de::{self, DeserializeSeed, Visitor};

use super::tracer::Tracer;
use crate::codec::refusal::Refusal;

impl Tracer {
    /// Fields in order, as postcard reads them. Once one of them has been refused for good, they are
    /// offered by name, so that those behind it are seen as well.
    pub(super) fn fields<'de, V: Visitor<'de>>(
        &mut self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        let position = self.position;
        match (0..fields.len()).any(|field| self.memory.is_dead(position, field)) {
            false => visitor.visit_seq(Parts { buries: true, ..Parts::new(self, fields.len()) }),
            true => visitor.visit_map(Fields { tracer: self, fields, next: 0 }),
        }
    }

    fn field<'de, S: DeserializeSeed<'de>>(&mut self, index: usize, seed: S) -> Result<S::Value, Refusal> {
        let field = self.part(index, |tracer| seed.deserialize(tracer));
        if field.is_err() && !self.again {
            self.memory.bury(self.position, index);
            self.again = true;
        }
        field
    }
}

/// Parts by their place.
pub(super) struct Parts<'a> {
    tracer: &'a mut Tracer,
    next: usize,
    length: usize,
    buries: bool,
}

impl<'a> Parts<'a> {
    pub(super) fn new(tracer: &'a mut Tracer, length: usize) -> Parts<'a> {
        Parts { tracer, next: 0, length, buries: false }
    }
}

impl<'de> de::SeqAccess<'de> for Parts<'_> {
    type Error = Refusal;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Refusal> {
        let index = self.next;
        if index == self.length {
            return Ok(None);
        }
        self.next += 1;
        match self.buries {
            true => self.tracer.field(index, seed).map(Some),
            false => self.tracer.part(index, |tracer| seed.deserialize(tracer)).map(Some),
        }
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.length - self.next)
    }
}

/// Fields by their name, without those that are dead.
struct Fields<'a> {
    tracer: &'a mut Tracer,
    fields: &'static [&'static str],
    next: usize,
}

impl<'de> de::MapAccess<'de> for Fields<'_> {
    type Error = Refusal;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Refusal> {
        while self.tracer.memory.is_dead(self.tracer.position, self.next) {
            self.next += 1;
        }
        let Some(name) = self.fields.get(self.next) else {
            return Ok(None);
        };
        self.next += 1;
        seed.deserialize(BorrowedStrDeserializer::new(name)).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Refusal> {
        self.tracer.field(self.next.saturating_sub(1), seed)
    }
}

/// The one pair of a map that has any.
pub(super) struct Pair<'a> {
    pub(super) tracer: &'a mut Tracer,
    pub(super) left: bool,
}

impl<'de> de::MapAccess<'de> for Pair<'_> {
    type Error = Refusal;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Refusal> {
        match std::mem::take(&mut self.left) {
            true => self.tracer.part(0, |tracer| seed.deserialize(tracer)).map(Some),
            false => Ok(None),
        }
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Refusal> {
        self.tracer.part(1, |tracer| seed.deserialize(tracer))
    }
}

/// One variant, which is named rather than counted, because the list of names also holds aliases.
pub(super) struct Variant<'a> {
    pub(super) tracer: &'a mut Tracer,
    pub(super) name: &'static str,
    pub(super) index: usize,
}

impl<'de> de::EnumAccess<'de> for Variant<'_> {
    type Error = Refusal;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self), Refusal> {
        let tag = seed.deserialize(BorrowedStrDeserializer::<Refusal>::new(self.name))?;
        Ok((tag, self))
    }
}

impl<'de> de::VariantAccess<'de> for Variant<'_> {
    type Error = Refusal;

    fn unit_variant(self) -> Result<(), Refusal> {
        self.tracer.note(b'u')
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Refusal> {
        self.tracer.note(b'n')?;
        self.tracer.part(self.index, |tracer| seed.deserialize(tracer))
    }

    fn tuple_variant<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, Refusal> {
        self.tracer.note(b't')?;
        self.tracer.note_number(length);
        self.tracer.part(self.index, |tracer| visitor.visit_seq(Parts::new(tracer, length)))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        self.tracer.note(b'{')?;
        self.tracer.note_names(("", fields));
        self.tracer.part(self.index, |tracer| tracer.fields(fields, visitor))
    }
}
