//! A deserializer that answers with dummies and remembers the questions.

use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::de::{self, DeserializeOwned, Visitor};

use super::Shape;
use super::access::{Pair, Parts, Variant};
use super::hash::Hash;
use super::memory::{Memory, Named};
use crate::codec::refusal::Refusal;

/// Asks `T` for its shape. Depends on nothing but what `T` asks for.
pub(super) fn trace<T: DeserializeOwned>() -> Shape {
    let mut tracer = Tracer::new();
    let (mut passes, mut idle) = (0, 0);
    while passes < PASSES && idle < IDLE {
        tracer.rewind();
        let pass = catch_unwind(AssertUnwindSafe(|| T::deserialize(&mut tracer).is_ok()));
        tracer.hash.byte(pass.as_ref().map_or(PANICKED, |&read| u8::from(read)));
        if pass.is_err() || !(tracer.again || tracer.memory.has_more()) {
            break;
        }
        passes += 1;
        idle = if tracer.memory.take_progress() { 0 } else { idle + 1 };
    }
    Shape {
        fingerprint: tracer.hash.value(),
        integer: tracer.integer.unwrap_or_default(),
        self_describing: tracer.self_describing,
    }
}

pub(super) struct Tracer {
    hash: Hash,
    pub(super) memory: Memory,
    /// Whether the very first question was for an integer.
    integer: Option<bool>,
    self_describing: bool,
    steps: usize,

    // Of this pass:
    pub(super) position: u64,
    depth: usize,
    /// The structs and enums that we are inside of.
    inside: Vec<Named>,
    /// How many of them recur. Below such a one nothing optional is entered.
    recurring: usize,
    /// Whether another pass would show more of what is being read.
    pub(super) again: bool,
}

impl Tracer {
    fn new() -> Tracer {
        Tracer {
            hash: Hash::new(),
            memory: Memory::default(),
            integer: None,
            self_describing: false,
            steps: 0,
            position: 0,
            depth: 0,
            inside: Vec::new(),
            recurring: 0,
            again: false,
        }
    }

    fn rewind(&mut self) {
        (self.position, self.depth, self.recurring, self.again) = (0, 0, 0, false);
        self.inside.clear();
    }

    /// One part of what is being read.
    pub(super) fn part<V>(
        &mut self,
        index: usize,
        read: impl FnOnce(&mut Self) -> Result<V, Refusal>,
    ) -> Result<V, Refusal> {
        let whole = self.position;
        let mut below = Hash::new();
        below.number(whole as usize);
        below.number((whole >> 32) as usize);
        below.number(index);
        self.position = below.value();
        self.depth += 1;
        let part = read(self);
        self.depth -= 1;
        self.position = whole;
        part
    }

    /// Notes a question.
    pub(super) fn note(&mut self, kind: u8) -> Result<(), Refusal> {
        self.steps += 1;
        if self.steps > STEPS || self.depth > DEEPEST {
            return Err(Refusal);
        }
        self.hash.byte(kind);
        Ok(())
    }

    pub(super) fn note_names(&mut self, (name, parts): Named) {
        self.hash.word(name);
        self.hash.number(parts.len());
        parts.iter().for_each(|part| self.hash.word(part));
    }

    pub(super) fn note_number(&mut self, number: usize) {
        self.hash.number(number);
    }

    /// A value without parts. If it is refused, the next pass offers the next of `dummies`.
    fn leaf<V>(
        &mut self,
        kind: u8,
        dummies: usize,
        offer: impl FnOnce(usize) -> Result<V, Refusal>,
    ) -> Result<V, Refusal> {
        self.integer.get_or_insert(matches!(kind, b'1'..=b'9' | b'A'..=b'E'));
        self.note(kind)?;
        let offered = offer(self.memory.choice(self.position) % dummies);
        if offered.is_err() {
            self.again |= self.memory.choose_next(self.position, dummies);
        }
        offered
    }

    /// A value with parts. `again` tells about these parts alone while they are read.
    pub(super) fn whole<V>(
        &mut self,
        kind: u8,
        read: impl FnOnce(&mut Self) -> Result<V, Refusal>,
    ) -> Result<V, Refusal> {
        if kind != NEWTYPE {
            self.integer.get_or_insert(false);
        }
        self.note(kind)?;
        let elsewhere = std::mem::replace(&mut self.again, false);
        let whole = read(self);
        self.again |= elsewhere;
        whole
    }

    /// A value that may be empty: it is, below a recursion, and once its content was refused for good.
    fn optional<V>(
        &mut self,
        kind: u8,
        read: impl FnOnce(&mut Self, bool) -> Result<V, Refusal>,
    ) -> Result<V, Refusal> {
        self.whole(kind, |tracer| {
            let full = !tracer.is_resting() && tracer.memory.choice(tracer.position) == 0;
            tracer.hash.byte(u8::from(full));
            let value = read(tracer, full);
            if value.is_err() && !tracer.again {
                tracer.again = tracer.memory.choose_next(tracer.position, 2);
            }
            value
        })
    }

    /// A value whose type has a name, by which recursion is told.
    fn named<V>(
        &mut self,
        kind: u8,
        named: Named,
        read: impl FnOnce(&mut Self) -> Result<V, Refusal>,
    ) -> Result<V, Refusal> {
        self.whole(kind, |tracer| {
            tracer.note_names(named);
            tracer.inside.push(named);
            let recurs = usize::from(tracer.is_recurring(named));
            tracer.recurring += recurs;
            let value = read(tracer);
            tracer.recurring -= recurs;
            tracer.inside.pop();
            value
        })
    }

    /// Twice is not enough to call it recursion: `Page<Page<User>>` is two types of one name.
    fn is_recurring(&self, named: Named) -> bool {
        self.inside.iter().filter(|&&outer| outer == named).count() > 2
    }

    fn is_resting(&self) -> bool {
        self.recurring > 0 || self.depth > DEEP
    }

    /// The variant to enter, or nothing if the enum recurs and none is known to end.
    fn variant(&mut self, named: Named) -> Option<usize> {
        let known = self.memory.leaf(named);
        match named.1.len() {
            0 => None,
            _ if self.is_resting() && known.is_some() => known,
            _ if self.is_recurring(named) => None,
            count => Some(self.memory.enter_variant(self.position, count)),
        }
    }

    fn self_describing<V>(&mut self) -> Result<V, Refusal> {
        self.integer.get_or_insert(false);
        self.self_describing = true;
        self.note(b'?')?;
        Err(Refusal)
    }
}

/// More passes than this show only the insides of enums inside of enums.
const PASSES: usize = 256;
/// As many passes may show nothing new, while enums take turns to reach what is open inside of them.
const IDLE: usize = 32;
/// Over all passes: a few milliseconds.
const STEPS: usize = 1 << 15;
/// From here on everything optional is empty.
const DEEP: usize = 32;
/// Here everything is refused.
const DEEPEST: usize = 64;

const PANICKED: u8 = 2;
const NEWTYPE: u8 = b'n';

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
            tracer.hash.byte(u8::from(full));
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
