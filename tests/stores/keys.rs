//! Walks over many keys. `SOAK_KEYS=1000000` is a long run.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use lexigram_cache::{
    BackendHandle, Cache, Clock, ErrorKind, LockStore, Memcached, Memory, Redis, Released, Remaining, Ttl,
    aio,
};

use crate::bench::{Bench, Kind, Over, secrets, state};
use crate::shelf::Shelf;
use crate::support::{
    MemcachedServer, RedisServer, SentinelServer, Wire, World, ask_raw, call, eventually, soak, worlds,
};

/// For calls that are not what is tested.
const PATIENCE: Duration = Duration::from_secs(20);

fn walk(world: &World, glob: &str) -> Vec<String> {
    let mut names = Vec::new();
    match world {
        World::Threads(cache) => {
            let mut keys = cache.keys(glob);
            while let Some(name) = keys.next_key().unwrap() {
                names.push(name);
            }
        }
        World::Tasks(cache) => crate::support::block_on(async {
            let mut keys = cache.keys(glob);
            while let Some(name) = keys.next_key().await.unwrap() {
                names.push(name);
            }
        }),
    }
    names
}

/// The room that a walk takes is that of a page, whatever there is to be walked over.
#[test]
fn a_walk_over_many_keys_takes_the_room_of_a_page() {
    let many = soak("SOAK_KEYS", 100_000);
    let server = RedisServer::start_with(&["--enable-debug-command", "yes"]);
    let populate = format!("DEBUG POPULATE {many} many 8\r\n");
    assert_eq!(ask_raw(server.addr(), populate.as_bytes()), "+OK\r\n");
    let redis = Redis::builder(server.url()).build().unwrap();
    let on_redis = Cache::builder().backend(redis).timeout(PATIENCE).build().unwrap();
    let memory = Memory::builder().max_entries(2 * many as usize).build().unwrap();
    let in_memory = Cache::builder().backend(memory).build().unwrap();
    for number in 0..many {
        in_memory.set(format!("many:{number}"), &number, Ttl::NEVER).unwrap();
    }
    for (kind, cache) in [("redis", on_redis), ("memory", in_memory)] {
        let (mut met, mut largest, begun) = (0, 0, Instant::now());
        let room = allocation_counter::measure(|| {
            let mut keys = cache.keys("many:*");
            while let Some(page) = keys.next_page().unwrap() {
                met += page.len() as u64;
                largest = largest.max(page.len());
            }
        });
        println!(
            "{met} keys on {kind} in {:?}: at most {largest} in a page, {} bytes at once",
            begun.elapsed(),
            room.bytes_max
        );
        // The table of this server stands still, so no key is met twice.
        assert_eq!(met, many);
        assert!(largest < 3_000 && room.bytes_max < 2 << 20, "{largest} keys, {} bytes", room.bytes_max);
    }
}

#[test]
fn what_stays_is_met_while_others_come_and_go() {
    let server = RedisServer::start();
    let redis = worlds!(Redis::builder(server.url()).build().unwrap(), prefix("app"), timeout(PATIENCE));
    let memory = worlds!(Memory::builder().max_entries(100_000).build().unwrap(), prefix("app"));
    let stay: HashSet<String> = (0..5_000).map(|number| format!("stays{number}")).collect();
    for world in redis.iter().chain(&memory) {
        call!(world, c => c.set_many(stay.iter().map(|name| (name, 1)), Ttl::NEVER)).unwrap();
        let ended = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                let mut round = 0;
                while !ended.load(Ordering::Relaxed) {
                    // The table grows and shrinks, and what stays is written anew.
                    let guests: Vec<_> = (0..500).map(|number| format!("guest{round}-{number}")).collect();
                    call!(world, c => c.set_many(guests.iter().map(|name| (name, 1)), Ttl::NEVER)).unwrap();
                    call!(world, c => c.set_many(stay.iter().take(500).map(|name| (name, 2)), Ttl::NEVER))
                        .unwrap();
                    call!(world, c => c.delete_many(&guests)).unwrap();
                    round += 1;
                }
            });
            let _over = Over(&ended);
            for _ in 0..5 {
                let met: HashSet<String> = walk(world, "*").into_iter().collect();
                let missed: Vec<_> = stay.difference(&met).take(3).collect();
                assert!(missed.is_empty(), "{missed:?} in {world:?}");
            }
        });
    }
}

#[test]
fn after_an_error_a_walk_goes_on_where_it_stood() {
    let server = RedisServer::start();
    let wire = Wire::prompt(server.addr());
    let redis = Redis::builder(format!("redis://{}/0", wire.addr())).breaker(None).build().unwrap();
    let cache = Cache::builder().backend(redis).prefix("app").timeout(PATIENCE).build().unwrap();
    cache.set_many((0..5_000).map(|number| (number.to_string(), number)), Ttl::NEVER).unwrap();
    let (mut keys, mut met, mut failures) = (cache.keys("*"), HashSet::new(), 0);
    loop {
        // A read whose connection failed is asked again once: only who is refused that too has failed.
        wire.refuse(true);
        wire.reset_after(100);
        match keys.next_page() {
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
                failures += 1;
            }
            Ok(Some(page)) => met.extend(page),
            Ok(None) => break,
        }
        wire.refuse(false);
        match keys.next_page().unwrap() {
            Some(page) => met.extend(page),
            None => break,
        }
    }
    assert!(failures > 0);
    assert_eq!(met.len(), 5_000);
}

#[test]
fn a_closed_cache_walks_no_further() {
    let cache = Cache::memory();
    cache.set_many((0..10).map(|number| (number.to_string(), number)), Ttl::NEVER).unwrap();
    let mut keys = cache.keys("*");
    cache.close();
    assert_eq!(keys.next_key().unwrap_err().kind(), ErrorKind::Closed);
}

/// What another program keeps as another type, or under a key that is no text.
#[test]
fn keys_of_other_programs_are_met_if_they_are_text() {
    let server = RedisServer::start();
    ask_raw(server.addr(), b"RPUSH list x\r\n");
    ask_raw(server.addr(), b"*3\r\n$3\r\nSET\r\n$2\r\n\xFF\xFE\r\n$1\r\nx\r\n");
    for world in worlds!(Redis::builder(server.url()).build().unwrap()) {
        assert_eq!(walk(&world, "*"), ["list"]);
        assert!(walk(&world, "none*").is_empty());
    }
}

/// Cursors are the master's own: those of one say nothing to another.
#[test]
fn a_walk_does_not_go_on_on_another_master() {
    let (master, other, sentinel) = (RedisServer::start(), RedisServer::start(), SentinelServer::start());
    sentinel.watch("mymaster", &master, 1, Duration::from_secs(600));
    let redis = Redis::builder(sentinel.url()).sentinel("mymaster", [""; 0]).build().unwrap();
    let cache = Cache::builder().backend(redis).timeout(PATIENCE).build().unwrap();
    cache.set_many((0..5_000).map(|number| (number.to_string(), number)), Ttl::NEVER).unwrap();
    let mut keys = cache.keys("*");
    assert!(!keys.next_page().unwrap().unwrap().is_empty());
    ask_raw(other.addr(), b"SET other 1\r\n");
    assert_eq!(ask_raw(sentinel.addr(), b"SENTINEL REMOVE mymaster\r\n"), "+OK\r\n");
    sentinel.watch("mymaster", &other, 1, Duration::from_secs(600));
    eventually("the other is the master", Duration::from_secs(20), || cache.exists("other").unwrap_or(false));
    let error = keys.next_page().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    let mut keys = cache.keys("*");
    assert_eq!((keys.next_key().unwrap().as_deref(), keys.next_key().unwrap()), (Some("other"), None));
}

/// What stores keep is not in any cache: nothing brings it back.
fn outlives_a_clear<B: Clone + Into<BackendHandle> + Into<aio::BackendHandle>>(kind: Kind, backend: &B) {
    let handle: BackendHandle = backend.clone().into();
    let lock = LockStore::new(&handle).unwrap().try_acquire("k", PATIENCE).unwrap().unwrap();
    for bench in Bench::on(kind, backend) {
        state!(&bench.vault, s => s.set("k", &1_u64, Ttl::NEVER)).unwrap();
        secrets!(&bench.vault, s => s.set_secret("k", "hidden", Ttl::NEVER)).unwrap();
        for world in worlds!(*backend, timeout(PATIENCE)) {
            let names = ["k", "lexigram", "lexigram-k", "app:lexigram%state:k"];
            call!(&world, c => c.set_many(names.map(|name| (name, 1)), Ttl::NEVER)).unwrap();
            call!(&world, c => c.clear()).unwrap();
            assert!(call!(&world, c => c.get_many::<u64>(names)).unwrap().is_empty(), "{kind:?}");
        }
        assert_eq!(state!(&bench.vault, s => s.get::<u64>("k")).unwrap(), Some(1), "{kind:?}");
        let secret = secrets!(&bench.vault, s => s.get_secret("k")).unwrap();
        assert_eq!(secret.unwrap().expose(), b"hidden", "{kind:?}");
    }
    assert_eq!(lock.release().unwrap(), Released::Released, "{kind:?}");
}

#[test]
fn clearing_a_cache_without_a_prefix_leaves_what_stores_keep() {
    let (redis, memcached) = (RedisServer::start(), MemcachedServer::start());
    outlives_a_clear(Kind::Redis, &Redis::builder(redis.url()).build().unwrap());
    let memcached = Memcached::builder([memcached.url()]).clearable(true).build().unwrap();
    outlives_a_clear(Kind::Memcached, &memcached);
    outlives_a_clear(Kind::Memory, &Memory::default());
    outlives_a_clear(Kind::Custom, &Shelf::default());
}

#[test]
fn a_page_after_a_key_is_what_that_key_has_left() {
    let server = RedisServer::start();
    let redis = worlds!(Redis::builder(server.url()).build().unwrap(), timeout(PATIENCE));
    for world in redis.iter().chain(&worlds!(Memory::default())) {
        let names: HashSet<String> = (0..20).map(|number| number.to_string()).collect();
        call!(world, c => c.set_many(names.iter().map(|name| (name, 1)), Ttl::NEVER)).unwrap();
        let (first, rest) = match world {
            World::Threads(cache) => {
                let mut keys = cache.keys("*");
                let (first, mut rest) = (keys.next_key().unwrap(), Vec::new());
                while let Some(page) = keys.next_page().unwrap() {
                    rest.extend(page);
                }
                (first, rest)
            }
            World::Tasks(cache) => crate::support::block_on(async {
                let mut keys = cache.keys("*");
                let (first, mut rest) = (keys.next_key().await.unwrap(), Vec::new());
                while let Some(page) = keys.next_page().await.unwrap() {
                    rest.extend(page);
                }
                (first, rest)
            }),
        };
        assert_eq!(rest.len(), 19, "{world:?}");
        assert_eq!(first.into_iter().chain(rest).collect::<HashSet<_>>(), names);
        call!(world, c => c.clear()).unwrap();
    }
}

#[test]
fn what_is_kept_past_its_time_is_not_taken_elsewhere() {
    let clock = Clock::hand();
    let memory = Memory::builder().clock(clock.clone()).build().unwrap();
    for world in worlds!(memory, stale_for(PATIENCE)) {
        call!(&world, c => c.set("k", &1, PATIENCE)).unwrap();
        call!(&world, c => c.set("long", &2, 3 * PATIENCE)).unwrap();
        assert_eq!(call!(&world, c => c.export(["k", "long"])).unwrap().len(), 2);
        clock.advance(PATIENCE + Duration::from_secs(1));
        let exported = call!(&world, c => c.export(["k", "long"])).unwrap();
        let left = exported["long"].remaining;
        assert!(exported.len() == 1, "{exported:?}");
        assert!(
            matches!(left, Some(Remaining::For(left)) if left < 2 * PATIENCE),
            "what is left is without what it is kept for: {left:?}"
        );
    }
}
