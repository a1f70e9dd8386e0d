//! Types to read bytes as, and what is to hold whichever it is.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt::Debug;

use lexigram_cache::fuzzing::Codec;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// A type that nests as deep as it is told to.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub enum Tree {
    Leaf,
    Boxed(Box<Tree>),
    Many(Vec<Tree>),
    Pair { left: Option<Box<Tree>>, right: Box<Tree> },
}

/// A record as programs have them.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct User {
    pub id: u64,
    pub name: String,
    pub email: Option<String>,
    pub letters: BTreeSet<char>,
    pub limits: BTreeMap<String, i32>,
    pub score: f64,
    pub since: (u16, i8),
    pub active: bool,
}

/// Takes no byte in postcard.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Unit;

/// An integer in a newtype.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Id(pub i32);

impl User {
    fn sample() -> User {
        let (email, letters, limits) = <_>::default();
        User { id: 0, name: String::new(), email, letters, limits, score: 0.0, since: (0, 0), active: false }
    }
}

/// What is to be done with bytes and a type to read them as.
pub trait Reading {
    fn of<T: Clone + Debug + DeserializeOwned + PartialEq + Serialize + 'static>(&self, sample: &T);
}

/// Reads as the type of this number; every number has one.
pub fn read_as(number: u8, reading: &impl Reading) {
    match number % TYPES {
        0 => reading.of(&Tree::Leaf),
        1 => reading.of(&User::sample()),
        2 => reading.of(&String::new()),
        3 => reading.of(&Vec::<()>::new()),
        4 => reading.of(&HashMap::<String, Vec<u64>>::new()),
        5 => reading.of(&HashSet::<Unit>::new()),
        6 => reading.of(&Vec::<Vec<Unit>>::new()),
        7 => reading.of(&Some(true)),
        8 => reading.of(&0_u8),
        9 => reading.of(&0_i64),
        10 => reading.of(&0_u128),
        11 => reading.of(&Id(0)),
        12 => reading.of(&'a'),
        13 => reading.of(&(0_f32, 0_f64)),
        14 => reading.of(&Vec::<User>::new()),
        15 => reading.of(&BTreeMap::<u16, Option<String>>::new()),
        16 => reading.of(&Ok::<u8, String>(0)),
        17 => reading.of(&Vec::<Option<u64>>::new()),
        18 => reading.of(&()),
        _ => reading.of(&[0_u32; 4]),
    }
}

/// How many types there are.
pub const TYPES: u8 = 20;

/// What was read has to survive being written and read again, however it had been spelled.
pub fn assert_survives<T: Debug + DeserializeOwned + PartialEq + Serialize + 'static>(
    codec: &Codec,
    value: &T,
) {
    let written = codec.encode(value, None).expect("what was read can be written");
    let again = codec.decode::<T>(&written).expect("what was written can be read");
    // Or by its bytes: a NaN is not equal to itself.
    assert!(again == *value || codec.encode(&again, None).is_ok_and(|bytes| bytes == written), "{value:?}");
}
