//! Who is told of what leaves memory: of each entry once, with its key, its value and the cause, outside all locks.
#![cfg(feature = "async")]

mod support;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;
use std::time::Duration;

use lexigram_cache::RemovalCause::{Cleared, Deleted, Evicted, Expired, Replaced};
use lexigram_cache::{Cache, Clock, Memory, MemoryBuilder, Removal, RemovalCause, Stats, Ttl};
use support::{World, call, eventually, worlds};

const MINUTE: Duration = Duration::from_secs(60);
const SOON: Duration = Duration::from_secs(10);

/// Key, value, cause, and the thread it was told on.
type Word = (String, u64, RemovalCause, Option<String>);

/// What a listener was told, in order.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<Word>>>);

impl Told {
    fn listener(&self) -> impl Fn(&Removal<'_>) + Send + Sync + 'static {
        let told = self.clone();
        move |removal| {
            let value = removal.value::<u64>().copied();
            let value = value.or_else(|| removal.value::<i64>().map(|count| *count as u64)).unwrap();
            assert_eq!(removal.value::<String>(), None, "it is no text");
            let thread = thread::current().name().map(ToOwned::to_owned);
            told.0.lock().unwrap().push((removal.key().to_owned(), value, removal.cause(), thread));
        }
    }

    /// All that was told since the last look, without the threads.
    fn take(&self) -> Vec<(String, u64, RemovalCause)> {
        let told = std::mem::take(&mut *self.0.lock().unwrap());
        told.into_iter().map(|(key, value, cause, _)| (key, value, cause)).collect()
    }

    #[track_caller]
    fn assert(&self, expected: &[(&str, u64, RemovalCause)]) {
        let expected: Vec<_> =
            expected.iter().map(|(key, value, cause)| ((*key).into(), *value, *cause)).collect();
        assert_eq!(self.take(), expected);
    }
}

fn listened(set: impl FnOnce(MemoryBuilder) -> MemoryBuilder) -> ([World; 2], Told, Clock) {
    let (told, clock) = (Told::default(), Clock::hand());
    let memory = Memory::builder().clock(clock.clone()).on_removal(told.listener());
    (worlds!(set(memory).build().unwrap(), prefix("app")), told, clock)
}

fn set(world: &World, key: &str, value: u64, ttl: impl Into<Ttl>) {
    call!(world, c => c.set(key, &value, ttl)).unwrap();
}

#[test]
fn what_is_removed_by_its_name_is_told_as_deleted() {
    let (worlds, told, _) = listened(|m| m);
    for world in &worlds {
        for (n, key) in ["a", "b", "c", "d"].into_iter().enumerate() {
            set(world, key, n as u64, Ttl::NEVER);
        }
        call!(world, c => c.delete("a")).unwrap();
        call!(world, c => c.delete("a")).unwrap();
        call!(world, c => c.take::<u64>("b")).unwrap();
        call!(world, c => c.delete_many(["c", "d", "c", "e"])).unwrap();
        let all = [("app:a", 0), ("app:b", 1), ("app:c", 2), ("app:d", 3)];
        told.assert(&all.map(|(key, value)| (key, value, Deleted)));
    }
}

#[test]
fn what_another_value_takes_the_place_of_is_told_as_replaced() {
    let (worlds, told, _) = listened(|m| m);
    for world in &worlds {
        set(world, "k", 1, Ttl::NEVER);
        told.take();
        set(world, "k", 2, Ttl::NEVER);
        call!(world, c => c.replace("k", &3_u64, Ttl::NEVER)).unwrap();
        call!(world, c => c.update("k", Ttl::NEVER, |old: Option<u64>| old.unwrap() + 1)).unwrap();
        call!(world, c => c.set_many([("k", 5_u64)], Ttl::NEVER)).unwrap();
        call!(world, c => c.add("k", &6_u64, Ttl::NEVER)).unwrap();
        call!(world, c => c.touch("k", MINUTE)).unwrap();
        told.assert(&[1, 2, 3, 4].map(|value| ("app:k", value, Replaced)));
        call!(world, c => c.set("n", &7_i64, Ttl::NEVER)).unwrap();
        call!(world, c => c.incr("n", 1, Ttl::NEVER)).unwrap();
        call!(world, c => c.delete("n")).unwrap();
        told.assert(&[("app:n", 7, Replaced), ("app:n", 8, Deleted)]);
    }
}

#[test]
fn what_makes_room_is_told_as_evicted() {
    let (worlds, told, _) = listened(|m| m.max_entries(1));
    set(&worlds[0], "a", 1, Ttl::NEVER);
    set(&worlds[1], "b", 2, Ttl::NEVER);
    call!(&worlds[0], c => c.incr("c", 3, Ttl::NEVER)).unwrap();
    worlds[1].compute("d", 4_u64).unwrap();
    set(&worlds[0], "e", 5, Ttl::NEVER);
    let evicted = [("app:a", 1), ("app:b", 2), ("app:c", 3), ("app:d", 4)];
    told.assert(&evicted.map(|(key, value)| (key, value, Evicted)));
}

#[test]
fn what_is_removed_with_others_is_told_as_cleared() {
    let (worlds, told, _) = listened(|m| m);
    let clears: [fn(&World); 3] = [
        |w| call!(w, c => c.clear()).unwrap(),
        |w| assert_eq!(call!(w, c => c.delete_prefix("")).unwrap(), 2_000),
        |w| assert_eq!(call!(w, c => c.delete_pattern("*")).unwrap(), 2_000),
    ];
    for world in &worlds {
        for clear in clears {
            (0..2_000).for_each(|n| set(world, &n.to_string(), n, Ttl::NEVER));
            clear(world);
            let mut cleared = told.take();
            cleared.sort_by_key(|(_, value, _)| *value);
            let expected: Vec<_> = (0..2_000).map(|n| (format!("app:{n}"), n, Cleared)).collect();
            assert_eq!(cleared, expected);
        }
    }
}

#[test]
fn what_is_past_its_time_is_told_as_expired_whoever_finds_it() {
    let (worlds, told, clock) = listened(|m| m);
    let finds: [fn(&World); 9] = [
        |w| assert_eq!(call!(w, c => c.get::<u64>("k")).unwrap(), None),
        |w| assert_eq!(call!(w, c => c.get_arc::<u64>("k")).unwrap(), None),
        |w| assert_eq!(call!(w, c => c.get_with("k", |value: &u64| *value)).unwrap(), None),
        |w| assert!(!call!(w, c => c.delete("k")).unwrap()),
        |w| call!(w, c => c.clear()).unwrap(),
        |w| set(w, "k", 2, Ttl::NEVER),
        |w| assert!(call!(w, c => c.add("k", &2_u64, Ttl::NEVER)).unwrap()),
        |w| assert_eq!(call!(w, c => c.incr("k", 2, Ttl::NEVER)).unwrap(), 2),
        |w| assert_eq!(w.compute("k", 2_u64).unwrap(), 2),
    ];
    for world in &worlds {
        for (n, find) in finds.into_iter().enumerate() {
            set(world, "k", 1, MINUTE);
            told.take();
            clock.advance(MINUTE);
            find(world);
            assert_eq!(told.take(), [("app:k".to_owned(), 1, Expired)], "find {n}");
            call!(world, c => c.delete("k")).unwrap();
            told.take();
        }
    }
}

#[test]
fn what_nobody_asks_for_is_told_on_the_sweepers_thread_and_all_else_on_the_callers() {
    let (worlds, told, clock) = listened(|m| m.cleanup_interval(Duration::from_millis(5)));
    let caller = thread::current().name().map(ToOwned::to_owned);
    set(&worlds[0], "k", 1, MINUTE);
    set(&worlds[0], "k", 2, MINUTE);
    clock.advance(MINUTE);
    eventually("it is swept", SOON, || told.0.lock().unwrap().len() == 2);
    let told = told.0.lock().unwrap();
    assert_eq!(told[0], ("app:k".to_owned(), 1, Replaced, caller));
    assert_eq!(told[1], ("app:k".to_owned(), 2, Expired, Some("cache-sweeper".to_owned())));
}

#[test]
fn a_listener_may_use_the_cache_itself_even_the_same_key() {
    let cell: Arc<OnceLock<Cache>> = Arc::default();
    let inner = cell.clone();
    let listener = move |removal: &Removal<'_>| {
        let cache = inner.get().unwrap();
        let value = *removal.value::<u64>().unwrap();
        // What it does itself is told of too, so it has to come to an end.
        if value < 100 {
            cache.set(removal.key(), &(value + 100), Ttl::NEVER).unwrap();
            assert_eq!(cache.get_with(removal.key(), |value: &u64| *value).unwrap(), Some(value + 100));
            cache.get_or_compute("log", Ttl::NEVER, || Ok::<_, std::io::Error>(200_u64)).unwrap();
            cache.stats();
        }
    };
    let memory = Memory::builder().on_removal(listener).build().unwrap();
    let cache = Cache::builder().backend(memory).build().unwrap();
    cell.set(cache.clone()).unwrap();
    for (value, remove) in [
        (1, (|c| assert!(c.delete("k").unwrap())) as fn(&Cache)),
        (2, |c| c.clear().unwrap()),
        (3, |c| c.set("k", &104_u64, Ttl::NEVER).unwrap()),
    ] {
        cache.delete("k").unwrap();
        cache.set("k", &value, Ttl::NEVER).unwrap();
        remove(&cache);
        assert_eq!(cache.get::<u64>("k").unwrap(), Some(value + 100), "what the listener wrote");
        cache.set("k", &999_u64, Ttl::NEVER).unwrap();
    }
}

/// Many threads do everything at once; then each value that was ever stored is there or was told of, once.
#[test]
fn every_value_is_told_of_exactly_once_and_the_counts_agree() {
    let (worlds, told, clock) =
        listened(|m| m.max_entries(500).max_bytes(8_000).cleanup_interval(Duration::from_millis(1)));
    let each = 5_000;
    thread::scope(|scope| {
        for thread in 0..6_u64 {
            let (world, clock) = (&worlds[thread as usize % 2], &clock);
            scope.spawn(move || {
                for n in 0..each {
                    let (key, value) = (((n * 7 + thread) % 700).to_string(), thread * each + n);
                    set(world, &key, value, if n % 3 == 0 { MINUTE.into() } else { Ttl::NEVER });
                    match n % 50 {
                        7 => drop(call!(world, c => c.take::<u64>(&key)).unwrap()),
                        21 => drop(call!(world, c => c.get::<u64>((n % 700).to_string())).unwrap()),
                        33 => clock.advance(Duration::from_secs(1)),
                        42 => call!(world, c => c.delete_pattern("*9")).map(|_| ()).unwrap(),
                        _ => {}
                    }
                }
            });
        }
    });
    call!(&worlds[0], c => c.clear()).unwrap();
    let mut causes: HashMap<RemovalCause, u64> = HashMap::new();
    let mut values: Vec<u64> = Vec::new();
    // A sweep that ran beside may still be telling.
    eventually("all are told of", SOON, || {
        for (_, value, cause) in told.take() {
            values.push(value);
            *causes.entry(cause).or_default() += 1;
        }
        values.len() as u64 >= 6 * each
    });
    values.sort_unstable();
    assert!(values.into_iter().eq(0..6 * each), "one was told of twice, or not at all");
    let Stats { expired, evicted, replaced, removed, cleared, entries, .. } = worlds[0].stats();
    assert_eq!(entries, Some(0));
    for (cause, count) in
        [(Expired, expired), (Evicted, evicted), (Replaced, replaced), (Deleted, removed), (Cleared, cleared)]
    {
        assert_eq!(causes.get(&cause).copied(), count, "{cause:?}");
        assert!(count > Some(0), "{cause:?} was not tried");
    }
}
