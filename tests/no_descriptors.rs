//! A process that may open no more sockets: its calls fail in time, and work again by themselves.
#![cfg(all(feature = "redis", feature = "memcached", feature = "async"))]

mod support;

use std::fs::File;
use std::time::{Duration, Instant};

use lexigram_cache::ErrorKind;
use support::{Backing, Parent, Place, Process, Remote, World, call, worlds_at};

const TIMEOUT: Duration = Duration::from_millis(500);
const LIMIT: Duration = Duration::from_millis(600);
const DESCRIPTORS: u32 = 64;

#[test]
fn without_descriptors_redis_is_unavailable_and_comes_back_by_itself() {
    on(Backing::Redis, "without_descriptors_redis_is_unavailable_and_comes_back_by_itself");
}

#[test]
fn without_descriptors_memcached_is_unavailable_and_comes_back_by_itself() {
    on(Backing::Memcached, "without_descriptors_memcached_is_unavailable_and_comes_back_by_itself");
}

fn on(kind: Backing, test: &str) {
    if let Some(parent) = Parent::find() {
        return be_the_poor(&parent, parent.given().parse().unwrap());
    }
    let remote = Remote::start(kind);
    let place = Place { kind, addr: remote.addr() };
    let mut poor = Process::start_with_descriptors(DESCRIPTORS, test, &place.to_string());
    for _ in 0..2 {
        println!("{}: {}", remote.name(), poor.hear());
    }
    assert_eq!(poor.hear(), "done");
}

fn be_the_poor(parent: &Parent, place: Place) {
    let connected = worlds_at!(place, prefix("app"), timeout(TIMEOUT));
    let fresh = worlds_at!(place, prefix("app"), timeout(TIMEOUT));
    for (connected, fresh) in connected.iter().zip(&fresh) {
        // A pool that is still filling may give out a slot without a connection.
        (0..200).for_each(|_| assert_eq!(read(connected).unwrap(), None));
        let files = take_all();
        let start = Instant::now();
        let error = read(fresh).unwrap_err();
        let took = start.elapsed();
        assert!(took < LIMIT, "{took:?}: {error}");
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
        assert_eq!(read(connected).unwrap(), None, "what is open still works");
        drop(files);
        let start = Instant::now();
        while let Err(error) = read(fresh) {
            assert!(start.elapsed() < Duration::from_secs(2), "{error:?}");
        }
        parent.tell(&format!("{took:?} without, {:?} until it works: {error}", start.elapsed()));
    }
    parent.tell("done");
}

fn read(world: &World) -> lexigram_cache::Result<Option<u64>> {
    call!(world, cache => cache.get::<u64>("k"))
}

/// Opens files until there are no more descriptors.
fn take_all() -> Vec<File> {
    let files: Vec<_> = std::iter::from_fn(|| File::open("/dev/null").ok()).collect();
    assert!((10..DESCRIPTORS as usize).contains(&files.len()), "{} files", files.len());
    files
}
