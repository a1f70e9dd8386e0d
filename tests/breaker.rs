//! A server that fails again and again is left alone, but for one try a second, by all who use it.
#![cfg(all(feature = "redis", feature = "memcached", feature = "async"))]

#[path = "breaker/settings.rs"]
mod settings;
mod support;

use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use lexigram_cache::{Cache, ErrorKind, Memcached, Redis, Ttl};
use support::{MemcachedServer, RedisServer, Remote, Wire, World, call, closed_port, eventually, worlds};

const TIMEOUT: Duration = Duration::from_millis(500);
/// What a refused call may take on a busy machine; it takes less than a microsecond.
const AT_ONCE: Duration = Duration::from_millis(5);
const FAILURES: u32 = 5;

fn guarded(remote: &Remote, addr: SocketAddr) -> [World; 2] {
    remote.guarded_worlds_at(addr, 10, TIMEOUT, Some(FAILURES))
}

fn get(world: &World) -> lexigram_cache::Result<Option<u64>> {
    call!(world, cache => cache.get::<u64>("k"))
}

/// Fails until the server is left alone.
fn fail_often(world: &World) {
    for _ in 0..FAILURES {
        let error = get(world).unwrap_err();
        assert!(error.is_retryable(), "{error:?}");
    }
}

/// How many calls of a second were made at once, and how many were not.
fn hammer(world: &World) -> (u32, u32) {
    let (start, mut quick, mut slow) = (Instant::now(), 0, 0);
    while start.elapsed() < Duration::from_secs(1) {
        let call = Instant::now();
        let error = get(world).unwrap_err();
        assert!(error.is_retryable(), "{error:?}");
        *(if call.elapsed() < AT_ONCE { &mut quick } else { &mut slow }) += 1;
        thread::sleep(Duration::from_millis(1));
    }
    (quick, slow)
}

#[test]
fn a_server_that_is_down_costs_each_call_next_to_nothing_and_one_dial_a_second() {
    Remote::each(|remote| {
        let wire = Wire::before(remote.addr());
        let worlds = guarded(remote, wire.addr());
        remote.kill();
        fail_often(&worlds[0]);
        for world in &worlds {
            let before = wire.connections();
            let (quick, slow) = (0..3).map(|_| hammer(world)).fold((0, 0), |a, b| (a.0 + b.0, a.1 + b.1));
            println!("{} down, {world:?}: {quick} calls at once, {slow} not", remote.name());
            assert!(quick > 100 && slow <= 8, "{quick} calls at once, {slow} not");
            let dialled = wire.connections() - before;
            assert!((2..=5).contains(&dialled), "{dialled} dials in three seconds in {world:?}");
        }
    });
}

#[test]
fn a_refused_call_says_that_it_was_not_made_and_what_had_failed_last() {
    Remote::each(|remote| {
        let nowhere = ([127, 0, 0, 1], closed_port()).into();
        for world in guarded(remote, nowhere) {
            for _ in 0..FAILURES {
                get(&world).unwrap_err();
            }
            for error in
                [get(&world).unwrap_err(), call!(&world, c => c.set("k", "v", Ttl::NEVER)).unwrap_err()]
            {
                assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
                assert!(error.is_retryable() && !error.is_timeout());
                let text = error.to_string();
                assert!(text.contains("once a second") && text.contains(&nowhere.to_string()), "{text}");
            }
        }
    });
}

#[test]
fn a_server_that_is_back_is_used_again_within_two_seconds() {
    Remote::each(|remote| {
        for world in guarded(remote, remote.addr()) {
            assert_eq!(get(&world).unwrap(), None);
            remote.kill();
            fail_often(&world);
            assert!(get(&world).is_err());
            remote.restart();
            let back = Instant::now();
            eventually("the first success", Duration::from_secs(5), || get(&world).is_ok());
            println!("{} killed, {world:?}: used again after {:?}", remote.name(), back.elapsed());
            assert!(back.elapsed() < Duration::from_secs(2), "{:?} in {world:?}", back.elapsed());
            (0..100).for_each(|_| assert!(get(&world).is_ok()));
        }
    });
}

#[test]
fn who_finds_out_that_a_server_is_back_opens_no_more_connections_than_there_are_places() {
    Remote::each(|remote| {
        let wire = Wire::before(remote.addr());
        let [threads, tasks] = remote.guarded_worlds_at(wire.addr(), 1, TIMEOUT, Some(FAILURES));
        // Its connection outlives an outage that only the other world meets.
        get(&tasks).unwrap();
        wire.refuse(true);
        fail_often(&threads);
        wire.refuse(false);
        eventually("the first success", Duration::from_secs(5), || get(&tasks).is_ok());
        eventually("one connection", Duration::from_secs(5), || wire.open_connections() == 1);
    });
}

#[test]
fn a_server_that_hangs_is_left_alone_too_and_used_again_when_it_goes_on() {
    Remote::each(|remote| {
        for world in guarded(remote, remote.addr()) {
            get(&world).unwrap();
            remote.stop();
            thread::scope(|scope| (0..FAILURES).for_each(|_| drop(scope.spawn(|| get(&world).unwrap_err()))));
            let (quick, slow) = hammer(&world);
            assert!(quick > 100 && slow <= 3, "{quick} calls at once, {slow} not in {world:?}");
            remote.cont();
            let back = Instant::now();
            eventually("the first success", Duration::from_secs(5), || get(&world).is_ok());
            println!("{} stopped, {world:?}: used again after {:?}", remote.name(), back.elapsed());
            assert!(back.elapsed() < Duration::from_secs(2), "{:?} in {world:?}", back.elapsed());
        }
    });
}

#[test]
fn a_write_that_tries_a_hanging_server_does_not_leave_for_it() {
    Remote::each(|remote| {
        for world in guarded(remote, remote.addr()) {
            get(&world).unwrap();
            remote.stop();
            thread::scope(|scope| (0..FAILURES).for_each(|_| drop(scope.spawn(|| get(&world).unwrap_err()))));
            let start = Instant::now();
            while start.elapsed() < Duration::from_millis(2_500) {
                let error = call!(&world, cache => cache.incr("n", 1, Ttl::NEVER)).unwrap_err();
                assert!(error.is_retryable(), "nothing was sent: {error:?}");
                thread::sleep(Duration::from_millis(5));
            }
            remote.cont();
            let works = || call!(&world, cache => cache.get::<i64>("n"));
            eventually("it goes on", Duration::from_secs(5), || works().is_ok());
            assert_eq!(works().unwrap(), None, "a failed count was applied");
        }
    });
}

#[test]
fn all_who_use_a_server_learn_of_its_failures_together() {
    Remote::each(|remote| {
        let nowhere = ([127, 0, 0, 1], closed_port()).into();
        let (one, other) = (guarded(remote, nowhere), guarded(remote, nowhere));
        fail_often(&one[0]);
        for world in one.iter().chain(&other) {
            let error = get(world).unwrap_err();
            assert!(error.to_string().contains("once a second"), "{error}");
        }
    });
}

#[test]
fn a_patient_caller_is_let_through_where_only_hasty_ones_failed() {
    Remote::each(|remote| {
        let wire = Wire::before(remote.addr());
        for world in guarded(remote, wire.addr()) {
            get(&world).unwrap();
            wire.delay_replies(Duration::from_millis(500));
            let (world, hasty) = (world.with_timeout(10 * TIMEOUT), world.with_timeout(TIMEOUT / 20));
            (0..FAILURES).for_each(|_| drop(get(&hasty).unwrap_err()));
            assert!(get(&hasty).unwrap_err().to_string().contains("once a second"));
            assert_eq!(get(&world).unwrap(), None);
            wire.delay_replies(Duration::ZERO);
            assert_eq!(get(&world.with_timeout(TIMEOUT)).unwrap(), None, "an answer closes it");
        }
    });
}

#[test]
fn callers_who_wait_for_a_connection_in_vain_say_nothing_about_the_server() {
    Remote::each(|remote| {
        let wire = Wire::before(remote.addr());
        let [threads, _] = remote.guarded_worlds_at(wire.addr(), 1, Duration::from_secs(20), Some(FAILURES));
        get(&threads).unwrap();
        wire.take();
        wire.blackhole(true);
        thread::scope(|scope| {
            let holder = scope.spawn(|| get(&threads));
            eventually("it is on its way", Duration::from_secs(5), || !wire.requests().is_empty());
            let hasty = threads.with_timeout(Duration::from_millis(20));
            for _ in 0..2 * FAILURES {
                let error = get(&hasty).unwrap_err();
                assert!(error.to_string().contains("pool_size"), "{error}");
            }
            wire.blackhole(false);
            holder.join().unwrap().unwrap();
        });
    });
}

#[test]
fn a_dead_memcached_server_does_not_close_the_way_to_the_others() {
    let alive = MemcachedServer::start();
    let nowhere = format!("127.0.0.1:{}", closed_port());
    let memcached = Memcached::builder([alive.url(), nowhere.clone()]).build().unwrap();
    for world in worlds!(memcached, timeout(TIMEOUT)) {
        let keys: Vec<_> = (0..200).map(|n| format!("key {n}")).collect();
        let (mut served, mut failed) = (0, 0);
        for key in &keys {
            match call!(&world, cache => cache.get::<u64>(key)) {
                Ok(value) => served += u32::from(value.is_none()),
                Err(error) => {
                    assert!(error.is_retryable() && error.to_string().contains(&nowhere), "{error}");
                    failed += 1;
                }
            }
        }
        assert!(served > 50 && failed > 50, "{served} served, {failed} failed");
    }
}

#[test]
fn a_cache_that_degrades_goes_on_at_once_without_a_server_that_is_left_alone() {
    let nowhere = format!("127.0.0.1:{}", closed_port());
    let redis = Redis::builder(format!("redis://{nowhere}")).build().unwrap();
    let memcached = Memcached::builder([nowhere]).build().unwrap();
    let worlds = [worlds!(redis, degrade(true)), worlds!(memcached, degrade(true))];
    for world in worlds.iter().flatten() {
        (0..FAILURES).for_each(|_| assert_eq!(get(world).unwrap(), None));
        let mut slow = 0;
        for calls in u64::from(FAILURES)..200 {
            let start = Instant::now();
            assert_eq!(get(world).unwrap(), None);
            slow += u32::from(start.elapsed() > AT_ONCE);
            assert_eq!(world.stats().absorbed, calls + 1, "what is refused is absorbed and counted too");
        }
        assert!(slow <= 5, "{slow} calls were not made at once");
    }
}

#[test]
fn what_a_server_refuses_does_not_count_as_its_failure() {
    let server = RedisServer::start_with(&["--maxmemory", "1", "--maxmemory-policy", "noeviction"]);
    for world in worlds!(Redis::builder(server.url()).build().unwrap(), timeout(TIMEOUT)) {
        for _ in 0..3 * FAILURES {
            let error = call!(&world, cache => cache.set("k", "v", Ttl::NEVER)).unwrap_err();
            assert_eq!((error.kind(), error.code()), (ErrorKind::Refused, Some("OOM")), "{error}");
        }
        assert_eq!(get(&world).unwrap(), None);
    }
}

#[test]
fn who_sets_no_breaker_is_never_refused() {
    let redis = Redis::builder(format!("redis://127.0.0.1:{}", closed_port())).breaker(None).build().unwrap();
    let cache = Cache::builder().backend(redis).build().unwrap();
    for _ in 0..4 * FAILURES {
        let error = cache.get::<u64>("k").unwrap_err();
        assert!(error.to_string().contains("connect"), "{error}");
    }
}
