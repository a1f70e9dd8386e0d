//! Frames that are sealed correctly around payloads that nobody should have written.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use super::*;
use crate::codec::frame::{self, Label};
use crate::codec::shape::Shape;

#[derive(Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
enum Tree {
    Leaf,
    Boxed(Box<Tree>),
    Many(Vec<Tree>),
    Pair { left: Option<Box<Tree>>, right: Box<Tree> },
}

#[derive(Debug, Deserialize, Eq, Hash, PartialEq)]
struct Unit;

fn codec() -> ValueCodec {
    ValueCodec::new(Format::Postcard)
}

fn sealed<T: DeserializeOwned + 'static>(payload: &[u8]) -> Vec<u8> {
    let mut frame = frame::begin(payload.len());
    frame.extend_from_slice(payload);
    let shape = Shape::of::<T>().fingerprint;
    frame::seal(frame, Label { content: 1, zlib: false, length: payload.len(), shape, took: None }).unwrap()
}

fn hostile<T: DeserializeOwned + 'static>(payload: &[u8]) {
    let start = Instant::now();
    refused::<T>(&codec(), &sealed::<T>(payload));
    assert!(start.elapsed() < Duration::from_secs(1));
}

/// A length of 2^34 in five bytes.
const HUGE: [u8; 5] = [0x80, 0x80, 0x80, 0x80, 0x40];

#[test]
fn a_recursive_value_cannot_overflow_the_stack() {
    hostile::<Tree>(&[1; 100_000]);
    hostile::<Tree>(&[2, 1].repeat(100_000));
    hostile::<Tree>(&[3, 1].repeat(100_000));
    hostile::<Tree>(&[3, 0].repeat(100_000));
}

#[test]
fn a_large_recursive_value_cannot_overflow_the_stack() {
    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "never made")]
    struct Wide {
        names: [String; 16],
        numbers: [u64; 32],
        more: Option<Box<Wide>>,
        most: Result<Vec<Wide>, Box<Wide>>,
    }
    // Sixteen empty texts and thirty-two zeros, then one more of the same kind.
    hostile::<Wide>(&[&[0; 48][..], &[1]].concat().repeat(1000));
    hostile::<Wide>(&[&[0; 49][..], &[1]].concat().repeat(1000));
}

#[test]
fn a_type_without_any_value_cannot_overflow_the_stack() {
    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "never made")]
    struct Endless(Box<Endless>);
    hostile::<Endless>(&[]);
}

#[test]
fn a_few_bytes_cannot_ask_for_billions_of_nothings() {
    hostile::<Vec<()>>(&HUGE);
    hostile::<Vec<Unit>>(&HUGE);
    hostile::<HashSet<Unit>>(&HUGE);
    hostile::<HashMap<Unit, ()>>(&HUGE);
    hostile::<Vec<Vec<Unit>>>(&[&[200, 1][..], &[0xFF, 0x7F].repeat(200)].concat());
    hostile::<Vec<u64>>(&HUGE);
    hostile::<String>(&HUGE);
    hostile::<Vec<String>>(&[&HUGE[..], &[0; 1000]].concat());
}

/// `81 00` is one, in a byte more than need be.
#[test]
fn a_longer_spelling_makes_no_room_for_more_nothings() {
    hostile::<Vec<Vec<Unit>>>(&[0x81, 0x00, 0x84, 0x80, 0x01]);
    hostile::<Vec<Vec<Unit>>>(&[&[0x81, 0x00, 0x84, 0x80][..], &[0x81, 0x00]].concat());
    hostile::<HashMap<Unit, u8>>(&[&[0x81, 0x80, 0x01][..], &[0; 1 << 14], &[0x80, 0x00]].concat());
}

#[test]
fn nothings_that_take_a_byte_are_no_fewer_than_others() {
    #[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
    enum One {
        Variant,
    }
    assert_eq!(size_of::<One>(), 0);
    survives(vec![One::Variant; 50_000]);
    survives(vec![(One::Variant, ()); 50_000]);
}

#[test]
fn a_scalar_out_of_range_is_refused() {
    hostile::<bool>(&[2]);
    hostile::<Option<bool>>(&[2]);
    hostile::<char>(&[1, 0xFF]);
    hostile::<String>(&[2, 0xC3, 0x28]);
    hostile::<Role>(&[9]);
    hostile::<(u64,)>(&[0xFF; 11]);
    hostile::<()>(&[0]);
}

/// xorshift64*: the same mutations in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % below.max(1)
    }

    fn mutate(&mut self, bytes: &mut Vec<u8>) {
        match self.roll(5) {
            0 => bytes.truncate(self.roll(bytes.len())),
            1 => bytes.extend((0..self.roll(8)).map(|byte| byte as u8)),
            2 => *bytes = (0..self.roll(64)).map(|_| self.roll(256) as u8).collect(),
            _ => {
                for _ in 0..=self.roll(4) {
                    let at = self.roll(bytes.len());
                    if let Some(byte) = bytes.get_mut(at) {
                        *byte = self.roll(256) as u8;
                    }
                }
            }
        }
    }
}

#[test]
fn no_bytes_make_it_panic() {
    let tree = Tree::Many(vec![
        Tree::Leaf,
        Tree::Boxed(Box::new(Tree::Leaf)),
        Tree::Pair { left: None, right: Box::new(Tree::Many(vec![])) },
    ]);
    let words = HashMap::from([("a".to_string(), vec![1u64, 300]), ("b".to_string(), vec![])]);
    let start = Instant::now();
    let mut dice = Dice(0x1234_5678_9ABC_DEF1);
    for codec in codecs() {
        for _ in 0..600 {
            let text = "some text, some text, some text";
            mutated::<Tree, _>(&codec, &mut dice, &tree);
            mutated::<Vec<()>, _>(&codec, &mut dice, &vec![(); 300]);
            mutated::<HashMap<String, Vec<u64>>, _>(&codec, &mut dice, &words);
            mutated::<String, _>(&codec, &mut dice, text);
            mutated::<u8, _>(&codec, &mut dice, &7u8);
            mutated::<User, _>(&codec, &mut dice, &User::sample());
        }
    }
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
}

/// Once from the outside, and once inside a frame that is sealed again.
fn mutated<O: DeserializeOwned + 'static, T: Serialize + ?Sized>(
    codec: &ValueCodec,
    dice: &mut Dice,
    value: &T,
) {
    let mut bytes = codec.encode::<T, O>(value).unwrap();
    let mut payload = frame::payload(&bytes).to_vec();
    dice.mutate(&mut bytes);
    let _ = codec.decode::<O>(&bytes);
    dice.mutate(&mut payload);
    let _ = codec.decode::<O>(&sealed::<O>(&payload));
}
