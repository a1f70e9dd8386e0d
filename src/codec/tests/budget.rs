//! What a value may take in memory, and that what may is read as if nobody had looked.

use std::collections::{HashMap, HashSet, VecDeque};

use super::*;
#[cfg(feature = "compress")]
use crate::codec::Compression;

fn refused_as_too_large<T: DeserializeOwned + 'static>(codec: &ValueCodec, bytes: &[u8]) {
    let error = refused::<T>(codec, bytes).to_string();
    assert!(error.contains("more than 48 MiB of memory"), "{error}");
    assert!(error.contains("Compression::with_limit"), "{error}");
}

/// A quarter of a kibibyte, of which `None` says nothing.
type Wide = [u64; 32];

#[cfg(feature = "json")]
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default)]
struct Defaults {
    wide: Wide,
    more: Option<Box<Defaults>>,
}

#[cfg(feature = "json")]
#[test]
fn json_that_becomes_much_is_refused_with_a_word_what_to_do() {
    let json = ValueCodec::new(Format::Json);
    let list =
        |element: &str, count| format!("[{}{element}]", format!("{element},").repeat(count)).into_bytes();
    refused_as_too_large::<Vec<Option<Wide>>>(&json, &list("null", 100_000));
    refused_as_too_large::<HashSet<BTreeSet<String>>>(&json, &list(r#"[""]"#, 150_000));
    refused_as_too_large::<Vec<Defaults>>(&json, &list("{}", 100_000));
    refused_as_too_large::<Vec<Box<Defaults>>>(&json, &list("{}", 200_000));
    refused_as_too_large::<VecDeque<HashMap<u8, Option<Wide>>>>(&json, &list(r#"{"1":null}"#, 20_000));
    refused_as_too_large::<Vec<serde_json::Value>>(&json, &list(r#"{"":0}"#, 100_000));
}

#[cfg(feature = "postcard")]
#[test]
fn postcard_that_becomes_much_is_refused_with_a_word_what_to_do() {
    fn refused<T: DeserializeOwned + Serialize + 'static>(value: T) {
        let postcard = ValueCodec::new(Format::Postcard);
        refused_as_too_large::<T>(&postcard, &postcard.encode::<T, T>(&value).unwrap());
    }
    refused(vec![None::<Wide>; 100_000]);
    refused(vec![BTreeMap::from([(1_u8, None::<Wide>)]); 20_000]);
    refused(vec![vec![vec![0_u64]]; 300_000]);
    refused((0..200_000).map(|n| (n, None::<Wide>)).collect::<HashMap<u32, _>>());
    refused(vec![Nested::Boxed(Box::new(Nested::End)); 400_000]);
    refused(vec![Box::new(None::<Wide>); 200_000]);
}

#[cfg(all(feature = "compress", feature = "postcard"))]
#[test]
fn whoever_lets_values_unpack_to_more_lets_them_take_more() {
    let codec = |compression| ValueCodec::new(Format::Postcard).with_compression(compression);
    let generous = codec(Compression::new().with_limit(8 << 20));
    let value = vec![7_u64; 1_500_000];
    let bytes = generous.encode::<_, Vec<u64>>(&value).unwrap();
    assert!(bytes.len() < 100_000, "it is packed");
    refused_as_too_large::<Vec<u64>>(&codec(Compression::new()), &bytes);
    refused_as_too_large::<Vec<u64>>(&codec(Compression::new().with_limit(2 << 20)), &bytes);
    assert_eq!(generous.decode::<Vec<u64>>(&bytes).unwrap(), value);
}

#[test]
fn a_large_value_that_takes_about_what_it_is_long_is_read() {
    survives("text".repeat(200_000));
    survives((0..20_000).map(|n| format!("text {n}")).collect::<Vec<_>>());
    survives((0..50_000_u32).map(|n| (format!("key {n}"), n)).collect::<HashMap<_, _>>());
    survives((0..10_000_u64).map(|n| (n, Some(n as f64))).collect::<BTreeMap<_, _>>());
    survives((0..20_000_u32).collect::<HashSet<_>>());
    survives(vec![User::sample(); 1_000]);
    survives((0..50_000).map(|n| (n % 7 == 0).then_some(n)).collect::<VecDeque<Option<i128>>>());
    // Of JSON so many numbers take seconds where nothing is optimized.
    for codec in codecs().into_iter().filter(|codec| codec.format().name() == "postcard") {
        let value = vec![200_u8; 3 << 20];
        let bytes = codec.encode::<_, Vec<u8>>(&value).unwrap();
        assert!(codec.decode::<Vec<u8>>(&bytes).unwrap() == value, "{codec:?}");
    }
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
enum Nested {
    End,
    Boxed(Box<Nested>),
    Pair(Box<Nested>, Option<Vec<Nested>>),
    Named { inner: HashMap<u8, Nested> },
}

#[test]
fn a_deeply_nested_value_is_read() {
    let mut value = Nested::End;
    for level in 0..14_u8 {
        value = match level % 3 {
            0 => Nested::Boxed(Box::new(value)),
            1 => Nested::Pair(Box::new(value.clone()), Some(vec![value, Nested::End])),
            _ => Nested::Named { inner: HashMap::from([(level, value)]) },
        };
    }
    survives(vec![value; 100]);
}

#[cfg(feature = "json")]
mod in_json {
    use std::borrow::Cow;

    use super::*;
    use crate::codec::budget::Budget;
    use crate::codec::counted;

    fn counted<'a, T: Deserialize<'a>>(text: &'a str) -> serde_json::Result<T> {
        counted::read(&mut serde_json::Deserializer::from_str(text), &Budget::new(text.len(), 0))
    }

    /// Read alike, and refused in the same words.
    fn alike<'a, T: Debug + Deserialize<'a> + PartialEq>(text: &'a str) -> T {
        let plain = serde_json::from_str::<T>(text);
        let counted = counted::<T>(text);
        match (plain, counted) {
            (Ok(plain), Ok(counted)) => {
                assert_eq!(plain, counted, "{text}");
                counted
            }
            (plain, counted) => panic!("{text}: {plain:?} and {counted:?}"),
        }
    }

    fn refused_alike<'a, T: Debug + Deserialize<'a>>(text: &'a str) {
        let plain = serde_json::from_str::<T>(text).unwrap_err().to_string();
        assert_eq!(counted::<T>(text).unwrap_err().to_string(), plain, "{text}");
    }

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(untagged)]
    enum Untagged<'a> {
        Nothing,
        Number(i64),
        Text(&'a str),
        Many(Vec<Untagged<'a>>),
        Named { inner: Option<Box<Untagged<'a>>> },
    }

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(tag = "type")]
    enum Tagged {
        Unit,
        Newtype(BTreeMap<String, u64>),
        Named { text: String, perhaps: Option<i32> },
    }

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(tag = "t", content = "c")]
    enum Adjacent {
        Unit,
        Pair(u8, String),
    }

    #[derive(Debug, Deserialize, PartialEq)]
    struct Flat<'a> {
        #[serde(borrow)]
        name: &'a str,
        #[serde(flatten)]
        tagged: Tagged,
        #[serde(flatten)]
        rest: HashMap<String, serde_json::Value>,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    struct Unit;

    #[derive(Debug, Deserialize, PartialEq)]
    struct Newtype<T>(T);

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Strict {
        a: u8,
        #[serde(default)]
        b: (i128, u128, char),
    }

    #[test]
    fn values_of_every_kind_are_read_as_without_a_budget() {
        alike::<Untagged<'_>>(r#"[null, -1, "a", {"inner": {"inner": [2]}}]"#);
        alike::<Vec<Tagged>>(
            r#"[{"type": "Unit"}, {"type": "Newtype", "a": 1}, {"perhaps": null, "text": "a\n", "type": "Named"}]"#,
        );
        alike::<Vec<Adjacent>>(r#"[{"t": "Unit"}, {"c": [1, "b"], "t": "Pair"}]"#);
        alike::<Flat<'_>>(r#"{"x": [1, {}], "type": "Named", "name": "n", "text": "t", "y": 1.5}"#);
        alike::<Vec<Nested>>(
            r#"["End", {"Boxed": "End"}, {"Pair": ["End", null]}, {"Named": {"inner": {"3": "End"}}}]"#,
        );
        alike::<(Unit, Newtype<Option<Newtype<u8>>>, ())>("[null, 7, null]");
        alike::<Strict>(
            r#"{"a": 1, "b": [-170141183460469231731687303715884105728, 340282366920938463463374607431768211455, "ß"]}"#,
        );
        alike::<BTreeMap<i64, Result<bool, String>>>(r#"{"-1": {"Ok": true}, "2": {"Err": ""}}"#);
        alike::<(Cow<'_, str>, Box<str>, Box<[u8]>, Vec<Box<Wide>>)>(r#"["a", "b\u00e9", [1, 2], []]"#);
        alike::<serde_json::Value>(r#"{"a": [1, -1, 1e300, 18446744073709551615, null, {"b": {}}], "": ""}"#);
        alike::<std::time::Duration>(r#"{"secs": 1, "nanos": 2}"#);
        alike::<std::net::IpAddr>(r#""::1""#);
    }

    #[test]
    fn text_without_escapes_is_borrowed() {
        let text = r#"[{"inner": null}, "borrowed"]"#.to_owned();
        let Untagged::Many(values) = alike(&text) else { panic!("they are many") };
        assert!(matches!(values[1], Untagged::Text(text) if text == "borrowed"));
        assert_eq!(alike::<&str>(r#""borrowed""#), "borrowed");
        refused_alike::<&str>(r#""not \n borrowed""#);
    }

    #[test]
    fn what_is_wrong_is_refused_in_the_same_words_at_the_same_place() {
        refused_alike::<Strict>(r#"{"a": 1, "c": 2}"#);
        refused_alike::<Strict>(r#"{"a": 1, "a": 2}"#);
        refused_alike::<Strict>(r#"{"b": [1, 2, "c"]}"#);
        refused_alike::<Strict>("[1, [1, 2]]");
        refused_alike::<Vec<Nested>>(r#"["End", "Other"]"#);
        refused_alike::<Vec<Untagged<'_>>>("[1, 2.5]");
        refused_alike::<(u8, u8)>("[1, 2, 3]");
        refused_alike::<[u8; 3]>("[1, 2]");
        refused_alike::<HashMap<u8, ()>>(r#"{"a": null}"#);
        refused_alike::<Vec<u8>>("[1, 2,\n 256]");
        refused_alike::<Vec<Vec<u8>>>(&"[".repeat(1000));
    }

    #[cfg(feature = "cli")]
    #[test]
    fn raw_json_stays_raw() {
        use serde_json::value::RawValue;

        let raw = counted::<Vec<Box<RawValue>>>(r#"[{"a" :  1}, null]"#).unwrap();
        assert_eq!(raw.iter().map(|raw| raw.get()).collect::<Vec<_>>(), [r#"{"a" :  1}"#, "null"]);
        assert_eq!(counted::<&RawValue>(" [1 ] ").unwrap().get(), "[1 ]");
    }
}
