//! Accesses in their order: recorded, or made.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::support::{Random, Zipf, name, numbers};

pub struct Trace {
    name: String,
    keys: Vec<String>,
    sizes: Vec<usize>,
}

impl Trace {
    pub fn read(file: &Path) -> Trace {
        let bytes = fs::read(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let (ids, rest) = bytes.as_chunks();
        assert!(rest.is_empty() && !ids.is_empty(), "{} is no row of 4-byte ids", file.display());
        let ids: Vec<usize> = ids.iter().map(|id| u32::from_le_bytes(*id) as usize).collect();
        let distinct = ids.iter().collect::<BTreeSet<_>>().len();
        let sizes = [1, 5, 20].map(|percent| (distinct * percent / 100).max(SMALLEST));
        let stem = file.file_stem().unwrap_or_default();
        Trace::new(&stem.to_string_lossy(), ids, &sizes)
    }

    fn new(name_of_it: &str, ids: Vec<usize>, sizes: &[usize]) -> Trace {
        let keys = ids.into_iter().map(name).collect();
        Trace { name: name_of_it.to_owned(), keys, sizes: sizes.to_vec() }
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn keys(&self) -> &[String] {
        &self.keys
    }

    pub fn sizes(&self) -> Vec<usize> {
        numbers("--sizes").unwrap_or_else(|| self.sizes.clone())
    }
}

/// Below this, chance decides which shard is full.
const SMALLEST: usize = 16;

/// What policies are good and bad at.
pub fn made() -> Vec<Trace> {
    vec![popular(), round(), phases(), scanned()]
}

const IDS: usize = 50_000;
const ACCESSES: usize = 400_000;

/// Some ids are always more popular than others.
fn popular() -> Trace {
    let (zipf, mut random) = (Zipf::new(IDS, 0.9), Random::new(3));
    let ids = (0..ACCESSES).map(|_| zipf.draw(&mut random)).collect();
    Trace::new("zipf", ids, &[500, 2_500, 10_000])
}

/// All ids in turn, more than fit.
fn round() -> Trace {
    Trace::new("loop", (0..ACCESSES).map(|turn| turn % 10_000).collect(), &[1_000, 5_000, 9_000, 9_900])
}

/// Every so often other ids become popular.
fn phases() -> Trace {
    let (zipf, mut random) = (Zipf::new(IDS, 0.9), Random::new(4));
    let ids = (0..ACCESSES).map(|turn| turn / (ACCESSES / 8) * IDS + zipf.draw(&mut random)).collect();
    Trace::new("phases", ids, &[500, 2_500, 10_000])
}

/// Popular ids, and between them long runs of such as come once.
fn scanned() -> Trace {
    let (zipf, mut random) = (Zipf::new(IDS, 0.9), Random::new(5));
    let id = |turn: usize| if turn / 5_000 % 4 == 3 { IDS + turn } else { zipf.draw(&mut random) };
    Trace::new("zipf and scan", (0..ACCESSES).map(id).collect(), &[500, 2_500, 10_000])
}
