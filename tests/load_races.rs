//! A write or removal during a load wins: what was loaded before it is never stored over it.
#![cfg(feature = "async")]

mod support;

use std::collections::HashMap;

use lexigram_cache::{BoxError, Cache, Memory, Ttl, aio};
use support::{World, block_on, worlds};

const BEFORE: u64 = 1;
const AFTER: u64 = 2;

type Interference = (&'static str, fn(&Cache), Option<u64>);

/// What happens to the key `k` during its load, and what it must hold afterwards.
const INTERFERENCES: &[Interference] = &[
    ("set", |cache| cache.set("k", &AFTER, Ttl::NEVER).unwrap(), Some(AFTER)),
    ("set_many", |cache| cache.set_many([("k", AFTER)], Ttl::NEVER).unwrap(), Some(AFTER)),
    ("add", |cache| assert!(cache.add("k", &AFTER, Ttl::NEVER).unwrap()), Some(AFTER)),
    ("update", |cache| assert_eq!(cache.update("k", Ttl::NEVER, |_| AFTER).unwrap(), AFTER), Some(AFTER)),
    ("incr", |cache| assert_eq!(cache.incr("k", 2, Ttl::NEVER).unwrap(), 2), Some(AFTER)),
    ("delete", |cache| assert!(!cache.delete("k").unwrap()), None),
    ("delete_many", |cache| assert_eq!(cache.delete_many(["k"]).unwrap(), 0), None),
    ("take", |cache| assert_eq!(cache.take::<u64>("k").unwrap(), None), None),
    ("clear", |cache| cache.clear().unwrap(), None),
    ("delete_prefix", |cache| assert_eq!(cache.delete_prefix("k").unwrap(), 0), None),
    ("delete_pattern", |cache| assert_eq!(cache.delete_pattern("?").unwrap(), 0), None),
    ("set, then delete", |cache| drop((cache.set("k", &AFTER, Ttl::NEVER), cache.delete("k"))), None),
];

/// The write comes from a thread, the load runs in either world.
fn each(check: impl Fn(&World, &Cache, &Interference)) {
    for interference in INTERFERENCES {
        for side in 0..2 {
            let worlds = worlds!(Memory::default(), prefix("app"));
            let World::Threads(cache) = &worlds[0] else { unreachable!("threads are the first world") };
            check(&worlds[side], cache, interference);
            let (verb, _, expected) = interference;
            assert_eq!(
                cache.get::<u64>("k").unwrap(),
                *expected,
                "{verb} during a load of {:?}",
                worlds[side]
            );
        }
    }
}

#[test]
fn a_load_never_undoes_what_happened_to_its_key_meanwhile() {
    each(|world, cache, (_, interfere, _)| {
        let load = || {
            interfere(cache);
            Ok::<u64, BoxError>(BEFORE)
        };
        assert_eq!(world.load("k", load).unwrap(), BEFORE, "the caller gets what it loaded");
    });
}

#[test]
fn a_batch_never_undoes_what_happened_to_its_keys_meanwhile() {
    each(|world, cache, (_, interfere, _)| {
        let load = |_: &[String]| {
            interfere(cache);
            Ok::<_, BoxError>(HashMap::from([("k".to_owned(), BEFORE), ("other".to_owned(), BEFORE)]))
        };
        let values = world.load_many(["k".to_owned(), "other".to_owned()], load).unwrap();
        assert_eq!(values["k"], BEFORE, "the caller gets what it loaded");
    });
}

#[test]
fn who_comes_after_a_removal_starts_a_load_of_its_own() {
    let [_, tasks] = worlds!(Memory::default());
    let World::Tasks(cache) = &tasks else { unreachable!("tasks are the second world") };
    let old = async || {
        cache.delete("k").await.unwrap();
        // Not recursion: another task asks, after the removal.
        let (later, load) = (cache.clone(), async || Ok::<u64, BoxError>(AFTER));
        let later = tokio::spawn(async move { later.get_or_compute("k", Ttl::NEVER, load).await });
        assert_eq!(later.await.unwrap().unwrap(), AFTER, "it must not wait for the outdated load");
        Ok::<u64, BoxError>(BEFORE)
    };
    assert_eq!(block_on(cache.get_or_compute("k", Ttl::NEVER, old)).unwrap(), BEFORE);
    assert_eq!(block_on(cache.get::<u64>("k")).unwrap(), Some(AFTER), "the outdated load is not stored");
}

fn assert_send<T: Send>(_: T) {}

#[test]
fn what_tasks_wait_for_can_move_between_threads() {
    let cache = aio::Cache::memory();
    assert_send(cache.get::<u64>("k"));
    assert_send(cache.set("k", &1_u64, Ttl::NEVER));
    assert_send(cache.get_many::<u64>(["k"]));
    assert_send(cache.set_many([("k", 1_u64)], Ttl::NEVER));
    assert_send(cache.update("k", Ttl::NEVER, |_: Option<u64>| 1));
    assert_send(cache.get_or_compute("k", Ttl::NEVER, async || Ok::<u64, BoxError>(1)));
    let load = async |_: &[String]| Ok::<HashMap<String, u64>, BoxError>(HashMap::new());
    assert_send(cache.get_or_compute_many(["k"], Ttl::NEVER, load));
}
