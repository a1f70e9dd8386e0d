//! Writes postcard, and refuses what could not be read back as it was.
//!
//! postcard writes neither names nor ends, so a struct that leaves out a field (`skip_serializing_if`), or
//! a sequence of another length than it announced, would be read as something else. Scalars and text are
//! postcard's own business; what has parts is counted here.

use postcard::ser_flavors::Flavor;
use postcard::{Error, Result, Serializer};
use serde::ser::{self, Serialize};

/// Appends `value` to `out`.
pub(super) fn write<T: Serialize + ?Sized>(value: &T, out: Vec<u8>) -> Result<Vec<u8>> {
    let mut writer = Writer(Serializer { output: Tail(out) });
    value.serialize(&mut writer)?;
    writer.0.output.finalize()
}

struct Writer(Serializer<Tail>);

/// A vector that may hold something already.
struct Tail(Vec<u8>);

impl Flavor for Tail {
    type Output = Vec<u8>;

    #[inline]
    fn try_push(&mut self, byte: u8) -> Result<()> {
        self.0.push(byte);
        Ok(())
    }

    #[inline]
    fn try_extend(&mut self, bytes: &[u8]) -> Result<()> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }

    fn finalize(self) -> Result<Vec<u8>> {
        Ok(self.0)
    }
}

macro_rules! by_postcard {
    ($($method:ident($($type:ty),*);)*) => {
        $(by_postcard!(@ $method $($type)*);)*
    };
    (@ $method:ident) => {
        #[inline]
        fn $method(self) -> Result<()> {
            ser::Serializer::$method(&mut self.0)
        }
    };
    (@ $method:ident $type:ty) => {
        #[inline]
        fn $method(self, value: $type) -> Result<()> {
            ser::Serializer::$method(&mut self.0, value)
        }
    };
}

impl<'a> ser::Serializer for &'a mut Writer {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Parts<'a>;
    type SerializeTuple = Parts<'a>;
    type SerializeTupleStruct = Parts<'a>;
    type SerializeTupleVariant = Parts<'a>;
    type SerializeMap = Parts<'a>;
    type SerializeStruct = Parts<'a>;
    type SerializeStructVariant = Parts<'a>;

    by_postcard! {
        serialize_bool(bool); serialize_char(char); serialize_f32(f32); serialize_f64(f64);
        serialize_i8(i8); serialize_i16(i16); serialize_i32(i32); serialize_i64(i64); serialize_i128(i128);
        serialize_u8(u8); serialize_u16(u16); serialize_u32(u32); serialize_u64(u64); serialize_u128(u128);
        serialize_str(&str); serialize_bytes(&[u8]); serialize_unit(); serialize_none();
        serialize_unit_struct(&'static str);
    }

    #[inline]
    fn is_human_readable(&self) -> bool {
        false
    }

    fn collect_str<T: std::fmt::Display + ?Sized>(self, value: &T) -> Result<()> {
        ser::Serializer::collect_str(&mut self.0, value)
    }

    #[inline]
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<()> {
        self.0.output.try_push(1)?;
        value.serialize(self)
    }

    #[inline]
    fn serialize_unit_variant(self, _: &'static str, index: u32, _: &'static str) -> Result<()> {
        self.serialize_u32(index)
    }

    #[inline]
    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<()> {
        value.serialize(self)
    }

    #[inline]
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        index: u32,
        _: &'static str,
        value: &T,
    ) -> Result<()> {
        self.serialize_u32(index)?;
        value.serialize(self)
    }

    #[inline]
    fn serialize_seq(self, length: Option<usize>) -> Result<Parts<'a>> {
        let left = length.ok_or(Error::SerializeSeqLengthUnknown)?;
        self.serialize_u64(left as u64)?;
        Ok(Parts { writer: self, left })
    }

    #[inline]
    fn serialize_map(self, length: Option<usize>) -> Result<Parts<'a>> {
        self.serialize_seq(length)
    }

    #[inline]
    fn serialize_tuple(self, left: usize) -> Result<Parts<'a>> {
        Ok(Parts { writer: self, left })
    }

    #[inline]
    fn serialize_tuple_struct(self, _: &'static str, left: usize) -> Result<Parts<'a>> {
        Ok(Parts { writer: self, left })
    }

    #[inline]
    fn serialize_struct(self, _: &'static str, left: usize) -> Result<Parts<'a>> {
        Ok(Parts { writer: self, left })
    }

    #[inline]
    fn serialize_tuple_variant(
        self,
        _: &'static str,
        index: u32,
        _: &'static str,
        left: usize,
    ) -> Result<Parts<'a>> {
        self.serialize_u32(index)?;
        Ok(Parts { writer: self, left })
    }

    #[inline]
    fn serialize_struct_variant(
        self,
        _: &'static str,
        index: u32,
        _: &'static str,
        left: usize,
    ) -> Result<Parts<'a>> {
        self.serialize_u32(index)?;
        Ok(Parts { writer: self, left })
    }
}

/// Parts that were announced and are still to come.
struct Parts<'a> {
    writer: &'a mut Writer,
    left: usize,
}

impl Parts<'_> {
    #[inline]
    fn part<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        self.left = self.left.checked_sub(1).ok_or(Error::SerializeSeqLengthUnknown)?;
        value.serialize(&mut *self.writer)
    }

    #[inline]
    fn done(self) -> Result<()> {
        if self.left == 0 { Ok(()) } else { Err(Error::SerializeSeqLengthUnknown) }
    }
}

macro_rules! parts {
    ($($trait:ident $part:ident)*) => {
        $(
            impl ser::$trait for Parts<'_> {
                type Ok = ();
                type Error = Error;

                #[inline]
                fn $part<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
                    self.part(value)
                }

                #[inline]
                fn end(self) -> Result<()> {
                    self.done()
                }
            }
        )*
    };
}

macro_rules! fields {
    ($($trait:ident)*) => {
        $(
            impl ser::$trait for Parts<'_> {
                type Ok = ();
                type Error = Error;

                #[inline]
                fn serialize_field<T: Serialize + ?Sized>(&mut self, _: &'static str, value: &T) -> Result<()> {
                    self.part(value)
                }

                fn skip_field(&mut self, _: &'static str) -> Result<()> {
                    Err(Error::SerializeSeqLengthUnknown)
                }

                #[inline]
                fn end(self) -> Result<()> {
                    self.done()
                }
            }
        )*
    };
}

parts! {
    SerializeSeq serialize_element
    SerializeTuple serialize_element
    SerializeTupleStruct serialize_field
    SerializeTupleVariant serialize_field
}

fields! {
    SerializeStruct
    SerializeStructVariant
}

impl ser::SerializeMap for Parts<'_> {
    type Ok = ();
    type Error = Error;

    #[inline]
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<()> {
        self.part(key)
    }

    #[inline]
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        value.serialize(&mut *self.writer)
    }

    #[inline]
    fn end(self) -> Result<()> {
        self.done()
    }
}
