//! Chance: splitmix64, seeded by the system unless a seed is given.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::time::Duration;

pub struct Random(u64);

impl Default for Random {
    fn default() -> Random {
        Random(RandomState::new().build_hasher().finish())
    }
}

impl Random {
    /// The same numbers for the same seed.
    pub fn seeded(seed: u64) -> Random {
        Random(seed)
    }

    pub fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    /// How long a load takes: often no time at all, mostly some microseconds, now and then some milliseconds.
    pub fn pause(&mut self) -> Duration {
        match self.below(10) {
            0..4 => Duration::ZERO,
            4..9 => Duration::from_micros(self.below(300) as u64),
            _ => Duration::from_micros(self.below(3_000) as u64),
        }
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}
