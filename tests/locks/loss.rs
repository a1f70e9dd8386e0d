//! Locks that their holders lose: to an eviction, a restart, another client, a server that is away.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use lexigram_cache::{Clock, ErrorKind, Memcached, Memory, Redis, Released};

use super::shown::ask;
use super::side::{both, everywhere};
use super::support::{MemcachedServer, RedisServer, closed_port, eventually, soak};
use super::{LONG, SOON};

const TTL: Duration = Duration::from_millis(600);

/// A callback that tells the names of lost locks, and then panics.
fn listener() -> (impl Fn(&str) + Clone + Send + Sync + 'static, mpsc::Receiver<String>) {
    let (lost, losses) = mpsc::channel();
    let told = move |name: &str| {
        lost.send(name.to_owned()).unwrap();
        std::panic::resume_unwind(Box::new("the callback panics"));
    };
    (told, losses)
}

#[test]
fn a_lock_that_is_deleted_is_lost_at_the_next_renewal_and_not_owned() {
    let server = RedisServer::start();
    let redis = Redis::builder(server.url()).build().unwrap();
    let (told, losses) = listener();
    for world in 0..2 {
        let locks = both!(redis, on_loss(told.clone()))[world].clone();
        let (guard, other) = (locks.take("k", TTL), locks.take("other", TTL));
        assert_eq!(ask(&server, "DEL lexigram%lock::{k}"), ":1");
        let deleted = Instant::now();
        assert_eq!(losses.recv_timeout(SOON).unwrap(), "k");
        assert!(deleted.elapsed() < TTL, "told only after {:?}", deleted.elapsed());
        assert!(!guard.is_valid() && guard.remaining().is_zero());
        assert_eq!(guard.extend(TTL).unwrap_err().kind(), ErrorKind::NotOwned);
        // Though its time has passed meanwhile: it was taken before.
        eventually("the time is over", SOON, || deleted.elapsed() > TTL);
        assert_eq!(guard.release().unwrap(), Released::NotOwned);
        assert!(other.is_valid(), "the panic of the callback ended the renewal of others");
        assert_eq!(other.release().unwrap(), Released::Released);
        assert!(losses.try_recv().is_err(), "told once");
    }
}

#[test]
fn a_lock_that_is_deleted_and_not_renewed_is_found_lost_when_it_is_used() {
    let server = RedisServer::start();
    let redis = Redis::builder(server.url()).build().unwrap();
    let count = Arc::new(AtomicU32::new(0));
    let lost = Arc::clone(&count);
    for locks in both!(
        redis,
        renewal(false),
        on_loss({
            let lost = Arc::clone(&lost);
            move |_: &str| {
                lost.fetch_add(1, Ordering::SeqCst);
            }
        })
    ) {
        let (one, two) = (locks.take("one", LONG), locks.take("two", LONG));
        ask(&server, "DEL lexigram%lock::{one} lexigram%lock::{two}");
        assert_eq!(one.extend(LONG).unwrap_err().kind(), ErrorKind::NotOwned);
        assert_eq!(one.extend(LONG).unwrap_err().kind(), ErrorKind::NotOwned, "and again");
        assert!(!one.is_valid() && two.is_valid());
        assert_eq!([one.release().unwrap(), two.release().unwrap()], [Released::NotOwned; 2]);
    }
    assert_eq!(count.load(Ordering::SeqCst), 2, "each extension told once, a release never");
}

#[test]
fn a_lock_that_another_client_takes_over_is_left_to_it() {
    let server = RedisServer::start();
    let redis = Redis::builder(server.url()).build().unwrap();
    for locks in both!(redis) {
        let guard = locks.take("k", TTL);
        assert_eq!(ask(&server, "SET lexigram%lock::{k} theirs"), "+OK");
        eventually("the loss is noticed", SOON, || !guard.is_valid());
        assert_eq!(guard.release().unwrap(), Released::NotOwned);
        assert_eq!(ask(&server, "GET lexigram%lock::{k}"), "theirs");
        assert!(locks.attempt("k", TTL).unwrap().is_none(), "held by whoever wrote it");
        ask(&server, "DEL lexigram%lock::{k}");
        ask(&server, "LPUSH lexigram%lock::{k} theirs");
        assert!(locks.attempt("k", TTL).unwrap().is_none(), "of whatever type it is");
        ask(&server, "DEL lexigram%lock::{k}");
    }
}

/// Writes values until the lock has gone.
fn crowd_out(cache: &lexigram_cache::Cache, has_gone: impl Fn() -> bool) {
    let gone = (0..400).any(|round| {
        let names = (0..2_000).map(|n| (format!("{round} {n}"), "x".repeat(20 + 20 * (round % 6))));
        cache.set_many(names, LONG).unwrap();
        has_gone()
    });
    assert!(gone, "there was room for everything");
}

#[test]
fn a_lock_that_redis_evicts_is_lost_and_warned_of() {
    let server = RedisServer::start_with(&["--maxmemory", "3mb", "--maxmemory-policy", "allkeys-random"]);
    let redis = Redis::builder(server.url()).build().unwrap();
    let cache = lexigram_cache::Cache::builder().backend(redis.clone()).timeout(SOON).build().unwrap();
    let (warn, warnings) = mpsc::channel();
    for locks in both!(
        redis,
        on_warning({
            let warn = warn.clone();
            move |text: &str| drop(warn.send(text.to_owned()))
        })
    ) {
        assert!(locks.check().unwrap()[0].contains("allkeys-random"));
        let guard = locks.take("k", Duration::from_secs(3));
        assert!(warnings.recv_timeout(SOON).unwrap().contains("allkeys-random"));
        crowd_out(&cache, || !guard.is_valid());
        assert!(warnings.try_recv().is_err(), "warned once");
        assert_eq!(guard.release().unwrap(), Released::NotOwned);
    }
}

#[test]
fn a_lock_that_memcached_evicts_is_lost() {
    let server = MemcachedServer::start_with(&["-m", "2"]);
    let memcached = Memcached::builder([server.url()]).build().unwrap();
    let cache = lexigram_cache::Cache::builder().backend(memcached.clone()).timeout(SOON).build().unwrap();
    for locks in both!(memcached) {
        // A renewal is a use, which keeps it from being evicted for a while: there are few.
        let guard = locks.take("k", Duration::from_secs(6));
        crowd_out(&cache, || !guard.is_valid());
        assert_eq!(guard.release().unwrap(), Released::NotOwned);
    }
}

#[test]
fn locks_held_before_a_restart_without_data_are_lost_and_numbers_go_on_rising() {
    let server = RedisServer::start();
    let redis = Redis::builder(server.url()).breaker(None).build().unwrap();
    for locks in both!(redis, timeout(SOON)) {
        let guard = locks.take("k", TTL);
        server.restart();
        eventually("the loss is noticed", SOON, || !guard.is_valid());
        let next = locks.take("k", TTL);
        assert!(next.fencing() > guard.fencing());
        assert_eq!(guard.release().unwrap(), Released::NotOwned);
        assert!(next.is_valid());
        assert_eq!(next.release().unwrap(), Released::Released);
    }
}

#[test]
fn numbers_go_on_rising_over_counters_that_are_gone_or_come_back_from_an_earlier_time() {
    let server = RedisServer::start();
    let redis = Redis::builder(server.url()).build().unwrap();
    for locks in both!(redis) {
        let mut last = 0;
        for command in
            ["DEL lexigram%lock::{k}fence", "SET lexigram%lock::{k}fence 17", "SET lexigram%lock::{k}fence x"]
        {
            let guard = locks.take("k", LONG);
            assert!(guard.fencing() > last);
            last = guard.fencing();
            assert_eq!(guard.release().unwrap(), Released::Released);
            ask(&server, command);
        }
        let ahead = last + 1_000_000_000;
        ask(&server, &format!("SET lexigram%lock::{{k}}fence {ahead}"));
        assert_eq!(
            locks.take("k", LONG).fencing(),
            ahead + 1,
            "a clock that was set back does not lower them"
        );
        eventually("it is given back", SOON, || locks.is_free("k"));
        ask(&server, "DEL lexigram%lock::{k}fence");
    }
}

#[test]
fn a_lock_whose_server_is_away_is_valid_until_its_own_time_is_over() {
    let server = RedisServer::start();
    let redis = Redis::builder(server.url()).build().unwrap();
    let (told, losses) = listener();
    for world in 0..2 {
        let locks = both!(redis, on_loss(told.clone()))[world].clone();
        let guard = locks.take("k", TTL);
        server.kill();
        let killed = Instant::now();
        eventually("its time is over", SOON, || !guard.is_valid());
        assert!(killed.elapsed() > TTL / 2, "given up after {:?}", killed.elapsed());
        assert_eq!(losses.recv_timeout(SOON).unwrap(), "k");
        assert!(guard.release().is_err());
        server.restart();
        eventually("the server is asked again", SOON, || {
            locks.attempt("k", TTL).is_ok_and(|guard| guard.is_some())
        });
    }
}

#[test]
fn drops_and_calls_end_in_time_on_a_server_that_stands_still() {
    let server = RedisServer::start();
    let redis = Redis::builder(server.url()).breaker(None).build().unwrap();
    let timeout = Duration::from_millis(300);
    for locks in both!(redis, timeout(timeout)) {
        let guards = [(); 3].map(|()| locks.take(&format!("{:?}", Instant::now()), LONG));
        server.stop();
        let [released, extended, dropped] = guards;
        let most = 2 * timeout + Duration::from_millis(100);
        let begun = Instant::now();
        assert!(released.release().is_err() && begun.elapsed() < most, "{:?}", begun.elapsed());
        let begun = Instant::now();
        assert!(extended.extend(LONG / 2).is_err() && begun.elapsed() < most, "{:?}", begun.elapsed());
        let shortened = extended.remaining();
        assert!(shortened <= LONG / 2, "what may have been applied counts: {shortened:?}");
        let begun = Instant::now();
        drop(dropped);
        assert!(begun.elapsed() < most, "{:?}", begun.elapsed());
        server.cont();
        drop(extended);
    }
}

/// The server takes the lock, and the holder never hears of it.
#[test]
fn a_lock_that_was_taken_for_nobody_is_given_back() {
    let server = RedisServer::start();
    let redis = Redis::builder(server.url()).breaker(None).build().unwrap();
    for locks in both!(redis, timeout(Duration::from_millis(200))) {
        drop(locks.take("warm", LONG));
        for _ in 0..soak("SOAK_LOCKS", 30).min(50) / 10 {
            server.stop();
            assert!(locks.attempt("k", LONG).is_err());
            server.cont();
            eventually("the lock is free", SOON, || locks.is_free("k"));
        }
    }
}

#[test]
fn by_the_clock_of_memory_a_lock_ends_to_the_nanosecond() {
    let clock = Clock::hand();
    let memory = Memory::builder().clock(clock.clone()).build().unwrap();
    for locks in both!(memory, renewal(false)) {
        let guard = locks.take("k", LONG);
        assert_eq!(guard.remaining(), LONG);
        clock.advance(LONG - Duration::from_nanos(1));
        assert!(guard.is_valid() && !locks.is_free("k"));
        clock.advance(Duration::from_nanos(1));
        assert!(!guard.is_valid() && locks.is_free("k"));
        assert_eq!(guard.release().unwrap(), Released::Expired);
    }
}

#[test]
fn an_extension_may_shorten_and_renewals_keep_to_it() {
    everywhere("shortened", |locks| {
        let guard = locks.take("k", LONG);
        guard.extend(Duration::from_millis(300)).unwrap();
        assert!(guard.remaining() <= Duration::from_millis(300));
        let start = Instant::now();
        while start.elapsed() < Duration::from_millis(900) {
            std::thread::park_timeout(Duration::from_millis(20));
            assert!(guard.is_valid(), "after {:?}", start.elapsed());
        }
        assert_eq!(guard.release().unwrap(), Released::Released);
    });
}

/// A cache that goes on without its server is no base for locks that do.
#[test]
fn a_lock_on_a_cache_that_degrades_still_fails() {
    let redis = Redis::builder(format!("redis://127.0.0.1:{}/0", closed_port())).build().unwrap();
    let cache = lexigram_cache::Cache::builder().backend(redis).degrade(true).build().unwrap();
    assert_eq!(cache.get::<u8>("k").unwrap(), None);
    let locks = lexigram_cache::LockStore::new(&cache).unwrap();
    assert_eq!(locks.try_acquire("k", LONG).unwrap_err().kind(), ErrorKind::Unavailable);
    assert_eq!(locks.acquire("k", LONG, LONG).unwrap_err().kind(), ErrorKind::Unavailable);
    assert_eq!(locks.once_per("k", LONG).unwrap_err().kind(), ErrorKind::Unavailable);
}

#[test]
fn a_server_that_stands_still_costs_no_lock_on_another() {
    let (still, sound) = (RedisServer::start(), RedisServer::start());
    let [still_one, sound_one] =
        [&still, &sound].map(|server| Redis::builder(server.url()).breaker(None).build().unwrap());
    let pairs = both!(still_one, timeout(SOON)).into_iter().zip(both!(sound_one, timeout(SOON)));
    for (on_still, on_sound) in pairs {
        let stuck = on_still.take("k", Duration::from_secs(3));
        let guard = on_sound.take("k", Duration::from_millis(1_200));
        still.stop();
        let stopped = Instant::now();
        eventually("the other lock is over", SOON, || {
            assert!(guard.is_valid(), "after {:?}", stopped.elapsed());
            !stuck.is_valid()
        });
        still.cont();
        assert_eq!(guard.release().unwrap(), Released::Released);
    }
}
