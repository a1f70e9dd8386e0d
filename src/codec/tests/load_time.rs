use std::time::Duration;

use super::*;

const TOOK: Duration = Duration::from_micros(1_234_567);

/// Every codec of this build, with what it makes of a sample that took [`TOOK`] to load.
fn loaded() -> Vec<(ValueCodec, Vec<u8>)> {
    let encoded = codecs().into_iter().map(|codec| {
        let bytes = codec.encode_loaded::<_, Vec<User>>(&sample(), Some(TOOK)).unwrap();
        (codec, bytes)
    });
    encoded.collect()
}

fn sample() -> Vec<User> {
    vec![User::sample(); 20]
}

fn is_framed(bytes: &[u8]) -> bool {
    bytes[0] == 0xC1
}

#[test]
fn the_load_time_survives_wherever_there_is_a_frame() {
    for (codec, bytes) in loaded() {
        assert_eq!(codec.decode::<Vec<User>>(&bytes).unwrap(), sample(), "{codec:?}");
        assert_eq!(codec.load_time(&bytes), is_framed(&bytes).then_some(TOOK), "{codec:?}");
    }
}

#[test]
fn what_is_no_frame_is_the_same_with_a_load_time() {
    for (codec, bytes) in loaded().into_iter().filter(|(_, bytes)| !is_framed(bytes)) {
        assert_eq!(bytes, codec.encode::<_, Vec<User>>(&sample()).unwrap(), "{codec:?}");
    }
    for codec in codecs() {
        assert_eq!(codec.encode_loaded::<i64, i64>(&-42, Some(TOOK)).unwrap(), b"-42");
        assert_eq!(codec.load_time(b"-42"), None);
    }
}

#[test]
fn a_value_without_a_load_time_has_none() {
    for codec in codecs() {
        let bytes = codec.encode::<_, Vec<User>>(&sample()).unwrap();
        assert_eq!(codec.load_time(&bytes), None, "{codec:?}");
    }
}

#[test]
fn garbage_has_no_load_time() {
    let codec = ValueCodec::default();
    for bytes in [&b""[..], b"null", b"7", &[0xC1], &[0xC1, 0x6C, 1], &[0; 64], &[0xFF; 64]] {
        assert_eq!(codec.load_time(bytes), None, "{bytes:?}");
    }
}

#[cfg(feature = "postcard")]
mod framed {
    use super::*;
    use crate::codec::frame::{self, Label};

    fn codec() -> ValueCodec {
        ValueCodec::new(Format::Postcard)
    }

    fn timed<T: DeserializeOwned + Serialize + 'static>(value: &T, took: Duration) -> Vec<u8> {
        codec().encode_loaded::<T, T>(value, Some(took)).unwrap()
    }

    #[test]
    fn a_frame_without_a_load_time_is_as_it_always_was() {
        let mut frame = frame::begin(2);
        frame.extend_from_slice(b"hi");
        let label = Label { content: 1, zlib: false, length: 2, shape: 0x0807_0605_0403_0201, took: None };
        let golden = [
            &[0xC1, 0x6C, 1, 0x7D, 0xCB, 0x1E, 0xA8, 1, 0, 2, 0, 0, 0][..],
            &[1, 2, 3, 4, 5, 6, 7, 8],
            b"hi",
        ];
        assert_eq!(frame::seal(frame, label).unwrap(), golden.concat());
    }

    #[test]
    fn the_load_time_is_four_bytes_behind_the_payload() {
        let (with, without) = (timed(&true, TOOK), codec().encode::<bool, bool>(&true).unwrap());
        assert_eq!(with[8], without[8] | 2, "its flag");
        assert_eq!(with[9..without.len()], without[9..]);
        assert_eq!(with[without.len()..], 1_234_567u32.to_le_bytes());
    }

    #[test]
    fn a_load_time_beyond_its_four_bytes_becomes_the_largest() {
        let longest = Duration::from_micros(u32::MAX.into());
        for (took, read) in [
            (Duration::ZERO, Duration::ZERO),
            (Duration::from_nanos(1999), Duration::from_micros(1)),
            (longest, longest),
            (Duration::MAX, longest),
        ] {
            assert_eq!(codec().load_time(&timed(&true, took)), Some(read), "{took:?}");
        }
    }

    #[test]
    fn a_frame_with_a_load_time_is_refused_if_a_bit_is_flipped_or_a_byte_is_missing() {
        let frame = timed(&User::sample(), TOOK);
        let cut = (0..frame.len()).map(|length| frame[..length].to_vec());
        let flipped = (0..frame.len() * 8).map(|bit| {
            let mut damaged = frame.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            damaged
        });
        for damaged in cut.chain(flipped).chain([[&frame[..], &[0]].concat()]) {
            refused::<User>(&codec(), &damaged);
            assert_eq!(codec().load_time(&damaged), None, "{damaged:?}");
        }
    }

    /// Sealed as a frame should be, and yet `flags` promise what `rest` does not hold.
    fn sealed(flags: u8, length: u32, rest: &[u8]) -> Vec<u8> {
        let mut frame =
            [&[0xC1, 0x6C, 1, 0, 0, 0, 0, 1, flags][..], &length.to_le_bytes(), &[0; 8], rest].concat();
        let checksum = crc32c::crc32c(&frame[7..]);
        frame[3..7].copy_from_slice(&checksum.to_le_bytes());
        frame
    }

    #[test]
    fn a_frame_that_promises_a_load_time_and_has_no_room_for_it_is_refused() {
        assert_eq!(codec().load_time(&sealed(2, 1, &[9, 1, 0, 0, 0])), Some(Duration::from_micros(1)));
        for rest in [&[][..], &[1], &[1, 0, 0], &[1, 0, 0, 0], &[9, 9, 1, 0, 0, 0]] {
            assert_eq!(codec().load_time(&sealed(2, 1, rest)), None, "{rest:?}");
        }
        assert_eq!(codec().load_time(&sealed(3, 1, &[1, 0, 0])), None, "compressed");
        assert_eq!(codec().load_time(&sealed(4 | 2, 1, &[9, 1, 0, 0, 0])), None, "unknown flags");
    }
}
