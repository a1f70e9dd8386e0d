//! zlib that nobody vouches for: `type`, `how`, then a stream with the length it claims, or a text to be packed here.

use std::fmt::Debug;

use lexigram_cache::fuzzing::Codec;
use lexigram_cache::{Compression, Format, Result};
use miniz_oxide::deflate::compress_to_vec_zlib;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::frames::{ZLIB, sealed, sealed_json};
use super::shapes::{Reading, read_as};

pub fn run(bytes: &[u8]) {
    let [number, how, payload @ ..] = bytes else { return };
    match how % 4 {
        0 => read_as(*number, &claimed(payload)),
        1 => read_as(*number, &packed(payload, payload.len())),
        2 => read_as(
            *number,
            &packed(payload, payload.len().wrapping_add_signed(isize::from(how.cast_signed()))),
        ),
        _ => whatever_is_packed_is_unpacked(*number, payload),
    }
}

/// A zlib stream, how long it claims to be unpacked, and what it truly holds, if that is known and as long.
struct Stream<'a> {
    bytes: Vec<u8>,
    length: u32,
    plain: Option<&'a [u8]>,
}

fn claimed(payload: &[u8]) -> Stream<'_> {
    let (length, bytes) = payload.split_first_chunk().unwrap_or((&[0; 4], payload));
    Stream { bytes: bytes.to_vec(), length: u32::from_le_bytes(*length) % MOST, plain: None }
}

fn packed(plain: &[u8], length: usize) -> Stream<'_> {
    let is_true = length == plain.len();
    Stream { bytes: compress_to_vec_zlib(plain, 6), length: length as u32, plain: is_true.then_some(plain) }
}

/// More only takes longer to find out.
const MOST: u32 = 1 << 20;

impl Reading for Stream<'_> {
    fn of<T: Clone + Debug + DeserializeOwned + PartialEq + Serialize + 'static>(&self, sample: &T) {
        let (json, postcard) = (Codec::new(Format::Json), Codec::new(Format::Postcard));
        let from_json = json.decode::<T>(&sealed_json(self.length, &self.bytes));
        let is_framed = postcard.encode(sample, None).is_ok_and(|bytes| bytes.first() == Some(&0xC1));
        let from_postcard = postcard.decode::<T>(&sealed(sample, ZLIB, self.length, &self.bytes));
        let Some(plain) = self.plain else { return };
        // What is no frame already is the text itself.
        if plain.first() != Some(&0xC1) {
            assert_alike(&json, from_json, json.decode::<T>(plain));
        }
        if is_framed {
            let unpacked = postcard.decode::<T>(&sealed(sample, 0, self.length, plain));
            assert_alike(&postcard, from_postcard, unpacked);
        }
    }
}

fn assert_alike<T: Debug + DeserializeOwned + PartialEq + Serialize + 'static>(
    codec: &Codec,
    packed: Result<T>,
    plain: Result<T>,
) {
    match (packed, plain) {
        (Ok(packed), Ok(plain)) if packed != plain => {
            assert_eq!(codec.encode(&packed, None).ok(), codec.encode(&plain, None).ok());
        }
        (packed, plain) => assert_eq!(packed.is_ok(), plain.is_ok()),
    }
}

fn whatever_is_packed_is_unpacked(level: u8, payload: &[u8]) {
    let compression = Compression::new().with_level(level % 10).with_threshold(0);
    let value = payload.repeat(usize::from(level / 10) + 1);
    for format in [Format::Json, Format::Postcard] {
        let codec = Codec::new(format).compressing(compression);
        let bytes = codec.encode(&value, None).expect("bytes can be written");
        assert!(codec.decode::<Vec<u8>>(&bytes).is_ok_and(|read| read == value));
    }
}
