//! User code may panic wherever it is called: the cache stays whole, and nobody waits for what will not come.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, Once, mpsc};
use std::time::{Duration, Instant};
use std::{panic, thread};

use lexigram_cache::{BoxError, Cache, ErrorKind, Eviction, Memory, Removal, RemovalCause, Ttl, Weighing};
use proptest::prelude::Rng;
use proptest::test_runner::RngAlgorithm::ChaCha;
use proptest::test_runner::TestRng;
use serde::{Deserialize, Serialize};

const POINTS: u32 = 1_000;
const CAPACITY: u64 = 6;
const MAX_BYTES: u64 = 40;
const KEYS: u32 = 12;
const SOON: Duration = Duration::from_secs(5);

thread_local! {
    /// Calls of user code on this thread until one panics.
    static FUSE: Cell<Option<u32>> = const { Cell::new(None) };
}

struct Planned;

/// Stands in all code of the user's.
fn burn() {
    match FUSE.get() {
        Some(0) => {
            FUSE.set(None);
            panic::panic_any(Planned);
        }
        left => FUSE.set(left.map(|left| left - 1)),
    }
}

/// Says whether a planned panic came out of it.
fn blew<R>(call: impl FnOnce() -> R) -> bool {
    static SILENCE: Once = Once::new();
    SILENCE.call_once(|| {
        let others = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !info.payload().is::<Planned>() {
                others(info);
            }
        }));
    });
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(_) => false,
        Err(payload) if payload.is::<Planned>() => true,
        Err(payload) => panic::resume_unwind(payload),
    }
}

#[derive(Deserialize, Serialize)]
struct Owning(u64);

impl Clone for Owning {
    fn clone(&self) -> Owning {
        burn();
        Owning(self.0)
    }
}

impl Drop for Owning {
    fn drop(&mut self) {
        burn();
    }
}

/// Owns nothing, so that it is cloned in place.
#[derive(Deserialize, Serialize)]
struct Plain(u64);

impl Clone for Plain {
    fn clone(&self) -> Plain {
        burn();
        Plain(self.0)
    }
}

#[derive(Default)]
struct Hashing(u64);

impl Hasher for Hashing {
    fn finish(&self) -> u64 {
        burn();
        self.0.wrapping_mul(0x9E37_79B9_7F4A_7C15)
    }

    fn write(&mut self, bytes: &[u8]) {
        burn();
        bytes.iter().for_each(|byte| self.0 = self.0.wrapping_mul(31).wrapping_add(u64::from(*byte) + 1));
    }
}

impl BuildHasher for Hashing {
    type Hasher = Hashing;

    fn build_hasher(&self) -> Hashing {
        burn();
        Hashing(0)
    }
}

type Left = (String, RemovalCause, u64);

/// What stands under a key, by its number.
fn number(entry: Option<&Owning>, plain: Option<&Plain>) -> u64 {
    entry.map(|owning| owning.0).or(plain.map(|plain| plain.0)).expect("it is one of the two")
}

struct Trial {
    cache: Cache,
    told: Arc<Mutex<Vec<Left>>>,
    rng: TestRng,
    next: u64,
    /// What should be there: whatever was seen to be there, or written since, and was not told of.
    held: BTreeMap<String, u64>,
}

impl Trial {
    fn new(seed: u32) -> Trial {
        let told = Arc::new(Mutex::new(Vec::new()));
        let listener = {
            let told = Arc::clone(&told);
            move |removal: &Removal<'_>| {
                let value = number(removal.value(), removal.value());
                told.lock().unwrap().push((removal.key().to_owned(), removal.cause(), value));
                burn();
            }
        };
        let weigher = |entry: &Weighing<'_>| {
            burn();
            number(entry.value(), entry.value()) % 16
        };
        let eviction = if seed.is_multiple_of(2) { Eviction::Default } else { Eviction::Lru };
        let memory = Memory::builder()
            .max_entries(CAPACITY as usize)
            .max_bytes(MAX_BYTES)
            .eviction(eviction)
            .weigher(weigher)
            .hasher(Hashing::default())
            .on_removal(listener);
        let cache = Cache::builder().backend(memory.build().unwrap()).build().unwrap();
        let seed = [seed.to_le_bytes(); 8].concat();
        Trial { cache, told, rng: TestRng::from_seed(ChaCha, &seed), next: 0, held: BTreeMap::new() }
    }

    fn below(&mut self, end: u32) -> u32 {
        self.rng.next_u32() % end
    }

    /// One call; says on which key, what it may have written, and whether it panicked.
    fn call(&mut self) -> (String, u64, bool) {
        let key = format!("k{}", self.below(KEYS));
        self.next += 1;
        let (cache, new, which) = (self.cache.clone(), self.next, self.below(13));
        let name = key.as_str();
        let load = || {
            burn();
            Ok::<_, BoxError>(Owning(new))
        };
        let load_plain = || {
            burn();
            Ok::<_, BoxError>(Plain(new))
        };
        let blown = blew(|| match which {
            0 => cache.set(name, &Owning(new), Ttl::NEVER).unwrap(),
            1 => cache.set(name, &Plain(new), Ttl::NEVER).unwrap(),
            2 => drop(cache.get::<Owning>(name).unwrap_or(None)),
            3 => drop(cache.get::<Plain>(name).unwrap_or(None)),
            4 => drop(cache.get_with(name, |_: &Owning| burn())),
            5 => drop(cache.get_with(name, |_: &Plain| burn())),
            6 => drop(cache.add(name, &Owning(new), Ttl::NEVER)),
            7 => drop(cache.take::<Owning>(name)),
            8 => drop(cache.delete(name)),
            9 => drop(cache.get_or_compute(name, Ttl::NEVER, load)),
            10 => drop(cache.get_or_compute(name, Ttl::NEVER, load_plain)),
            11 => drop(cache.update(name, Ttl::NEVER, |_: Option<Owning>| Owning(new))),
            _ => assert!(cache.delete_prefix("k1").unwrap() <= CAPACITY),
        });
        (key, new, blown)
    }

    fn check(&mut self, key: &str, new: u64, blown: bool) {
        let fuse = FUSE.replace(None);
        let told = self.told.lock().unwrap().clone();
        let stats = self.cache.stats();
        let of = |cause| Some(told.iter().filter(|(_, told, _)| *told == cause).count() as u64);
        assert_eq!(
            [stats.evicted, stats.replaced, stats.removed, stats.cleared],
            [RemovalCause::Evicted, RemovalCause::Replaced, RemovalCause::Deleted, RemovalCause::Cleared]
                .map(of)
        );
        assert!(stats.entries <= Some(CAPACITY) && stats.weight <= Some(MAX_BYTES), "{stats:?}");
        let there: BTreeMap<String, u64> = (0..KEYS)
            .map(|n| format!("k{n}"))
            .filter_map(|key| Some((key.clone(), self.peek(&key)?)))
            .collect();
        assert_eq!(stats.entries, Some(there.len() as u64));
        assert_eq!(stats.weight, Some(there.values().map(|value| value % 16).sum()));
        let is_told = |value: &u64| told.iter().any(|(_, _, told)| told == value);
        for (held, value) in &self.held {
            assert!(is_told(value) || there.get(held) == Some(value), "{held} lost {value}; blown: {blown}");
        }
        for (held, value) in &there {
            let known = self.held.get(held) == Some(value) || (held == key && *value == new);
            assert!(known && !is_told(value), "{held} shows {value}");
        }
        self.held = there;
        FUSE.set(fuse);
    }

    fn peek(&self, key: &str) -> Option<u64> {
        let owning = self.cache.get_with(key, |owning: &Owning| owning.0);
        owning.ok().flatten().or_else(|| self.cache.get_with(key, |plain: &Plain| plain.0).ok().flatten())
    }

    /// Another thread does all there is to do with each key.
    fn use_elsewhere(&self) {
        let (cache, (done, is_done)) = (self.cache.clone(), mpsc::channel());
        let user = thread::spawn(move || {
            for key in (0..KEYS).map(|n| format!("k{n}")) {
                cache.delete(&key).unwrap();
                let load = || Ok::<_, BoxError>(Plain(1));
                assert_eq!(cache.get_or_compute(&key, Ttl::NEVER, load).unwrap().0, 1);
                cache.set(&key, &Owning(2), Ttl::NEVER).unwrap();
                assert_eq!(cache.get_arc::<Owning>(&key).unwrap().unwrap().0, 2);
            }
            done.send(()).unwrap();
        });
        is_done.recv_timeout(SOON).expect("nothing keeps another thread from a key");
        user.join().unwrap();
    }
}

#[test]
fn a_thousand_panics_of_the_users_code_leave_the_cache_whole() {
    let mut panics = 0;
    for seed in 0.. {
        let mut trial = Trial::new(seed);
        for _ in 0..60 {
            let fuse = trial.below(12);
            FUSE.set(Some(fuse));
            let (key, new, blown) = trial.call();
            trial.check(&key, new, blown);
            FUSE.set(None);
            panics += u32::from(blown);
        }
        trial.use_elsewhere();
        if panics >= POINTS {
            return;
        }
    }
}

/// Two callers of one key, the second of whom waits for the first; what the second gets, and how soon.
fn followed(cache: &Cache, load: impl FnOnce() + Send, panics: bool) -> Result<u64, ErrorKind> {
    let (waiting, is_waiting) = mpsc::channel();
    thread::scope(|scope| {
        let leader = scope.spawn(|| {
            blew(|| {
                cache.get_or_compute("k", Ttl::NEVER, || {
                    waiting.send(()).unwrap();
                    while cache.stats().joined + cache.stats().misses < 2 {
                        thread::yield_now();
                    }
                    // The follower is about to board; it looks a last time before it waits.
                    thread::park_timeout(Duration::from_millis(20));
                    load();
                    Ok::<_, BoxError>(7_u64)
                })
            })
        });
        is_waiting.recv().unwrap();
        let start = Instant::now();
        let got = cache.get_or_compute("k", Ttl::NEVER, || Err::<u64, _>(BoxError::from("a second load")));
        assert_eq!(leader.join().unwrap(), panics);
        assert!(start.elapsed() < SOON, "{:?}", start.elapsed());
        got.map_err(|error| error.kind())
    })
}

#[test]
fn who_waits_for_a_load_gets_it_though_the_listener_panics_as_it_is_stored() {
    let memory = Memory::builder().max_entries(1).on_removal(|_| panic::panic_any(Planned));
    let cache = Cache::builder().backend(memory.build().unwrap()).build().unwrap();
    cache.set("displaced", &1, Ttl::NEVER).unwrap();
    assert_eq!(followed(&cache, || {}, true), Ok(7));
}

#[test]
fn who_waits_for_a_load_gets_it_though_the_hasher_panics_after_it() {
    let memory = Memory::builder().hasher(Hashing::default());
    let cache = Cache::builder().backend(memory.build().unwrap()).build().unwrap();
    assert_eq!(followed(&cache, || FUSE.set(Some(0)), false), Ok(7));
    assert_eq!(cache.get_or_compute("k", Ttl::NEVER, || Ok::<_, BoxError>(8_u64)).unwrap(), 7);
}
