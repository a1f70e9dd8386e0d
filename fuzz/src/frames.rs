//! Frames as the codec reads them, around payloads that it would never have written.

use std::fmt::Debug;

use lexigram_cache::Format;
use lexigram_cache::fuzzing::Codec;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A sealed frame for values of the sample's type, or the bare payload where those are never framed.
pub fn sealed<T: Debug + DeserializeOwned + Serialize + 'static>(
    sample: &T,
    flags: u8,
    length: u32,
    payload: &[u8],
) -> Vec<u8> {
    let Ok(mut frame) = Codec::new(Format::Postcard).encode(sample, None) else { return payload.to_vec() };
    if frame.first() != Some(&0xC1) {
        return payload.to_vec();
    }
    frame.truncate(HEADER);
    frame.extend_from_slice(payload);
    frame[8] = flags;
    frame[9..13].copy_from_slice(&length.to_le_bytes());
    reseal(frame)
}

/// The same for JSON, which is framed where it is packed.
pub fn sealed_json(length: u32, packed: &[u8]) -> Vec<u8> {
    let frame = [&[0xC1, 0x6C, 1, 0, 0, 0, 0, 2, ZLIB][..], &length.to_le_bytes(), &[0; 8], packed].concat();
    reseal(frame)
}

/// The payload is a zlib stream.
pub const ZLIB: u8 = 1;
/// A load time follows the payload.
pub const TIMED: u8 = 2;

const HEADER: usize = 21;

fn reseal(mut frame: Vec<u8>) -> Vec<u8> {
    let checksum = crc32c::crc32c(&frame[7..]);
    frame[3..7].copy_from_slice(&checksum.to_le_bytes());
    frame
}
