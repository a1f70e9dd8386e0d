//! Promises of the codec as a cache sees it, for every format that is compiled in.

#[cfg(any(feature = "json", feature = "postcard"))]
mod budget;
#[cfg(feature = "compress")]
mod compression;
#[cfg(feature = "codec")]
mod custom;
#[cfg(feature = "postcard")]
mod hostile;
#[cfg(feature = "json")]
mod json;
mod load_time;
#[cfg(feature = "postcard")]
mod postcard;
mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{Format, ValueCodec};
use crate::error::{Error, ErrorKind};

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
struct User {
    id: u64,
    name: String,
    email: Option<String>,
    roles: Vec<Role>,
    limits: BTreeMap<String, i32>,
    score: f64,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
enum Role {
    Guest,
    Member(u32),
    Admin { since: (u16, u8), rights: BTreeSet<char> },
}

impl User {
    fn sample() -> User {
        User {
            id: 7,
            name: "Ada".repeat(20),
            email: Some("ada@example.org".into()),
            roles: vec![
                Role::Guest,
                Role::Member(3),
                Role::Admin { since: (1843, 9), rights: "rwx".chars().collect() },
            ],
            limits: BTreeMap::from([("disk".into(), -1), ("cpu".into(), 8)]),
            score: 0.5,
        }
    }
}

/// Every codec that this build can make.
fn codecs() -> Vec<ValueCodec> {
    let formats: Vec<Format> = vec![
        #[cfg(feature = "json")]
        Format::Json,
        #[cfg(feature = "postcard")]
        Format::Postcard,
        #[cfg(all(feature = "codec", feature = "json"))]
        Format::custom(custom::Plain),
    ];
    let plain = formats.into_iter().map(ValueCodec::new);
    #[cfg(feature = "compress")]
    let plain = plain.flat_map(|codec| {
        let eager = super::Compression::new().with_threshold(0);
        [codec.clone(), codec.with_compression(eager)]
    });
    plain.collect()
}

fn survives<T: Clone + Debug + DeserializeOwned + PartialEq + Serialize + 'static>(value: T) {
    for codec in codecs() {
        let bytes = codec.encode::<T, T>(&value).unwrap();
        assert_eq!(codec.decode::<T>(&bytes).unwrap(), value, "{codec:?}");
    }
}

fn refused<T: DeserializeOwned + 'static>(codec: &ValueCodec, bytes: &[u8]) -> Error {
    match codec.decode::<T>(bytes) {
        Ok(_) => panic!("{codec:?} took {bytes:?} for a {}", std::any::type_name::<T>()),
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::Decode);
            error
        }
    }
}

#[test]
fn values_survive_every_format() {
    survives(User::sample());
    survives(vec![User::sample(); 100]);
    survives(String::new());
    survives("日本".to_string());
    survives("a".repeat(100_000));
    survives(Some(Some(3)));
    survives((1u8, 'x', [true, false]));
    survives(vec![(); 5000]);
    survives(BTreeMap::from([(3u8, vec![1.5f32]), (4, vec![])]));
    survives(Ok::<(), String>(()));
    survives((0..3000u32).collect::<Vec<_>>());
}

#[test]
fn an_integer_is_decimal_text_in_every_format() {
    for codec in codecs() {
        assert_eq!(codec.encode::<i64, i64>(&-42).unwrap(), b"-42");
        assert_eq!(codec.encode::<u128, u128>(&u128::MAX).unwrap(), u128::MAX.to_string().as_bytes());
        assert_eq!(codec.encode::<Id, Id>(&Id(7)).unwrap(), b"7");
        assert_eq!(codec.decode::<u8>(b"200").unwrap(), 200);
        assert_eq!(codec.decode::<i128>(b"-170141183460469231731687303715884105728").unwrap(), i128::MIN);
        assert_eq!(codec.decode::<Id>(b"7").unwrap(), Id(7));
        assert_eq!(codec.decode::<u16>(b"9  ").unwrap(), 9);
    }
    survives(u64::MAX);
    survives(i8::MIN);
    survives(Id(-1));
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
struct Id(i32);

#[test]
fn an_integer_that_does_not_fit_is_refused() {
    for codec in codecs() {
        refused::<u8>(&codec, b"256");
        refused::<u8>(&codec, b"-1");
        refused::<std::num::NonZeroU8>(&codec, b"0");
        refused::<i64>(&codec, b"9223372036854775808");
        refused::<i64>(&codec, b"");
        refused::<i64>(&codec, b"01");
        refused::<i64>(&codec, b"1.5");
        refused::<i64>(&codec, b"null");
    }
}

#[test]
fn an_unsized_value_is_read_back_as_its_owned_type() {
    for codec in codecs() {
        let bytes = codec.encode::<str, String>("text").unwrap();
        assert_eq!(codec.decode::<String>(&bytes).unwrap(), "text");
        let bytes = codec.encode::<[u32], Vec<u32>>(&[1, 2]).unwrap();
        assert_eq!(codec.decode::<Vec<u32>>(&bytes).unwrap(), [1, 2]);
    }
}

const CANARY: &str = "S3CR3T-7f2a";

fn keeps_secrets(error: &Error) {
    let mut text = format!("{error} {error:?}");
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        text += &format!("{error} {error:?}");
        source = error.source();
    }
    assert!(!text.contains(CANARY), "{text}");
}

#[derive(Debug)]
struct Loud;

impl Serialize for Loud {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom(CANARY))
    }
}

impl<'de> Deserialize<'de> for Loud {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Loud, D::Error> {
        let text = String::deserialize(deserializer)?;
        Err(serde::de::Error::custom(format!("{text} {CANARY}")))
    }
}

#[test]
fn errors_never_quote_the_value() {
    for codec in codecs() {
        let bytes = codec.encode::<str, String>(CANARY).unwrap();
        keeps_secrets(&refused::<bool>(&codec, &bytes));
        keeps_secrets(&refused::<u64>(&codec, &bytes));
        keeps_secrets(&refused::<Role>(&codec, &bytes));
        keeps_secrets(&refused::<Loud>(&codec, &bytes));
        keeps_secrets(&refused::<User>(&codec, CANARY.as_bytes()));
        let error = codec.encode::<Loud, Loud>(&Loud).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Encode);
        keeps_secrets(&error);
    }
}

#[test]
fn without_a_format_nothing_leaves_the_process() {
    let codec = ValueCodec::new(Format::None);
    assert_eq!(codec.encode::<u8, u8>(&1).unwrap_err().kind(), ErrorKind::Unsupported);
    assert_eq!(codec.decode::<u8>(b"1").unwrap_err().kind(), ErrorKind::Unsupported);
}

#[test]
fn the_default_format_is_the_most_readable_one_there_is() {
    let expected = match (cfg!(feature = "json"), cfg!(feature = "postcard")) {
        (true, _) => "json",
        (false, true) => "postcard",
        (false, false) => "none",
    };
    assert_eq!(ValueCodec::default().format().name(), expected);
}
