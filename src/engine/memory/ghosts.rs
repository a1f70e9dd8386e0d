//! What a shard remembers of entries it has given up: enough to know one that comes back, and how soon it does.

use super::slab::spread;
use super::slot::Queue;

/// An entry that came back.
pub(super) struct Ghost {
    pub(super) queue: Queue,
    /// How many entries the same queue has given up since.
    pub(super) age: u32,
}

/// Fingerprints in buckets of eight, six bytes an entry. A stranger is taken for one of 65,535 fingerprints' owner now
/// and then, which costs the policy a wrong guess and nothing else.
#[derive(Default)]
pub(super) struct Ghosts {
    /// One bit for the queue, 15 for the time, 16 for the key; zero is empty.
    slots: Box<[u32]>,
    /// Entries given up so far, by queue: the time of the stamps.
    given_up: [u32; 2],
    /// Older ones are forgotten.
    horizon: u32,
    /// As a power of two: how many steps of the time a stamp takes for one.
    grain: u32,
}

const WAYS: usize = 8;
const STAMPS: u32 = 1 << 15;

impl Ghosts {
    /// Remembers an entry of a shard that holds so many.
    pub(super) fn push(&mut self, part: u32, queue: Queue, held: usize) {
        let hash = spread(part);
        // Made when first needed, and made larger when the shard has grown far beyond it.
        if self.slots.len() < held {
            self.resize(held);
        }
        self.given_up[queue as usize] = self.given_up[queue as usize].wrapping_add(1);
        let stamp = (self.given_up[queue as usize] >> self.grain) % STAMPS;
        let times = self.times();
        let bucket = self.bucket(hash);
        let slots = &mut self.slots[bucket];
        // Which way it is goes with its age, so that the oldest is found without a jump.
        let aged = |(way, slot): (usize, &u32)| {
            let age = if *slot == 0 { STAMPS } else { steps_since(times, *slot) };
            age * WAYS as u32 + way as u32
        };
        let oldest = slots.iter().enumerate().map(aged).max().unwrap_or(0) as usize % WAYS;
        slots[oldest] = (queue as u32) << 31 | stamp << 16 | fingerprint(hash);
    }

    /// Forgets an entry that is there, and tells what was known of it.
    pub(super) fn take(&mut self, part: u32) -> Option<Ghost> {
        let hash = spread(part);
        if self.slots.is_empty() {
            return None;
        }
        let (bucket, fingerprint) = (self.bucket(hash), fingerprint(hash));
        let first = bucket.start;
        let is_meant = |slot: &u32| *slot & 0xFFFF == fingerprint && self.age(*slot) < self.horizon;
        let at = self.slots[bucket].iter().position(is_meant)?;
        let slot = std::mem::take(&mut self.slots[first + at]);
        let queue = if slot >> 31 == 0 { Queue::Young } else { Queue::Main };
        Some(Ghost { queue, age: self.age(slot) })
    }

    #[cold]
    fn resize(&mut self, held: usize) {
        let slots = (held + held / 2).next_multiple_of(WAYS);
        *self = Ghosts {
            slots: vec![0; slots].into(),
            given_up: [0; 2],
            horizon: u32::try_from(held).unwrap_or(u32::MAX),
            // So that a stamp comes round only after eight horizons.
            grain: (held / (STAMPS as usize / 8)).checked_ilog2().map_or(0, |log| log + 1),
        };
    }

    fn bucket(&self, hash: u64) -> std::ops::Range<usize> {
        let buckets = (self.slots.len() / WAYS) as u64;
        let start = (((hash >> 16 & 0xFFFF_FFFF) * buckets) >> 32) as usize * WAYS;
        start..start + WAYS
    }

    fn age(&self, slot: u32) -> u32 {
        steps_since(self.times(), slot) << self.grain
    }

    /// What stands for now in each queue's stamps.
    fn times(&self) -> [u32; 2] {
        self.given_up.map(|given_up| given_up >> self.grain)
    }
}

fn steps_since(times: [u32; 2], slot: u32) -> u32 {
    let now = if slot >> 31 == 0 { times[0] } else { times[1] };
    now.wrapping_sub(slot >> 16) % STAMPS
}

/// Never zero, so that no slot in use looks empty.
fn fingerprint(hash: u64) -> u32 {
    u32::from((hash >> 48) as u16).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_given_up_lately_is_known_once_with_its_age() {
        let mut ghosts = Ghosts::default();
        let hash = |n: u32| spread(n) as u32 ^ 0x5bd1_e995;
        assert!(ghosts.take(hash(0)).is_none());
        for n in 0..200 {
            ghosts.push(hash(n), if n % 2 == 0 { Queue::Young } else { Queue::Main }, 100);
        }
        let ghost = ghosts.take(hash(190)).unwrap();
        assert_eq!((ghost.queue, ghost.age), (Queue::Young, 4));
        assert!(ghosts.take(hash(190)).is_none());
        let known = (150..200).filter(|n| ghosts.take(hash(*n)).is_some()).count();
        assert!(known >= 45, "{known}");
    }

    #[test]
    fn what_was_given_up_long_ago_is_forgotten() {
        let (mut ghosts, mut known) = (Ghosts::default(), 0);
        for held in [1, 10, 1_000, 100_000] {
            let hash = |n: usize| (spread((held + n) as u32) >> 32) as u32;
            (0..10 * held).for_each(|n| ghosts.push(hash(n), Queue::Main, held));
            known += (0..8 * held).filter(|n| ghosts.take(hash(*n)).is_some()).count();
        }
        assert!(known < 100, "{known} strangers were taken for somebody");
    }
}
