//! Whether a value is `None`, asked of its `Serialize`: a type parameter does not tell.

use serde::ser::{self, Impossible, Serialize};

use super::refusal::{Refusal, refuse};

/// Whether `value` serializes as `None`, by itself or inside of newtypes. A unit is a value.
///
/// Costs no more than the value's first word: whatever else it is, its `Serialize` is stopped there.
pub(crate) fn is_none<T: Serialize + ?Sized>(value: &T) -> bool {
    value.serialize(Absence).is_ok()
}

/// Takes `None` and refuses all else.
struct Absence;

type No = Impossible<(), Refusal>;

impl ser::Serializer for Absence {
    type Ok = ();
    type Error = Refusal;
    type SerializeSeq = No;
    type SerializeTuple = No;
    type SerializeTupleStruct = No;
    type SerializeTupleVariant = No;
    type SerializeMap = No;
    type SerializeStruct = No;
    type SerializeStructVariant = No;

    fn serialize_none(self) -> Result<(), Refusal> {
        Ok(())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Refusal> {
        value.serialize(self)
    }

    // The one that serde provides writes the text before it asks.
    fn collect_str<T: std::fmt::Display + ?Sized>(self, _: &T) -> Result<(), Refusal> {
        Err(Refusal)
    }

    refuse! {
        serialize_bool(bool) -> ();
        serialize_i8(i8) -> ();
        serialize_i16(i16) -> ();
        serialize_i32(i32) -> ();
        serialize_i64(i64) -> ();
        serialize_i128(i128) -> ();
        serialize_u8(u8) -> ();
        serialize_u16(u16) -> ();
        serialize_u32(u32) -> ();
        serialize_u64(u64) -> ();
        serialize_u128(u128) -> ();
        serialize_f32(f32) -> ();
        serialize_f64(f64) -> ();
        serialize_char(char) -> ();
        serialize_str(&str) -> ();
        serialize_bytes(&[u8]) -> ();
        serialize_unit() -> ();
        serialize_unit_struct(&'static str) -> ();
        serialize_unit_variant(&'static str, u32, &'static str) -> ();
        serialize_seq(Option<usize>) -> No;
        serialize_tuple(usize) -> No;
        serialize_tuple_struct(&'static str, usize) -> No;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> No;
        serialize_map(Option<usize>) -> No;
        serialize_struct(&'static str, usize) -> No;
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> No;
    }

    fn serialize_some<T: Serialize + ?Sized>(self, _: &T) -> Result<(), Refusal> {
        Err(Refusal)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), Refusal> {
        Err(Refusal)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::{Serialize, Serializer};

    use super::is_none;

    #[derive(Serialize)]
    struct Wrapped<T>(T);

    #[derive(Serialize)]
    #[serde(transparent)]
    struct Transparent<T> {
        only: T,
    }

    #[derive(Serialize)]
    struct Struct {
        field: Option<u8>,
    }

    #[derive(Serialize)]
    struct Unit;

    #[derive(Serialize)]
    enum Choice {
        Unit,
        Newtype(Option<u8>),
        Tuple(Option<u8>, Option<u8>),
        Struct { field: Option<u8> },
    }

    const NOTHING: Option<u8> = None;

    #[test]
    fn nothing_is_none_however_it_is_wrapped() {
        assert!(is_none(&NOTHING));
        assert!(is_none(&&Box::new(NOTHING)));
        assert!(is_none(&Wrapped(NOTHING)));
        assert!(is_none(&Transparent { only: Wrapped(Wrapped(NOTHING)) }));
    }

    #[test]
    fn something_is_not_none_even_if_it_holds_nothing() {
        assert!(!is_none(&Some(7)));
        assert!(!is_none(&Some(NOTHING)));
        assert!(!is_none(&Struct { field: None }));
        assert!(!is_none(&(NOTHING,)));
        assert!(!is_none(&[NOTHING][..]));
        assert!(!is_none(&Choice::Newtype(None)));
        assert!(!is_none(&Choice::Tuple(None, None)));
        assert!(!is_none(&Choice::Struct { field: None }));
        assert!(!is_none(&Ok::<_, ()>(NOTHING)));
    }

    #[test]
    fn what_is_empty_is_not_none() {
        assert!(!is_none(&()));
        assert!(!is_none(&Unit));
        assert!(!is_none(&Wrapped(())));
        assert!(!is_none(&Choice::Unit));
        assert!(!is_none(""));
        assert!(!is_none(&Vec::<u8>::new()));
        assert!(!is_none(&BTreeMap::<u8, u8>::new()));
        assert!(!is_none(&std::marker::PhantomData::<u8>));
    }

    #[test]
    fn scalars_are_not_none() {
        assert!(!is_none(&false));
        assert!(!is_none(&0u8));
        assert!(!is_none(&0i128));
        assert!(!is_none(&f64::NAN));
        assert!(!is_none(&'\0'));
    }

    /// Must not be looked at.
    struct Mine;

    impl Serialize for Mine {
        fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            panic!("it was looked at")
        }
    }

    impl std::fmt::Display for Mine {
        fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            panic!("its text was written")
        }
    }

    #[test]
    fn it_stops_at_the_first_word() {
        assert!(!is_none(&vec![Mine, Mine]));
        assert!(!is_none(&Some(Mine)));
        assert!(!is_none(&(Mine, 1)));
        struct Text;
        impl Serialize for Text {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(&Mine)
            }
        }
        assert!(!is_none(&Text));
    }
}
