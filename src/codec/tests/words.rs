//! Every word of serde, one by one: which of them is nothing, which an integer, and that all come back as they were.

use std::fmt;

use serde::de::{SeqAccess, Visitor};
use serde::ser::{SerializeMap, SerializeSeq, SerializeStruct, SerializeTuple, SerializeTupleStruct};
use serde::{Deserializer, Serializer};

use super::*;
use crate::codec::is_none;

/// Says one word, whatever its type reads.
struct Said(Word);

#[derive(Clone, Copy, Debug, PartialEq)]
enum Word {
    Bool,
    I8,
    I16,
    I32,
    I64,
    I128,
    U8,
    U16,
    U32,
    U64,
    U128,
    F32,
    F64,
    Char,
    Str,
    Text,
    Bytes,
    None,
    Some,
    Unit,
    UnitStruct,
    UnitVariant,
    NewtypeStruct,
    NewtypeVariant,
    Seq,
    Tuple,
    TupleStruct,
    TupleVariant,
    Map,
    Struct,
    StructVariant,
}

const INTEGERS: [Word; 10] = [
    Word::I8,
    Word::I16,
    Word::I32,
    Word::I64,
    Word::I128,
    Word::U8,
    Word::U16,
    Word::U32,
    Word::U64,
    Word::U128,
];

const OTHERS: [Word; 20] = [
    Word::Bool,
    Word::F32,
    Word::F64,
    Word::Char,
    Word::Str,
    Word::Text,
    Word::Bytes,
    Word::None,
    Word::Some,
    Word::Unit,
    Word::UnitStruct,
    Word::UnitVariant,
    Word::NewtypeVariant,
    Word::Seq,
    Word::Tuple,
    Word::TupleStruct,
    Word::TupleVariant,
    Word::Map,
    Word::Struct,
    Word::StructVariant,
];

impl Serialize for Said {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Word::Bool => serializer.serialize_bool(true),
            Word::I8 => serializer.serialize_i8(7),
            Word::I16 => serializer.serialize_i16(7),
            Word::I32 => serializer.serialize_i32(7),
            Word::I64 => serializer.serialize_i64(7),
            Word::I128 => serializer.serialize_i128(7),
            Word::U8 => serializer.serialize_u8(7),
            Word::U16 => serializer.serialize_u16(7),
            Word::U32 => serializer.serialize_u32(7),
            Word::U64 => serializer.serialize_u64(7),
            Word::U128 => serializer.serialize_u128(7),
            Word::F32 => serializer.serialize_f32(7.0),
            Word::F64 => serializer.serialize_f64(7.0),
            Word::Char => serializer.serialize_char('7'),
            Word::Str => serializer.serialize_str("7"),
            Word::Text => serializer.collect_str(&7),
            Word::Bytes => serializer.serialize_bytes(b"7"),
            Word::None => serializer.serialize_none(),
            Word::Some => serializer.serialize_some(&7),
            Word::Unit => serializer.serialize_unit(),
            Word::UnitStruct => serializer.serialize_unit_struct("Said"),
            Word::UnitVariant => serializer.serialize_unit_variant("Said", 7, "Seven"),
            Word::NewtypeStruct => serializer.serialize_newtype_struct("Said", &7),
            Word::NewtypeVariant => serializer.serialize_newtype_variant("Said", 7, "Seven", &7),
            Word::Seq => serializer.serialize_seq(Some(0))?.end(),
            Word::Tuple => serializer.serialize_tuple(0)?.end(),
            Word::TupleStruct => serializer.serialize_tuple_struct("Said", 0)?.end(),
            Word::TupleVariant => {
                use serde::ser::SerializeTupleVariant;
                serializer.serialize_tuple_variant("Said", 7, "Seven", 0)?.end()
            }
            Word::Map => serializer.serialize_map(Some(0))?.end(),
            Word::Struct => serializer.serialize_struct("Said", 0)?.end(),
            Word::StructVariant => {
                use serde::ser::SerializeStructVariant;
                serializer.serialize_struct_variant("Said", 7, "Seven", 0)?.end()
            }
        }
    }
}

#[test]
fn of_all_words_only_none_is_nothing() {
    for word in INTEGERS.into_iter().chain(OTHERS).chain([Word::NewtypeStruct]) {
        assert_eq!(is_none(&Said(word)), word == Word::None, "{word:?}");
    }
}

/// The formats that tell integers apart by the type that is read.
fn by_type() -> impl Iterator<Item = ValueCodec> {
    codecs().into_iter().filter(|codec| codec.format().name() != "json")
}

#[test]
fn an_integer_is_decimal_text_whatever_its_width() {
    for codec in by_type() {
        for word in INTEGERS.into_iter().chain([Word::NewtypeStruct]) {
            assert_eq!(codec.encode::<Said, u8>(&Said(word)).unwrap(), b"7", "{word:?} by {codec:?}");
        }
    }
    macro_rules! both_ends {
        ($($type:ty)*) => {
            $(survives(<$type>::MIN); survives(<$type>::MAX);)*
        };
    }
    both_ends!(i8 i16 i32 i64 i128 u8 u16 u32 u64 u128);
}

#[test]
fn a_type_that_reads_an_integer_and_writes_something_else_is_told_so() {
    for codec in by_type() {
        for word in OTHERS {
            let error = codec.encode::<Said, u8>(&Said(word)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Encode, "{word:?} by {codec:?}");
            assert!(error.to_string().contains("reads an integer but writes something else"), "{error}");
        }
    }
}

/// Bytes as such, and not as a sequence of numbers.
#[derive(Clone, Debug, PartialEq)]
struct Bytes(Vec<u8>);

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Bytes, D::Error> {
        deserializer.deserialize_byte_buf(Taken)
    }
}

struct Taken;

impl<'de> Visitor<'de> for Taken {
    type Value = Bytes;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("bytes")
    }

    fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Bytes, E> {
        Ok(Bytes(bytes.to_vec()))
    }

    // As JSON has them.
    fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<Bytes, A::Error> {
        let mut bytes = Vec::new();
        while let Some(byte) = parts.next_element()? {
            bytes.push(byte);
        }
        Ok(Bytes(bytes))
    }
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
struct Marker;

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
struct Pair(i16, char);

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
enum Choice {
    Unit,
    Newtype(u32),
    Tuple(u16, i64),
    Struct { wide: u128, flag: bool },
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
struct All {
    marker: Marker,
    unit: (),
    pair: Pair,
    single: f32,
    double: f64,
    low: i8,
    lower: i128,
    text: String,
    bytes: Bytes,
    none: Option<u8>,
    some: Option<char>,
    many: Vec<Choice>,
    few: [u16; 3],
    map: BTreeMap<char, Marker>,
}

#[test]
fn whatever_serde_can_say_comes_back_as_it_was() {
    survives(All {
        marker: Marker,
        unit: (),
        pair: Pair(i16::MIN, '\u{10ffff}'),
        single: f32::MIN_POSITIVE,
        double: f64::MAX,
        low: i8::MIN,
        lower: i128::MIN,
        text: "a\0b".into(),
        bytes: Bytes((0..=255).collect()),
        none: None,
        some: Some('x'),
        many: vec![
            Choice::Unit,
            Choice::Newtype(u32::MAX),
            Choice::Tuple(u16::MAX, i64::MIN),
            Choice::Struct { wide: u128::MAX, flag: true },
        ],
        few: [1, 2, 3],
        map: BTreeMap::from([('a', Marker)]),
    });
    survives(Bytes(Vec::new()));
    survives(Marker);
    survives('x');
}
