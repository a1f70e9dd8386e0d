//! Hashers of one's own, good ones and broken ones: a value is found or missed, but never another key's.
#![cfg(feature = "async")]

mod support;

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use lexigram_cache::{Clock, Memory, MemoryBuilder, Ttl};
use support::{World, call, eventually, worlds};

const MINUTE: Duration = Duration::from_secs(60);
const SOON: Duration = Duration::from_secs(10);
const BOUND: usize = 600;

/// Answers whatever it is asked with its number.
#[derive(Clone, Copy)]
struct Says(u64);

impl Hasher for Says {
    fn write(&mut self, _: &[u8]) {}

    fn finish(&self) -> u64 {
        self.0
    }
}

struct Constant;

impl BuildHasher for Constant {
    type Hasher = Says;

    fn build_hasher(&self) -> Says {
        Says(0xABCD_EF01_2345_6789)
    }
}

/// Never says the same twice; or, of few numbers, now and then does.
struct Fickle {
    asked: AtomicU64,
    numbers: u64,
}

impl BuildHasher for Fickle {
    type Hasher = Says;

    fn build_hasher(&self) -> Says {
        let asked = self.asked.fetch_add(1, Ordering::Relaxed);
        Says((asked % self.numbers).wrapping_mul(0x9E37_79B9_7F4A_7C15))
    }
}

fn fickle(numbers: u64) -> Fickle {
    Fickle { asked: AtomicU64::new(0), numbers }
}

fn bounded() -> MemoryBuilder {
    Memory::builder().max_entries(BOUND).max_bytes(1 << 20)
}

/// Those that keep the promise of a hasher.
fn sound() -> [MemoryBuilder; 2] {
    [bounded().hasher(RandomState::new()), bounded().hasher(Constant)]
}

/// Those that do not.
fn broken() -> [MemoryBuilder; 2] {
    [bounded().hasher(fickle(u64::MAX)), bounded().hasher(fickle(7))]
}

fn set(world: &World, n: usize) {
    call!(world, c => c.set(n.to_string(), &n, Ttl::NEVER)).unwrap();
}

fn get(world: &World, n: usize) -> Option<usize> {
    call!(world, c => c.get(n.to_string())).unwrap()
}

#[test]
fn under_a_sound_hasher_every_verb_finds_its_key() {
    for builder in sound() {
        for world in worlds!(builder.build().unwrap(), prefix("app")) {
            (0..BOUND).for_each(|n| set(&world, n));
            assert!((0..BOUND).all(|n| get(&world, n) == Some(n)));
            assert!((0..BOUND).step_by(2).all(|n| call!(&world, c => c.delete(n.to_string())).unwrap()));
            assert!((0..BOUND).all(|n| get(&world, n).is_some() == (n % 2 == 1)));
            assert!((0..BOUND).all(|n| world.compute(&n.to_string(), n).unwrap() == n));
            assert_eq!(world.stats().loads, BOUND as u64 / 2);
            assert_eq!(call!(&world, c => c.incr("n", 2, Ttl::NEVER)).unwrap(), 2);
            assert_eq!(call!(&world, c => c.incr("n", 3, Ttl::NEVER)).unwrap(), 5);
            call!(&world, c => c.clear()).unwrap();
            assert_eq!((world.stats().entries, world.stats().weight), (Some(0), Some(0)));
        }
    }
}

#[test]
fn bounds_hold_under_every_hasher() {
    for builder in sound().into_iter().chain(broken()) {
        let worlds = worlds!(builder.build().unwrap());
        thread::scope(|scope| {
            for (first, world) in worlds.iter().enumerate() {
                scope.spawn(move || {
                    for n in (first..4 * BOUND).step_by(2) {
                        set(world, n);
                        assert!(world.stats().entries <= Some(BOUND as u64));
                    }
                });
            }
        });
        assert_eq!(worlds[0].stats().entries, Some(BOUND as u64));
    }
}

#[test]
fn under_a_broken_hasher_a_value_is_missed_but_never_another_keys() {
    for builder in broken() {
        // Who waits for a load that nobody leads any more waits so long.
        for world in worlds!(builder.build().unwrap(), max_wait(SOON)) {
            let start = Instant::now();
            for n in 0..2 * BOUND {
                set(&world, n);
                let asked = n / 2;
                assert!(get(&world, asked).is_none_or(|value| value == asked));
                assert_eq!(world.compute(&asked.to_string(), asked).unwrap(), asked);
                let taken = call!(&world, c => c.take::<usize>((n / 3).to_string())).unwrap();
                assert!(taken.is_none_or(|value| value == n / 3));
            }
            assert!(start.elapsed() < SOON, "a load was left behind: {:?}", start.elapsed());
            let names: Vec<_> = (0..BOUND).map(|n| n.to_string()).collect();
            let found = call!(&world, c => c.get_many::<usize>(&names)).unwrap();
            assert!(found.iter().all(|(name, value)| *name == value.to_string()));
        }
    }
}

#[test]
fn under_every_hasher_everything_can_be_removed() {
    for builder in sound().into_iter().chain(broken()) {
        let clock = Clock::hand();
        let memory = builder.clock(clock.clone()).cleanup_interval(Duration::from_millis(5)).build().unwrap();
        for world in worlds!(memory) {
            (0..BOUND).for_each(|n| set(&world, n));
            assert_eq!(call!(&world, c => c.delete_pattern("*")).unwrap(), BOUND as u64);
            assert_eq!((world.stats().entries, world.stats().weight), (Some(0), Some(0)));
            for n in 0..BOUND {
                call!(&world, c => c.set(n.to_string(), &n, MINUTE)).unwrap();
            }
            clock.advance(MINUTE);
            eventually("all is swept", SOON, || world.stats().entries == Some(0));
            assert_eq!(world.stats().weight, Some(0));
        }
    }
}
