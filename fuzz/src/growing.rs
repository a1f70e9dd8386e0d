//! Types that take much more room in memory than in bytes.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};

use serde::{Deserialize, Serialize};

use super::shapes::{Reading, Tree};

/// 256 bytes, as one byte where it is left out.
pub type Wide = [u64; 32];

/// Takes no more than `{}`.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default)]
pub struct Defaults {
    pub wide: Wide,
    pub texts: [String; 8],
    pub more: Option<Box<Defaults>>,
}

/// Is read into a tree before it is known which it is.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Either {
    Text(String),
    Many(Vec<Option<u64>>),
}

/// Keeps what it does not know.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Open {
    pub id: Option<u8>,
    #[serde(flatten)]
    pub rest: HashMap<String, serde_json::Value>,
}

/// Reads as the growing type of this number; every number has one.
pub fn read_as_growing(number: u8, reading: &impl Reading) {
    match number % GROWING {
        0 => reading.of(&Vec::<String>::new()),
        1 => reading.of(&Vec::<Vec<u8>>::new()),
        2 => reading.of(&Vec::<Vec<Vec<u64>>>::new()),
        3 => reading.of(&Vec::<Option<u128>>::new()),
        4 => reading.of(&Vec::<Option<Wide>>::new()),
        5 => reading.of(&Vec::<Option<Box<Wide>>>::new()),
        6 => reading.of(&Vec::<Defaults>::new()),
        7 => reading.of(&Vec::<Box<Defaults>>::new()),
        8 => reading.of(&VecDeque::<BTreeMap<u8, Option<Wide>>>::new()),
        9 => reading.of(&HashMap::<u32, Option<Wide>>::new()),
        10 => reading.of(&HashMap::<String, HashMap<u16, Vec<u64>>>::new()),
        11 => reading.of(&BTreeMap::<u64, BTreeSet<u64>>::new()),
        12 => reading.of(&HashSet::<u32>::new()),
        13 => reading.of(&Vec::<HashSet<u16>>::new()),
        14 => reading.of(&Vec::<(u8, Option<Tree>, [Vec<u8>; 4])>::new()),
        15 => reading.of(&Vec::<Either>::new()),
        16 => reading.of(&Either::Text(String::new())),
        17 => reading.of(&Open::default()),
        18 => reading.of(&serde_json::Value::Null),
        _ => reading.of(&Vec::<u64>::new()),
    }
}

/// How many there are.
pub const GROWING: u8 = 20;
