//! A deserializer that answers every question with a dummy.

use serde::de::{self, Visitor};

use super::access::{Pair, Parts, Variant};
use super::tracer::{NEWTYPE, Tracer};
use crate::codec::refusal::Refusal;

// Offered in this order. Many types refuse zero or the empty text, few refuse one or a letter.
const NUMBERS: [u8; 3] = [1, 0, 2];
const LETTERS: [char; 2] = ['a', '0'];
const TEXTS: [&str; 14] = [
    "a",
    "",
    "0",
    "1970-01-01T00:00:00Z",
    "1970-01-01T00:00:00",
    "1970-01-01",
    "00:00:00",
    "1970-01-01T00:00:00Z[UTC]",
    "UTC",
    "http://a/",
    "a@a.aa",
    "127.0.0.1",
    "1.0.0",
    "00000000-0000-0000-0000-000000000000",
];
const LENGTHS: [usize; 9] = [0, 16, 12, 4, 8, 20, 32, 64, 1];

macro_rules! numbers {
    ($($method:ident $visit:ident $type:ty = $kind:literal,)*) => {
        $(
            fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
                self.leaf($kind, NUMBERS.len(), |choice| visitor.$visit(NUMBERS[choice] as $type))
            }
        )*
    };
}

impl<'de> de::Deserializer<'de> for &mut Tracer {
    type Error = Refusal;

    fn is_human_readable(&self) -> bool {
        false
    }

    // The kinds of integers are digits and A to E, which `leaf` knows.
    numbers! {
        deserialize_u8 visit_u8 u8 = b'1', deserialize_u16 visit_u16 u16 = b'2',
        deserialize_u32 visit_u32 u32 = b'4', deserialize_u64 visit_u64 u64 = b'8',
        deserialize_u128 visit_u128 u128 = b'9',
        deserialize_i8 visit_i8 i8 = b'A', deserialize_i16 visit_i16 i16 = b'B',
        deserialize_i32 visit_i32 i32 = b'C', deserialize_i64 visit_i64 i64 = b'D',
        deserialize_i128 visit_i128 i128 = b'E',
        deserialize_f32 visit_f32 f32 = b'f', deserialize_f64 visit_f64 f64 = b'd',
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        self.leaf(b'b', 2, |choice| visitor.visit_bool(choice == 1))
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        self.leaf(b'c', LETTERS.len(), |choice| visitor.visit_char(LETTERS[choice]))
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        self.leaf(b's', TEXTS.len(), |choice| visitor.visit_borrowed_str(TEXTS[choice]))
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        self.deserialize_str(visitor)
    }

    /// Noted like a sequence of bytes, which postcard writes alike.
    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        let full = !self.is_resting();
        self.whole(b'q', |tracer| {
            tracer.note_flag(full);
            if full {
                tracer.note(b'1')?;
            }
            let choice = tracer.memory.choice(tracer.position) % LENGTHS.len();
            let offered = visitor.visit_borrowed_bytes(&[0; 64][..LENGTHS[choice]]);
            if offered.is_err() {
                tracer.again |= tracer.memory.choose_next(tracer.position, LENGTHS.len());
            }
            offered
        })
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        self.deserialize_bytes(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        self.optional(b'o', |tracer, full| match full {
            true => tracer.part(0, |tracer| visitor.visit_some(tracer)),
            false => visitor.visit_none(),
        })
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        self.whole(b'u', |_| visitor.visit_unit())
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        self.named(b'v', (name, &[]), |_| visitor.visit_unit())
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        self.named(NEWTYPE, (name, &[]), |tracer| {
            tracer.part(0, |tracer| visitor.visit_newtype_struct(tracer))
        })
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        self.optional(b'q', |tracer, full| visitor.visit_seq(Parts::new(tracer, usize::from(full))))
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        self.optional(b'm', |tracer, full| visitor.visit_map(Pair { tracer, left: full }))
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, Refusal> {
        self.whole(b't', |tracer| {
            tracer.note_number(length);
            visitor.visit_seq(Parts::new(tracer, length))
        })
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        self.named(b'w', (name, &[]), |tracer| {
            tracer.note_number(length);
            visitor.visit_seq(Parts::new(tracer, length))
        })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        self.named(b'{', (name, fields), |tracer| tracer.fields(fields, visitor))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        let named = (name, variants);
        self.named(b'e', named, |tracer| {
            let resting = tracer.is_resting();
            let Some(index) = tracer.variant(named) else {
                // One of the next passes may find a variant that ends.
                tracer.again = !variants.is_empty();
                return Err(Refusal);
            };
            tracer.note_number(index);
            let value = visitor.visit_enum(Variant { tracer, name: variants[index], index });
            if value.is_ok() {
                tracer.memory.set_leaf(named, index);
            }
            if !resting {
                if value.is_ok() || !tracer.again {
                    tracer.memory.close_variant(tracer.position, variants.len(), index);
                }
                tracer.again |= tracer.memory.has_open_variants(tracer.position, variants.len());
            }
            value
        })
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Refusal> {
        self.self_describing()
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Refusal> {
        self.self_describing()
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Refusal> {
        self.self_describing()
    }
}
