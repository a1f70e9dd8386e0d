//! What a user may do to a cache, and which caches it is done to.

use lexigram_cache::Eviction;

/// A cache to try the steps on.
#[derive(Clone, Debug)]
pub struct Settings {
    pub capacity: usize,
    pub max_bytes: Option<u64>,
    pub eviction: Eviction,
    /// Whether the sweeper has run when a step has moved the clock.
    pub swept: bool,
    /// How many keys are written before the first step.
    pub filled: usize,
}

#[derive(Clone, Debug)]
pub enum Step {
    Get(usize),
    GetWith(usize),
    GetArc(usize),
    Set(usize, i64, Option<u64>),
    Add(usize, i64, Option<u64>),
    Replace(usize, i64, Option<u64>),
    Take(usize),
    Delete(usize),
    Touch(usize, Option<u64>),
    Incr(usize, i64, Option<u64>),
    Update(usize, i64),
    Load(usize, i64, Option<u64>, During),
    DeletePrefix(&'static str),
    Clear,
    Advance(u64),
}

/// What happens while a loader runs.
#[derive(Clone, Copy, Debug)]
pub enum During {
    Nothing,
    Failure,
    Write(i64),
    Removal,
}

impl Settings {
    /// Twice as many as the cache may hold, and a few for the smallest.
    pub fn keys(&self) -> usize {
        2 * self.capacity + 2
    }
}

/// Keys of which some begin as others do.
pub fn name(key: usize) -> String {
    format!("{}{key}", ["a", "ab", "b"][key % 3])
}
