//! The ways to make a change of the origin known: removals, which may run side by side, and writes of the new version.

use std::time::Duration;

use lexigram_cache::Ttl;

use crate::origin::KEYS;
use crate::support::{Backing, call};
use crate::worker::{Stamped, Worker, name};

/// One way. `act` is told the keys and, if it writes, their new versions; it returns what it happened to read.
#[derive(Clone, Copy)]
pub struct Change {
    pub verb: &'static str,
    /// How many keys it changes at once.
    pub reach: usize,
    pub writes: bool,
    pub act: Act,
}

type Act = fn(&mut Worker<'_>, &[usize], &[u64]) -> Option<Stamped>;

/// What this place can do, the frequent ways often, those that go through all keys seldom.
pub fn possible(kind: Backing) -> Vec<Change> {
    let mut changes = EVERYWHERE.repeat(3);
    if matches!(kind, Backing::Redis | Backing::Memcached) {
        changes.extend(FOREIGN);
    }
    if matches!(kind, Backing::Memory | Backing::Redis) {
        changes.extend(BY_PATTERN);
    }
    if kind != Backing::Memcached {
        changes.push(CLEAR);
    }
    changes
}

const EVERYWHERE: &[Change] = &[
    removal("delete", 1, |worker, keys, _| {
        call!(worker.world, cache => cache.delete(name(keys[0]))).unwrap();
        None
    }),
    removal("delete_many", 3, |worker, keys, _| {
        call!(worker.world, cache => cache.delete_many(keys.iter().map(|key| name(*key)))).unwrap();
        None
    }),
    removal("take", 1, |worker, keys, _| {
        call!(worker.world, cache => cache.take::<Stamped>(name(keys[0]))).unwrap()
    }),
    write("set", 1, |worker, keys, versions| {
        let value = Stamped { key: keys[0], version: versions[0] };
        call!(worker.world, cache => cache.set(name(keys[0]), &value, Ttl::NEVER)).unwrap();
        None
    }),
    write("set, to expire", 1, |worker, keys, versions| {
        let value = Stamped { key: keys[0], version: versions[0] };
        call!(worker.world, cache => cache.set(name(keys[0]), &value, Duration::from_millis(5))).unwrap();
        None
    }),
    write("set_many", 2, |worker, keys, versions| {
        let values = keys.iter().zip(versions).map(|(key, version)| Stamped { key: *key, version: *version });
        let items = values.map(|value| (name(value.key), value));
        call!(worker.world, cache => cache.set_many(items, Ttl::NEVER)).unwrap();
        None
    }),
    write("update", 1, |worker, keys, versions| {
        let (new, mut seen) = (Stamped { key: keys[0], version: versions[0] }, None);
        let change = |old: Option<Stamped>| {
            seen = old;
            new.clone()
        };
        call!(worker.world, cache => cache.update(name(keys[0]), Ttl::NEVER, change)).unwrap();
        seen
    }),
];

/// By a program that knows nothing of this crate.
const FOREIGN: [Change; 2] = [
    removal("a foreign delete", 1, |worker, keys, _| {
        worker.foreigner.as_mut()?.delete(&name(keys[0]));
        None
    }),
    write("a foreign set", 1, |worker, keys, versions| {
        let value = Stamped { key: keys[0], version: versions[0] };
        worker.foreigner.as_mut()?.set(&name(keys[0]), &value);
        None
    }),
];

const BY_PATTERN: [Change; 2] = [
    removal("delete_prefix", 1, |worker, keys, _| {
        call!(worker.world, cache => cache.delete_prefix(name(keys[0]))).unwrap();
        None
    }),
    removal("delete_pattern", KEYS, |worker, _, _| {
        call!(worker.world, cache => cache.delete_pattern("k?")).unwrap();
        None
    }),
];

const CLEAR: Change = removal("clear", KEYS, |worker, _, _| {
    call!(worker.world, cache => cache.clear()).unwrap();
    None
});

const fn removal(verb: &'static str, reach: usize, act: Act) -> Change {
    Change { verb, reach, writes: false, act }
}

const fn write(verb: &'static str, reach: usize, act: Act) -> Change {
    Change { verb, reach, writes: true, act }
}
