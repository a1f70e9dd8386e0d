//! What has been invalidated is never read again, however the loads, writes and removals of many processes mix.
//!
//! Each value carries the version of the origin that it was loaded from. Whoever changes the origin invalidates next,
//! and when that has returned, makes the version known as the key's floor. Whoever reads notes the floor first, and must
//! not be given anything older. A failure prints what all processes did to that key around it.
//!
//! Some seconds each by default; `SOAK_OPERATIONS=1000000` runs as many on each backend, and `--nocapture` shows them.
#![cfg(all(feature = "redis", feature = "memcached", feature = "async"))]

#[path = "invalidation/careless.rs"]
mod careless;
#[path = "invalidation/changes.rs"]
mod changes;
#[path = "invalidation/crowd.rs"]
mod crowd;
#[path = "invalidation/foreigner.rs"]
mod foreigner;
#[path = "invalidation/history.rs"]
mod history;
#[path = "invalidation/origin.rs"]
mod origin;
#[path = "contract/shelf.rs"]
mod shelf;
mod support;
#[path = "invalidation/worker.rs"]
mod worker;

use std::thread;
use std::time::{Duration, Instant};

use careless::Careless;
use foreigner::PREFIX;
use lexigram_cache::Cache;
use origin::{Folder, Origin};
use support::{Backing, Place, World, with_server, worlds_at};

fn operations(few: u64) -> u64 {
    std::env::var("SOAK_OPERATIONS").ok().and_then(|operations| operations.parse().ok()).unwrap_or(few)
}

fn patient(place: &Place) -> [World; 2] {
    worlds_at!(place, prefix(PREFIX), timeout(PATIENCE))
}

/// Who waits in vain, which is nearly everybody, loads alone and must not write back.
fn in_a_hurry(place: &Place) -> [World; 2] {
    worlds_at!(place, prefix(PREFIX), timeout(PATIENCE), max_wait(HURRY))
}

/// Values age fast, are reloaded before their time is up, and served past it: that is no excuse for what was invalidated.
fn ageing(place: &Place) -> [World; 2] {
    worlds_at!(
        place,
        prefix(PREFIX),
        timeout(PATIENCE),
        default_ttl(AGE),
        stale_for(Duration::from_secs(2)),
        policy(|policy| policy.refresh_ahead(0.5))
    )
}

#[test]
fn no_change_of_the_origin_is_lost_or_seen_by_halves() {
    let folder = Folder::new("origin");
    // Each handle is one process's: they share nothing but the files.
    let count = || {
        let origin = Origin::open(folder.path());
        (0..10_000).for_each(|_| origin.removing(&[0], || ()));
    };
    let watch = || {
        let (origin, mut last) = (Origin::open(folder.path()), 0);
        while last < 40_000 {
            let (floor, version) = (origin.floor(0), origin.version(0));
            assert!(last <= floor && floor <= version && version <= 40_000, "{last} {floor} {version}");
            last = floor;
        }
    };
    thread::scope(|scope| {
        (0..4).for_each(|_| drop(scope.spawn(count)));
        (0..4).for_each(|_| drop(scope.spawn(watch)));
    });
}

#[test]
fn nothing_outdated_is_read_from_memory() {
    let (start, folder, place) = (Instant::now(), Folder::new("memory"), Place::in_memory());
    let outcome = crowd::threads("0", 64, &patient(&place), folder.path(), &place, operations(100_000));
    outcome.hold("memory", start);
}

#[test]
fn nothing_outdated_is_read_from_memory_where_values_age() {
    let (start, folder, place) = (Instant::now(), Folder::new("ageing"), Place::in_memory());
    let outcome = crowd::threads("0", 64, &ageing(&place), folder.path(), &place, operations(100_000));
    outcome.hold("memory, ageing", start);
}

#[test]
fn a_backend_that_stores_every_load_is_found_out() {
    let (folder, place) = (Folder::new("careless"), Place::in_memory());
    let cache = Cache::builder().backend(Careless::default()).build().unwrap();
    let worlds = [World::Threads(cache)];
    let outcome = crowd::threads("0", 64, &worlds, folder.path(), &place, 100_000);
    println!("careless: {:?}", outcome.counts);
    assert_ne!(outcome.counts.violations, 0, "{:?}", outcome.counts);
    assert!(outcome.history.iter().any(|line| line.contains(" OUTDATED ")), "the history shows it");
}

fn on_server(test: &str, kind: Backing, worlds: fn(&Place) -> [World; 2]) {
    let start = Instant::now();
    with_server(
        kind,
        |parent, place, given| crowd::take_part(parent, place, given, &worlds(&place)),
        |place| crowd::processes(test, place, operations(FEW)).hold(test, start),
    );
}

#[test]
fn nothing_outdated_is_read_from_redis_by_many_processes() {
    on_server("nothing_outdated_is_read_from_redis_by_many_processes", Backing::Redis, patient);
}

#[test]
fn nothing_outdated_is_read_from_redis_by_those_who_do_not_wait() {
    on_server("nothing_outdated_is_read_from_redis_by_those_who_do_not_wait", Backing::Redis, in_a_hurry);
}

#[test]
fn nothing_outdated_is_read_from_redis_where_values_age() {
    on_server("nothing_outdated_is_read_from_redis_where_values_age", Backing::Redis, ageing);
}

#[test]
fn nothing_outdated_is_read_from_memcached_by_many_processes() {
    on_server("nothing_outdated_is_read_from_memcached_by_many_processes", Backing::Memcached, patient);
}

#[test]
fn nothing_outdated_is_read_from_memcached_by_those_who_do_not_wait() {
    on_server(
        "nothing_outdated_is_read_from_memcached_by_those_who_do_not_wait",
        Backing::Memcached,
        in_a_hurry,
    );
}

#[test]
fn nothing_outdated_is_read_from_memcached_where_values_age() {
    on_server("nothing_outdated_is_read_from_memcached_where_values_age", Backing::Memcached, ageing);
}

#[test]
fn nothing_outdated_is_read_from_a_clearable_memcached_by_many_processes() {
    let test = "nothing_outdated_is_read_from_a_clearable_memcached_by_many_processes";
    on_server(test, Backing::Clearable, patient);
}

const FEW: u64 = 20_000;
const AGE: Duration = Duration::from_millis(10);
const HURRY: Duration = Duration::from_millis(1);
// A machine with two cores runs 64 threads and the server.
const PATIENCE: Duration = Duration::from_secs(20);
