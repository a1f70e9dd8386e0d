//! Values of every kind that serde knows: what is written is read back, in every format.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::time::Duration;

use arbitrary::{Arbitrary, Result, Unstructured};
use lexigram_cache::fuzzing::Codec;
use lexigram_cache::{BoxError, Compression, Format, Source, Target};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

pub fn run(bytes: &[u8]) {
    let mut bytes = Unstructured::new(bytes);
    let Ok(kind) = bytes.int_in_range(0..=8) else { return };
    let survived = match kind {
        0 => survives::<u64>(&mut bytes),
        1 => survives::<i128>(&mut bytes),
        2 => survives::<Number>(&mut bytes),
        3 => survives::<String>(&mut bytes),
        4 => survives::<Vec<u8>>(&mut bytes),
        5 => survives::<Option<Choice>>(&mut bytes),
        6 => survives::<Vec<Choice>>(&mut bytes),
        _ => survives::<Everything>(&mut bytes),
    };
    let _ = survived;
}

fn survives<'a, T>(bytes: &mut Unstructured<'a>) -> Result<()>
where
    T: Arbitrary<'a> + Debug + DeserializeOwned + PartialEq + Serialize + 'static,
{
    let (value, took) = (T::arbitrary(bytes)?, Duration::from_micros(bytes.arbitrary::<u32>()?.into()));
    let eager = Compression::new().with_threshold(0);
    for format in [Format::Json, Format::Postcard, Format::custom(Text)] {
        for codec in [Codec::new(format.clone()), Codec::new(format.clone()).compressing(eager)] {
            let written = codec.encode(&value, Some(took)).expect("it can be written");
            let read = codec.decode::<T>(&written).expect("it can be read");
            assert!(read == value, "{read:?} and not {value:?} by {codec:?}");
            assert!(codec.load_time(&written).is_none_or(|read| read == took));
        }
    }
    Ok(())
}

#[derive(Arbitrary, Clone, Debug, Deserialize, PartialEq, Serialize)]
struct Number(i32);

#[derive(Arbitrary, Clone, Debug, Deserialize, PartialEq, Serialize)]
enum Choice {
    Nothing,
    One(String),
    Two(u8, i64),
    Named { perhaps: Option<u32>, wide: i128, letter: char },
    Inner(Inner),
}

#[derive(Arbitrary, Clone, Debug, Deserialize, PartialEq, Serialize)]
enum Inner {
    Unit(()),
    Numbers(BTreeMap<u32, std::result::Result<u8, String>>),
}

#[derive(Arbitrary, Clone, Debug, Deserialize, PartialEq, Serialize)]
struct Everything {
    yes: bool,
    small: i8,
    large: u128,
    text: String,
    letter: char,
    perhaps: Option<Box<Choice>>,
    list: Vec<Choice>,
    pairs: BTreeMap<String, i32>,
    letters: BTreeMap<char, Vec<u16>>,
    array: [u16; 3],
    tuple: (u8, String, Number),
    // JSON knows no others.
    #[arbitrary(with = finite)]
    double: f64,
    #[arbitrary(with = finite_single)]
    single: f32,
    time: Duration,
}

fn finite(bytes: &mut Unstructured<'_>) -> Result<f64> {
    bytes.arbitrary().map(|number: f64| if number.is_finite() { number } else { -0.0 })
}

fn finite_single(bytes: &mut Unstructured<'_>) -> Result<f32> {
    bytes.arbitrary().map(|number: f32| if number.is_finite() { number } else { -0.0 })
}

/// A format of the user's own.
struct Text;

impl lexigram_cache::Codec for Text {
    fn name(&self) -> &str {
        "text"
    }

    fn encode(&self, value: Source<'_>, out: &mut Vec<u8>) -> std::result::Result<(), BoxError> {
        // So that some begin as a frame does.
        out.push(0xC1);
        Ok(serde_json::to_writer(out, &value)?)
    }

    fn decode(&self, bytes: &[u8], target: Target<'_>) -> std::result::Result<(), BoxError> {
        let text = bytes.strip_prefix(&[0xC1]).ok_or("it is not ours")?;
        let mut text = serde_json::Deserializer::from_slice(text);
        target.fill(&mut text)?;
        Ok(text.end()?)
    }
}
