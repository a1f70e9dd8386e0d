use std::time::Duration;

use super::*;
use crate::entry::{Ask, Lease, Lookup};
use crate::key::Prefix;
use crate::pattern::Pattern;
use crate::ttl::{Lifetime, Remaining};

fn store(capacity: usize) -> Store {
    made(Plan { max_entries: capacity, ..Plan::default() })
}

fn made(plan: Plan) -> Store {
    Store::new(Plan { clock: Clock::hand(), ..plan })
}

fn put(store: &Store, name: &str, value: u64) -> bool {
    let prefix = Prefix::default();
    store.store(&prefix.key(name).unwrap(), Arc::new(value), Moment::NEVER, &Condition::Always).unwrap()
}

fn has(store: &Store, name: &str) -> bool {
    store.get(&Prefix::default().key(name).unwrap()).unwrap().is_some()
}

#[test]
fn a_small_store_holds_exactly_its_capacity() {
    let store = store(100);
    for n in 0..100 {
        put(&store, &n.to_string(), n);
    }
    assert_eq!(store.stats().entries, Some(100));
    put(&store, "one more", 0);
    assert_eq!((store.stats().entries, store.stats().evicted), (Some(100), Some(1)));
}

#[test]
fn no_capacity_is_ever_exceeded() {
    for capacity in [1, 2, 255, 257, 1_000, 70_001] {
        let store = store(capacity);
        for n in 0..2 * capacity as u64 {
            put(&store, &n.to_string(), n);
            assert!(n % 1_000 != 0 || store.stats().entries <= Some(capacity as u64));
        }
        assert!(store.stats().entries <= Some(capacity as u64));
    }
}

#[test]
fn the_least_recently_used_entry_leaves_first() {
    let store = made(Plan { max_entries: 2, eviction: Eviction::Lru, ..Plan::default() });
    put(&store, "a", 1);
    put(&store, "b", 2);
    assert!(has(&store, "a"));
    put(&store, "c", 3);
    assert!(has(&store, "a") && !has(&store, "b") && has(&store, "c"));
}

#[test]
fn a_sweep_removes_what_is_due_and_nothing_else() {
    let store = store(1_000);
    let prefix = Prefix::default();
    let end = store.clock().end_of(Lifetime::For(Duration::from_secs(1)));
    for n in 0..200_u64 {
        let end = if n % 2 == 0 { end } else { Moment::NEVER };
        store.store(&prefix.key(&n.to_string()).unwrap(), Arc::new(n), end, &Condition::Always).unwrap();
    }
    store.sweep();
    assert_eq!(store.stats().entries, Some(200));
    store.clock().advance(Duration::from_secs(1));
    store.sweep();
    assert_eq!((store.stats().entries, store.stats().expired), (Some(100), Some(100)));
}

fn leased(store: &Store, key: &Key<'_>) -> Lease {
    match store.lookup(key, Ask::Lease(Duration::from_secs(30))).unwrap() {
        Lookup::Lease(lease) => lease,
        other => panic!("a lookup that leases came to {:?}", other.map(drop)),
    }
}

#[test]
fn a_write_voids_the_lease_of_a_load_in_flight() {
    let store = store(10);
    let prefix = Prefix::default();
    let key = prefix.key("k").unwrap();
    let interferences: [fn(&Store, &Key<'_>) -> bool; 4] = [
        |store, key| store.take(key, None).unwrap().is_none(),
        |store, key| store.store(key, Arc::new(7_u64), Moment::NEVER, &Condition::Always).unwrap(),
        |store, _| store.remove_matching(&Prefix::default(), &Pattern::all()).unwrap() == 0,
        |store, key| matches!(store.add(key, 1, Moment::NEVER), Ok(Sum::Is(1))),
    ];
    for interfere in interferences {
        store.take(&key, None).unwrap();
        let lease = leased(&store, &key);
        assert!(interfere(&store, &key));
        assert!(!store.fill(&key, &lease, Arc::new(1_u64), Moment::NEVER).unwrap());
    }
}

#[test]
fn a_value_past_its_time_is_kept_for_a_look_at_its_age_only() {
    let store = store(10);
    let prefix = Prefix::new("app").keeping(Duration::from_secs(60));
    let key = prefix.key("k").unwrap();
    let end = store.clock().end_of(Lifetime::For(Duration::from_secs(61)));
    store.store(&key, Arc::new(1_u64), end, &Condition::Always).unwrap();
    assert_eq!(store.remaining(&key).unwrap(), Some(Remaining::For(Duration::from_secs(1))));
    store.clock().advance(Duration::from_secs(2));
    assert!(store.get(&key).unwrap().is_none() && store.end(&key).unwrap().is_none());
    assert!(!store.touch(&key, Moment::NEVER).unwrap());
    let Lookup::Hit(found) = store.lookup(&key, Ask::Age).unwrap() else { panic!("it is not kept") };
    assert_eq!(found.remaining, Some(Remaining::For(Duration::from_secs(59))));
    let same = Condition::Unchanged(found.into_version().unwrap());
    assert!(store.store(&key, Arc::new(2_u64), end, &same).unwrap(), "a load may replace it");
    assert!(!store.store(&key, Arc::new(3_u64), end, &same).unwrap(), "once");
    store.clock().advance(Duration::from_secs(60));
    assert!(matches!(store.lookup(&key, Ask::Age), Ok(Lookup::Absent)));
}

#[test]
fn a_touch_keeps_an_older_load_from_replacing_the_value() {
    let store = store(10);
    let prefix = Prefix::default();
    let key = prefix.key("k").unwrap();
    put(&store, "k", 1);
    let same = Condition::Unchanged(store.get(&key).unwrap().unwrap().into_version().unwrap());
    assert!(store.touch(&key, store.clock().end_of(Lifetime::For(Duration::from_secs(1)))).unwrap());
    assert!(!store.store(&key, Arc::new(2_u64), Moment::NEVER, &same).unwrap());
}

#[test]
fn a_lease_that_nobody_voided_fills() {
    let store = store(10);
    let prefix = Prefix::default();
    let key = prefix.key("k").unwrap();
    let lease = leased(&store, &key);
    assert!(store.fill(&key, &lease, Arc::new(1_u64), Moment::NEVER).unwrap());
    assert!(!store.fill(&key, &lease, Arc::new(2_u64), Moment::NEVER).unwrap());
    assert!(has(&store, "k"));
}
