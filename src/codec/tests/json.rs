use super::*;

#[test]
fn json_is_exactly_the_text() {
    let codec = ValueCodec::new(Format::Json);
    assert_eq!(codec.encode::<_, Role>(&Role::Member(3)).unwrap(), br#"{"Member":3}"#);
    assert_eq!(codec.encode::<str, String>("a\"b").unwrap(), br#""a\"b""#);
    assert_eq!(codec.decode::<Vec<u8>>(b" [1, 2] ").unwrap(), [1, 2]);
}

#[test]
fn json_is_read_to_its_end_and_no_deeper_than_it_should() {
    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "never made")]
    struct Nested(Vec<Nested>);

    let codec = ValueCodec::new(Format::Json);
    refused::<Vec<u8>>(&codec, b"[1] [2]");
    refused::<Vec<u8>>(&codec, b"[1,");
    refused::<Nested>(&codec, "[".repeat(100_000).as_bytes());
}

#[test]
fn an_error_says_where_the_json_went_wrong() {
    let codec = ValueCodec::new(Format::Json);
    let error = refused::<Vec<u8>>(&codec, b"[1,\n\"x\"]");
    assert_eq!(
        error.to_string(),
        "cannot read 8 bytes of json as alloc::vec::Vec<u8>: JSON of another shape, line 2 column 3"
    );
}

#[test]
fn a_map_with_odd_keys_cannot_be_written() {
    let odd = BTreeMap::from([((1, 2), 3)]);
    let error = ValueCodec::new(Format::Json).encode::<_, BTreeMap<(u8, u8), u8>>(&odd).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Encode);
}

#[test]
#[cfg_attr(miri, ignore = "thousands of rounds")]
fn a_double_comes_back_to_the_last_bit() {
    let mut bits = 0x1234_5678_9ABC_DEF1_u64;
    for _ in 0..10_000 {
        bits = bits.wrapping_mul(0x5851_F42D_4C95_7F2D).wrapping_add(1);
        let (double, single) = (f64::from_bits(bits), f32::from_bits((bits >> 32) as u32));
        if double.is_finite() && single.is_finite() {
            survives((double, single));
        }
    }
}
