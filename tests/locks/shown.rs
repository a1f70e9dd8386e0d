//! What the server shows of a lock, and that a guard never claims more than that.

use std::time::{Duration, Instant};

use lexigram_cache::{Memory, Redis, Released};

use super::side::{both, everywhere};
use super::support::{self, RedisServer, ask_raw, soak};
use super::{LONG, SOON};

/// What Redis answers to a command of another client.
pub fn ask(server: &RedisServer, command: &str) -> String {
    let answer = ask_raw(server.addr(), format!("{command}\r\n").as_bytes());
    match answer.strip_prefix('$') {
        Some(bulk) => bulk.split_once("\r\n").map_or("", |(_, text)| text).trim_end().to_owned(),
        None => answer.trim_end().to_owned(),
    }
}

pub fn pttl(server: &RedisServer, key: &str) -> i64 {
    ask(server, &format!("PTTL {key}")).trim_start_matches(':').parse().unwrap()
}

#[test]
fn redis_shows_token_number_and_time_to_any_client() {
    let server = support::redis();
    let redis = Redis::builder(server.url()).build().unwrap();
    for locks in both!(redis, namespace("shown")) {
        let guard = locks.take("job", LONG);
        let key = "lexigram%lock:shown:{job}";
        assert_eq!(ask(server, &format!("GET {key}")), format!("{}:{}", guard.token(), guard.fencing()));
        let left = pttl(server, key);
        assert!((1..=60_000).contains(&left) && guard.remaining() <= Duration::from_millis(left as u64));
        assert_eq!(ask(server, &format!("GET {key}fence")), guard.fencing().to_string());
        assert_eq!(ask(server, &format!("TTL {key}fence")), ":-1", "fencing numbers are kept for ever");
        assert_eq!(guard.release().unwrap(), Released::Released);
        assert_eq!(
            ask(server, &format!("EXISTS {key} {key}fence:wake {key}fence:waiting")),
            ":0",
            "nothing else stays"
        );
    }
}

/// As braces and escapes in a name could have it otherwise; all keys of a lock are in one slot of a cluster.
#[test]
fn a_name_in_braces_keeps_its_keys_together() {
    let server = support::redis();
    let redis = Redis::builder(server.url()).build().unwrap();
    for locks in both!(redis, namespace("{}")) {
        let guard = locks.take("a{b}c", LONG);
        let key = "lexigram%lock:%7B%7D:{a%7Bb%7Dc}";
        assert!(ask(server, &format!("GET {key}")).starts_with(&guard.token()));
        assert!(!ask(server, &format!("GET {key}fence")).is_empty());
    }
}

/// Also while renewals and extensions, longer and shorter ones, are under way.
#[test]
fn a_guard_never_claims_more_time_than_the_server_has() {
    let server = RedisServer::start();
    let redis = Redis::builder(server.url()).build().unwrap();
    let looks = soak("SOAK_LOCKS", 30) * 10;
    for locks in both!(redis, timeout(SOON)) {
        let brief = Duration::from_millis(400);
        let guard = locks.take("k", brief);
        let mut least = Duration::MAX;
        for look in 0..looks {
            if look % 20 == 19 {
                guard.extend(if look % 40 == 39 { brief } else { 8 * brief }).unwrap();
            }
            // What is claimed now falls as the time does until the answer is here. A renewal in between only leaves the
            // server with more.
            let (claimed, asked) = (guard.remaining(), Instant::now());
            let left = pttl(&server, "lexigram%lock::{k}");
            let left = Duration::from_millis(left.max(0) as u64);
            let claimed = claimed.saturating_sub(asked.elapsed());
            assert!(claimed <= left, "look {look}: {claimed:?} claimed, {left:?} left");
            least = least.min(left - claimed);
        }
        println!("{looks} looks, the closest {least:?} under the server's");
        assert_eq!(guard.release().unwrap(), Released::Released);
    }
}

#[test]
fn a_lock_that_is_held_is_renewed_beyond_its_time() {
    everywhere("renewed", |locks| {
        let ttl = Duration::from_millis(300);
        let guard = locks.take("k", ttl);
        let start = Instant::now();
        // Memcached keeps a lock of 300 ms for two seconds.
        while start.elapsed() < Duration::from_millis(2_500) {
            std::thread::park_timeout(Duration::from_millis(20));
            assert!(!locks.is_free("k"), "after {:?}", start.elapsed());
        }
        assert!(guard.is_valid());
        assert_eq!(guard.release().unwrap(), Released::Released);
        assert!(locks.is_free("k"));
    });
}

#[test]
fn a_thousand_locks_are_renewed_side_by_side() {
    let redis = Redis::builder(support::redis().url()).build().unwrap();
    for locks in both!(redis, namespace("thousand"), timeout(SOON)) {
        let ttl = Duration::from_secs(3);
        let guards: Vec<_> = (0..1_000).map(|n| locks.take(&n.to_string(), ttl)).collect();
        let start = Instant::now();
        support::eventually("all have been renewed beyond their time", SOON, || {
            assert!(guards.iter().all(super::side::Guard::is_valid), "after {:?}", start.elapsed());
            start.elapsed() > ttl + ttl / 4
        });
    }
}

#[test]
fn locks_of_memory_are_not_evicted_by_values() {
    let memory = Memory::builder().max_entries(2).build().unwrap();
    let cache = lexigram_cache::Cache::builder().backend(memory.clone()).build().unwrap();
    for locks in both!(memory) {
        let guard = locks.take("k", LONG);
        (0..1_000).for_each(|n| cache.set(n.to_string(), &n, lexigram_cache::Ttl::NEVER).unwrap());
        cache.clear().unwrap();
        assert!(locks.attempt("k", LONG).unwrap().is_none());
        assert_eq!(guard.release().unwrap(), Released::Released);
    }
}

#[test]
fn threads_and_tasks_share_their_locks() {
    let redis = Redis::builder(support::redis().url()).build().unwrap();
    let memory = Memory::default();
    for [threads, tasks] in [both!(redis, namespace("shared")), both!(memory)] {
        let guard = threads.take("k", LONG);
        assert!(tasks.attempt("k", LONG).unwrap().is_none());
        let fencing = guard.fencing();
        drop(guard);
        let next = tasks.acquire("k", LONG, SOON).unwrap();
        assert!(next.fencing() > fencing && threads.attempt("k", LONG).unwrap().is_none());
        drop(next);
        assert!(threads.acquire("k", LONG, SOON).unwrap().is_valid());
    }
}

#[test]
fn a_period_is_not_begun_again_within_it_by_anybody() {
    everywhere("period", |locks| {
        assert!(locks.once_per("k", LONG).unwrap());
        assert!((0..20).all(|_| !locks.once_per("k", LONG).unwrap()));
        assert!(locks.is_free("k"), "a period is no lock");
    });
}

#[test]
fn a_guard_is_released_by_whatever_thread_has_it() {
    everywhere("elsewhere", |locks| {
        let guard = locks.take("k", LONG);
        let released = std::thread::spawn(move || guard.release().unwrap()).join().unwrap();
        assert_eq!(released, Released::Released);
        let guard = locks.take("k", LONG);
        std::thread::spawn(move || drop(guard)).join().unwrap();
        assert!(locks.acquire("k", LONG, SOON).unwrap().is_valid());
    });
}

/// Memory has nothing to wait for, so its guards need no runtime to go.
#[test]
fn a_guard_of_a_task_on_memory_is_released_wherever_it_is_dropped() {
    let locks = lexigram_cache::aio::LockStore::new(&Memory::default()).unwrap();
    let guard = support::block_on(locks.try_acquire("k", LONG)).unwrap();
    drop(guard);
    assert!(!support::block_on(locks.is_locked("k")).unwrap());
}
