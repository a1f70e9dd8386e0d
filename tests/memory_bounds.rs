//! `max_entries` to the entry: however keys spread over the shards, and from however many threads they come.
#![cfg(feature = "async")]

mod support;

use std::collections::HashSet;
use std::hash::{BuildHasher, DefaultHasher, Hasher};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use lexigram_cache::{Cache, Memory, Ttl};
use support::{World, call, worlds};

const BOUNDS: [usize; 5] = [1, 2, 100, 257, 10_000];
const THREADS: usize = 8;

/// Hashes by the standard library, but lets the key's first letter alone pick the shard.
struct ByLetter;

struct Letter(DefaultHasher, Option<u8>);

impl BuildHasher for ByLetter {
    type Hasher = Letter;

    fn build_hasher(&self) -> Letter {
        Letter(DefaultHasher::new(), None)
    }
}

impl Hasher for Letter {
    fn write(&mut self, bytes: &[u8]) {
        self.1 = self.1.or(bytes.first().copied());
        self.0.write(bytes);
    }

    fn finish(&self) -> u64 {
        u64::from(self.1.unwrap_or(0)) << 32 | self.0.finish() & 0xFFFF_FFFF
    }
}

fn bounded(memory: Memory) -> Cache {
    Cache::builder().backend(memory).build().unwrap()
}

fn entries(cache: &Cache) -> usize {
    cache.stats().entries.unwrap() as usize
}

/// Fills a cache with the same number under each of these letters, and counts at every step.
fn fill(cache: &Cache, bound: usize, letters: &str) {
    let mut written = 0;
    for letter in letters.chars() {
        for n in 0..bound {
            cache.set(format!("{letter}{n}"), &n, Ttl::NEVER).unwrap();
            written += 1;
            assert_eq!(entries(cache), written.min(bound), "{letter}{n} of {bound}");
        }
    }
    let names: HashSet<_> =
        letters.chars().flat_map(|letter| (0..bound).map(move |n| format!("{letter}{n}"))).collect();
    let there = names.iter().filter(|name| cache.exists(name).unwrap());
    assert_eq!(there.count(), bound, "as many can be read");
    assert_eq!(cache.stats().evicted, Some((written - bound) as u64));
}

#[test]
fn a_cache_fills_to_its_bound_and_not_beyond() {
    for bound in BOUNDS {
        fill(&bounded(Memory::builder().max_entries(bound).build().unwrap()), bound, "abc");
    }
}

#[test]
fn a_bound_holds_where_all_keys_come_to_one_shard_after_the_other() {
    for bound in BOUNDS {
        let memory = Memory::builder().max_entries(bound).hasher(ByLetter).build().unwrap();
        fill(&bounded(memory), bound, "abcd");
    }
}

/// Writes, loads and removes from eight threads and tasks at once, while one more watches.
fn crowd(worlds: &[World; 2], bound: usize, each: usize) {
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            let mut most = 0;
            while !over.load(Ordering::Relaxed) {
                most = most.max(worlds[0].stats().entries.unwrap());
            }
            most
        });
        let write = |thread: usize| {
            let world = &worlds[thread % 2];
            for n in 0..each {
                let key = format!("{thread} {n}");
                match n % 4 {
                    0 => drop(world.compute(&key, n).unwrap()),
                    1 => assert!(call!(world, c => c.add(&key, &n, Ttl::NEVER)).unwrap()),
                    _ => call!(world, c => c.set(&key, &n, Ttl::NEVER)).unwrap(),
                }
                if n % 16 == 0 {
                    call!(world, c => c.delete(&key)).unwrap();
                }
            }
            // What was removed last left room.
            (0..bound).for_each(|n| call!(world, c => c.set(format!("end {n}"), &n, Ttl::NEVER)).unwrap());
        };
        let writers: Vec<_> = (0..THREADS).map(|thread| scope.spawn(move || write(thread))).collect();
        writers.into_iter().for_each(|writer| writer.join().unwrap());
        over.store(true, Ordering::Relaxed);
        let most = watcher.join().unwrap();
        assert!(most <= bound as u64, "{most} of {bound} were seen");
    });
}

#[test]
fn a_bound_holds_at_every_instant_under_eight_threads() {
    for bound in BOUNDS {
        let worlds = worlds!(Memory::builder().max_entries(bound).build().unwrap());
        crowd(&worlds, bound, 20_000 / THREADS + bound / THREADS);
        let names: Vec<_> = (0..3 * bound).map(|n| format!("alone {n}")).collect();
        names.iter().for_each(|name| call!(&worlds[0], c => c.set(name, &1, Ttl::NEVER)).unwrap());
        assert_eq!(worlds[0].stats().entries, Some(bound as u64), "no place was lost");
    }
}

#[test]
fn a_bound_holds_at_every_instant_while_threads_crowd_into_one_shard() {
    for bound in [257, 10_000] {
        let worlds = worlds!(Memory::builder().max_entries(bound).hasher(ByLetter).build().unwrap());
        crowd(&worlds, bound, 2_000);
    }
}
