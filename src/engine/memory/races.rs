//! Threads against each other in every order that shuttle thinks of.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use shuttle::thread;

use super::*;
use crate::engine::flight::{Boarding, Flight, Landing, State};
use crate::engine::sync::schedules::in_any_order;
use crate::key::Prefix;
use crate::pattern::Pattern;
use crate::ttl::Lifetime;

/// The first is found on the way of any key, the others on that of plain ones.
const KEYS: [&str; 3] = ["a", "plain: b", "plain: c"];
const KEY: &str = "plain: k";

/// A small store, and what was done to it.
struct Trial {
    store: Arc<Store>,
    whole: Prefix,
    /// The last value of each key whose write is complete; each key has one writer.
    written: [AtomicU64; 3],
    told: Arc<AtomicUsize>,
}

impl Trial {
    fn of(capacity: usize, eviction: Eviction) -> Arc<Trial> {
        let told = Arc::new(AtomicUsize::new(0));
        let heard = Arc::clone(&told);
        let listener: Listener = Arc::new(move |_| {
            heard.fetch_add(1, Ordering::SeqCst);
        });
        Trial::with(
            Plan { max_entries: capacity, eviction, listener: Some(listener), ..Plan::default() },
            told,
        )
    }

    /// Where nobody listens, so that values are replaced in place.
    fn unheard(capacity: usize) -> Arc<Trial> {
        Trial::with(Plan { max_entries: capacity, ..Plan::default() }, Arc::default())
    }

    fn with(plan: Plan, told: Arc<AtomicUsize>) -> Arc<Trial> {
        let store = Arc::new(Store::new(Plan { clock: Clock::hand(), ..plan }));
        Arc::new(Trial { store, whole: Prefix::default(), written: Default::default(), told })
    }

    fn key(&self, name: &'static str) -> Key<'_> {
        self.whole.key(name).unwrap()
    }

    fn write(&self, at: usize, value: u64) {
        let end = self.store.clock().end_of(Lifetime::For(Duration::from_secs(value % 3 + 1)));
        write(&self.store, &self.key(KEYS[at]), value, end);
        self.written[at].store(value, Ordering::SeqCst);
    }

    fn read(&self, at: usize) {
        let before = self.written[at].load(Ordering::SeqCst);
        let seen = look(&self.store, &self.key(KEYS[at]));
        assert!(seen.is_none_or(|seen| seen >= before), "{seen:?} was written before {before}");
    }

    fn check(&self, capacity: u64) {
        assert!(self.store.stats().entries <= Some(capacity));
    }
}

/// As a cache reads: by the fast path, and by the other where that does not tell.
fn look(store: &Arc<Store>, key: &Key<'_>) -> Option<u64> {
    match FastPath::into(store, &Prefix::default()).map(|fast| fast.find(key.name(), number)) {
        Some(Glance::Seen(seen)) => Some(seen),
        Some(Glance::Nothing(_)) => None,
        Some(Glance::Unclear) | None => store.find(key, number).unwrap(),
    }
}

/// As a cache writes.
fn write(store: &Arc<Store>, key: &Key<'_>, value: u64, end: Moment) {
    let object = Arc::new(value) as Arc<dyn Object>;
    let replaced = match FastPath::into(store, &Prefix::default()) {
        Some(fast) => fast.replace(key.name(), object, end),
        None => Err(object),
    };
    if let Err(object) = replaced {
        assert!(store.store(key, object, end, &Condition::Always).unwrap());
    }
}

/// As a cache that is to load what is missing.
fn seek<'a>(store: &'a Store, fast: &'a FastPath, whole: &'a Prefix) -> Sought<'a, u64> {
    fast.seek(KEY, number).unwrap_or_else(|| store.seek(whole.key(KEY).unwrap(), number).unwrap())
}

fn number(object: &Arc<dyn Object>) -> u64 {
    *(&**object as &dyn std::any::Any).downcast_ref().unwrap()
}

fn all(threads: Vec<thread::JoinHandle<()>>) {
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

#[test]
fn reads_writes_evictions_and_sweeps_show_nothing_old_and_exceed_nothing() {
    for eviction in [Eviction::Default, Eviction::Lru] {
        in_any_order(move || {
            let trial = Trial::of(2, eviction);
            let spawn = |work: fn(&Trial)| {
                let trial = Arc::clone(&trial);
                thread::spawn(move || work(&trial))
            };
            let write_two: fn(&Trial) = |trial| {
                for value in 1..4 {
                    trial.write(0, value);
                    trial.write(1, value);
                    trial.check(2);
                }
            };
            let write_third: fn(&Trial) = |trial| (1..4).for_each(|value| trial.write(2, value));
            let read: fn(&Trial) = |trial| {
                for _ in 0..3 {
                    (0..3).for_each(|at| trial.read(at));
                    trial.check(2);
                }
            };
            let sweep: fn(&Trial) = |trial| {
                for _ in 0..3 {
                    trial.store.clock().advance(Duration::from_secs(1));
                    trial.store.sweep();
                    trial.check(2);
                }
            };
            all([write_two, write_third, read, sweep].map(spawn).into());
            let stats = trial.store.stats();
            let left = [stats.evicted, stats.expired, stats.replaced].iter().flatten().sum::<u64>();
            assert_eq!(stats.entries, Some(9 - left), "{stats:?}");
            assert_eq!(trial.told.load(Ordering::SeqCst) as u64, left);
        });
    }
}

#[test]
fn a_value_put_in_the_place_of_another_is_seen_whole_and_at_once() {
    in_any_order(|| {
        let trial = Trial::unheard(2);
        let spawn = |work: fn(&Trial)| {
            let trial = Arc::clone(&trial);
            thread::spawn(move || work(&trial))
        };
        let replace: fn(&Trial) = |trial| (1..5).for_each(|value| trial.write(0, value));
        let evict: fn(&Trial) = |trial| {
            for value in 1..3 {
                trial.write(1, value);
                trial.write(2, value);
                trial.check(2);
            }
        };
        let read: fn(&Trial) = |trial| (0..4).for_each(|_| trial.read(0));
        let sweep: fn(&Trial) = |trial| {
            trial.store.clock().advance(Duration::from_secs(2));
            trial.store.sweep();
        };
        all([replace, evict, read, sweep].map(spawn).into());
        let stats = trial.store.stats();
        let left = [stats.evicted, stats.expired, stats.replaced].iter().flatten().sum::<u64>();
        assert_eq!(stats.entries, Some(8 - left), "{stats:?}");
    });
}

#[test]
fn several_shards_together_hold_no_more_than_they_may() {
    in_any_order(|| {
        // Two shards.
        let store = Arc::new(Store::new(Plan { max_entries: 257, ..Plan::default() }));
        let whole = Prefix::default();
        let put = |store: &Store, n: u64| {
            let name = n.to_string();
            store.store(&whole.key(&name).unwrap(), Arc::new(n), Moment::NEVER, &Condition::Always).unwrap();
        };
        (0..256).for_each(|n| put(&store, n));
        let threads = (1..4_u64).map(|thread| {
            let (store, whole) = (Arc::clone(&store), Prefix::default());
            thread::spawn(move || {
                for n in 0..2 {
                    let name = (1_000 * thread + n).to_string();
                    let key = whole.key(&name).unwrap();
                    store.store(&key, Arc::new(n), Moment::NEVER, &Condition::Always).unwrap();
                    assert!(store.stats().entries <= Some(257));
                }
            })
        });
        all(threads.collect());
    });
}

/// A caller that misses: leads and lands, or waits for who does. What it got.
fn load(store: &Arc<Store>, loads: &AtomicUsize, value: u64) -> u64 {
    let whole = Prefix::default();
    let fast = FastPath::into(store, &whole).unwrap();
    loop {
        let missing = match seek(store, &fast, &whole) {
            Sought::Here(value) => return value,
            Sought::Missing(missing) => missing,
        };
        match missing.lead(&KEY.into()).unwrap() {
            Some(lone) => {
                loads.fetch_add(1, Ordering::SeqCst);
                thread::yield_now();
                lone.land(Arc::new(value), Moment::NEVER).unwrap();
                return value;
            }
            None => match store.board(&whole.key(KEY).unwrap(), None).unwrap() {
                Boarding::Follow(flight) => {
                    if let Some(value) = landed(&flight) {
                        return value;
                    }
                }
                // The load has just ended: look again.
                Boarding::Lead(leader) => leader.land(Landing::Abandoned),
                Boarding::Outdated(_) => {}
            },
        }
    }
}

fn landed(flight: &Flight) -> Option<u64> {
    let mut state = flight.state();
    loop {
        match &mut *state {
            State::Landed(Landing::Value(object)) => return Some(number(object)),
            State::Landed(_) => return None,
            State::Airborne { threads, .. } => *threads += 1,
        }
        state = flight.ended.wait(state).unwrap();
    }
}

#[test]
fn of_all_who_miss_a_key_one_loads() {
    in_any_order(|| {
        let store = Arc::new(Store::new(Plan { max_entries: 2, ..Plan::default() }));
        let loads = Arc::new(AtomicUsize::new(0));
        let threads = (1..5).map(|value| {
            let (store, loads) = (Arc::clone(&store), Arc::clone(&loads));
            thread::spawn(move || {
                load(&store, &loads, value);
            })
        });
        all(threads.collect());
        assert_eq!(loads.load(Ordering::SeqCst), 1);
    });
}

#[test]
fn a_write_or_removal_during_a_lone_load_keeps_its_value_out() {
    let interferences: [fn(&Arc<Store>, &Key<'_>); 3] = [
        |store, key| write(store, key, 9, Moment::NEVER),
        |store, key| drop(store.take(key, None)),
        |store, _| drop(store.remove_matching(&Prefix::default(), &Pattern::all())),
    ];
    for interfere in interferences {
        in_any_order(move || {
            let store = Arc::new(Store::new(Plan { max_entries: 2, ..Plan::default() }));
            // The source of what is loaded: it changes first, and then the key is written or removed.
            let source = Arc::new(shuttle::sync::atomic::AtomicU64::new(1));
            let got = Arc::new(Mutex::new(Vec::new()));
            let loaders = (0..2).map(|_| {
                let (store, source, got) = (Arc::clone(&store), Arc::clone(&source), Arc::clone(&got));
                thread::spawn(move || {
                    let whole = Prefix::default();
                    let fast = FastPath::into(&store, &whole).unwrap();
                    if let Sought::Missing(missing) = seek(&store, &fast, &whole)
                        && let Some(lone) = missing.lead(&KEY.into()).unwrap()
                    {
                        let loaded = source.load(Ordering::SeqCst);
                        got.lock().unwrap().push(loaded);
                        lone.land(Arc::new(loaded), Moment::NEVER).unwrap();
                    }
                })
            });
            let loaders: Vec<_> = loaders.collect();
            let whole = Prefix::default();
            let key = whole.key(KEY).unwrap();
            source.store(9, Ordering::SeqCst);
            interfere(&store, &key);
            let seen = look(&store, &key);
            assert!(seen.is_none_or(|seen| seen == 9), "{seen:?} is what was there before");
            all(loaders);
            let seen = look(&store, &key);
            assert!(seen.is_none_or(|seen| seen == 9), "{seen:?}; loaded: {got:?}");
        });
    }
}
