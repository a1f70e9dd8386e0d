use super::*;
use crate::codec::Compression;

fn text() -> String {
    "the same again, ".repeat(500)
}

/// As good as random, and the same each time.
#[cfg(feature = "postcard")]
fn noise(length: usize) -> Vec<u8> {
    let mut state = 88_172_645_463_325_252u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 20) as u8
    };
    (0..length).map(|_| next()).collect()
}

#[test]
fn compressed_values_are_smaller_and_readable_by_a_client_that_compresses_nothing() {
    for plain in codecs().into_iter().filter(|codec| !codec.zip.packs()) {
        let packing = plain.clone().with_compression(Compression::new());
        let bytes = packing.encode::<str, String>(&text()).unwrap();
        assert!(bytes.len() * 10 < text().len());
        assert_eq!(bytes[0], 0xC1);
        assert_eq!(plain.decode::<String>(&bytes).unwrap(), text());
        assert_eq!(packing.decode::<String>(&plain.encode::<str, String>(&text()).unwrap()).unwrap(), text());
    }
}

#[test]
fn what_is_small_is_stored_as_without_compression() {
    for plain in codecs().into_iter().filter(|codec| !codec.zip.packs()) {
        let packing = plain.clone().with_compression(Compression::new());
        let small = &text()[..900];
        assert_eq!(
            packing.encode::<str, String>(small).unwrap(),
            plain.encode::<str, String>(small).unwrap()
        );
    }
}

#[cfg(feature = "postcard")]
#[test]
fn what_does_not_shrink_is_stored_as_without_compression() {
    let plain = ValueCodec::new(Format::Postcard);
    let packing = plain.clone().with_compression(Compression::new());
    for noise in [noise(2000), noise(1 << 20)] {
        let bytes = packing.encode::<_, Vec<u8>>(&noise).unwrap();
        assert_eq!(bytes, plain.encode::<_, Vec<u8>>(&noise).unwrap());
    }
}

#[test]
fn a_flipped_bit_of_a_compressed_frame_is_refused() {
    for codec in codecs() {
        // Bytes that are no frame any more are a custom codec's to refuse.
        let codec = codec.with_compression(Compression::new());
        let bytes = codec.encode::<_, Vec<User>>(&vec![User::sample(); 20]).unwrap();
        for bit in 0..bytes.len() * 8 {
            let mut damaged = bytes.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            refused::<Vec<User>>(&codec, &damaged);
        }
    }
}

#[test]
fn a_value_over_the_limit_is_refused() {
    for codec in codecs() {
        let bytes =
            codec.clone().with_compression(Compression::new()).encode::<str, String>(&text()).unwrap();
        let careful = codec.with_compression(Compression::new().with_limit(4000));
        refused::<String>(&careful, &bytes);
        let stored = careful.encode::<str, String>(&text()).unwrap();
        assert_eq!(careful.decode::<String>(&stored).unwrap(), text(), "what is written can be read");
    }
}

#[test]
fn a_frame_of_another_format_is_refused() {
    let packing = codecs().into_iter().map(|codec| codec.with_compression(Compression::new()));
    let frames: Vec<_> = packing
        .map(|codec| {
            let bytes = codec.encode::<str, String>(&text()).unwrap();
            (codec, bytes)
        })
        .collect();
    for (reader, _) in &frames {
        for (writer, bytes) in &frames {
            if reader.format().name() != writer.format().name() {
                refused::<String>(reader, bytes);
            }
        }
    }
}
