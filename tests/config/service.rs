//! The keys of the service: how loads are protected, and what holds for all backends.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use lexigram_cache::{BoxError, Remaining, Ttl};

use super::both::{config, memory, redis_at, sent, tasks, threads, with_service, worlds};
use super::support::{Wire, World, call, closed_port, eventually, in_time, poll, redis};

const LONG: Duration = Duration::from_secs(20);

fn protected(keys: &str) -> [World; 2] {
    worlds(&with_service(&memory(""), keys))
}

/// What a caller gets that comes while another loads the key and does not end, and how long that takes.
fn beside_a_load(world: &World, key: &str) -> (lexigram_cache::Result<u32>, Duration) {
    let (begun, beginning) = channel();
    let (end, ends) = channel::<()>();
    thread::scope(|scope| {
        let leader = scope.spawn(move || {
            world.load(key, || {
                begun.send(()).unwrap();
                // Ends with the other side.
                let _ = ends.recv_timeout(LONG);
                Ok::<u32, BoxError>(1)
            })
        });
        beginning.recv_timeout(LONG).unwrap();
        let start = Instant::now();
        let got = world.compute(key, 2);
        let took = start.elapsed();
        drop(end);
        assert_eq!(leader.join().unwrap().unwrap(), 1);
        (got, took)
    })
}

#[test]
pub fn enable_protection() {
    for world in protected("enable_protection: false") {
        let (got, took) = beside_a_load(&world, "k");
        assert_eq!(got.unwrap(), 2, "loads for itself");
        assert!(took < Duration::from_secs(5), "{took:?}");
    }
    for world in protected("") {
        let loads = AtomicU32::new(0);
        let load = || {
            loads.fetch_add(1, Ordering::Relaxed);
            // The other caller comes to wait meanwhile.
            poll(Duration::from_millis(50), || false);
            Ok::<u32, BoxError>(1)
        };
        thread::scope(|scope| {
            scope.spawn(|| world.load("k", load).unwrap());
            world.load("k", load).unwrap();
        });
        assert_eq!(loads.into_inner(), 1);
    }
}

#[test]
pub fn protection_lock_ttl() {
    let wire = Wire::before(redis().addr());
    for (keys, millis) in [("", "30000"), ("protection_lock_ttl: 7.777", "7777")] {
        for (n, world) in worlds(&with_service(&redis_at(wire.addr(), ""), keys)).iter().enumerate() {
            world.compute(&format!("lock-ttl-{millis}-{n}"), 1).unwrap();
            let sent = sent(&wire);
            assert!(sent.contains(&format!("\r\n{millis}\r\n")), "{sent}");
        }
    }
}

#[test]
pub fn protection_max_wait() {
    for world in protected("protection_max_wait: 30ms") {
        let (got, took) = beside_a_load(&world, "k");
        assert_eq!(got.unwrap(), 2);
        assert!(took >= Duration::from_millis(30) && took < Duration::from_secs(9), "{took:?}");
    }
}

#[test]
pub fn on_wait_timeout() {
    for world in protected("protection_max_wait: 30ms, on_wait_timeout: error") {
        assert!(beside_a_load(&world, "k").0.unwrap_err().is_timeout());
    }
}

/// How long it takes to look so often for what another process is loading.
fn looks(keys: &str, often: usize, key: &str) -> Duration {
    let wire = Wire::prompt(redis().addr());
    let yaml = with_service(&redis_at(wire.addr(), ""), keys);
    // Handles of its own, as another process has.
    let [other, world] = [threads(&yaml).default(), threads(&yaml).default()].map(World::Threads);
    let (begun, beginning) = channel();
    let (end, ends) = channel::<()>();
    thread::scope(|scope| {
        scope.spawn(move || {
            other.load(key, || {
                begun.send(()).unwrap();
                let _ = ends.recv_timeout(LONG);
                Ok::<u32, BoxError>(1)
            })
        });
        beginning.recv_timeout(LONG).unwrap();
        wire.take();
        let start = Instant::now();
        scope.spawn(move || world.compute(key, 2));
        eventually("it looks again and again", LONG, || wire.round_trips() >= often);
        let took = start.elapsed();
        drop(end);
        took
    })
}

#[test]
pub fn protection_retry_interval() {
    const OFTEN: usize = 60;
    // Else the pauses begin at 5 ms.
    let least = Duration::from_millis(5) * OFTEN as u32;
    assert!(looks("", OFTEN, "retry-default") > least);
    let mut number = 0;
    in_time("60 looks at most 1 ms apart", least, || {
        number += 1;
        looks("protection_retry_interval: 1ms", OFTEN, &format!("retry-{number}"))
    });
}

#[test]
pub fn default_backend() {
    let two = "backends: [{name: a, type: memory, default: true}, {name: b, type: memory}]\n";
    for (keys, name) in [("", "a"), ("default_backend: b", "b")] {
        let yaml = with_service(two, keys);
        let caches = threads(&yaml);
        caches.default().set("k", &1, Ttl::NEVER).unwrap();
        assert_eq!(caches.get(name).unwrap().get::<i32>("k").unwrap(), Some(1));
        let caches = tasks(&yaml);
        super::support::block_on(async {
            caches.default().set("k", &1, Ttl::NEVER).await.unwrap();
            assert_eq!(caches.get(name).unwrap().get::<i32>("k").await.unwrap(), Some(1));
        });
    }
}

#[test]
pub fn default_serializer() {
    let wire = Wire::before(redis().addr());
    for (keys, is_json) in [("", true), ("default_serializer: postcard", false)] {
        for world in worlds(&with_service(&redis_at(wire.addr(), ""), keys)) {
            call!(&world, cache => cache.set("serial", &vec!["text".to_owned()], Ttl::NEVER)).unwrap();
            assert_eq!(sent(&wire).contains("[\"text\"]"), is_json);
        }
    }
}

#[test]
pub fn ttl_jitter() {
    for (keys, is_longer) in [("", false), ("ttl_jitter: 1000h", true)] {
        for world in worlds(&with_service(&memory(", default_ttl: 60"), keys)) {
            // One in half a million is not longer.
            let left = (0..3).map(|n| {
                let key = format!("k{n}");
                world.load_for(&key, Ttl::DEFAULT, || Ok::<u32, BoxError>(1)).unwrap();
                call!(&world, cache => cache.ttl(&key)).unwrap().unwrap()
            });
            let longer = |left| matches!(left, Remaining::For(left) if left > Duration::from_secs(60));
            assert_eq!(left.into_iter().any(longer), is_longer);
        }
    }
}

#[test]
pub fn stale_for() {
    let wire = Wire::before(redis().addr());
    for (keys, millis) in [("", "60000"), ("stale_for: 1h", "3660000")] {
        for world in worlds(&with_service(&redis_at(wire.addr(), ""), keys)) {
            call!(&world, cache => cache.set("stale", &1, Duration::from_secs(60))).unwrap();
            let sent = sent(&wire);
            assert!(sent.contains(&format!("\r\n{millis}\r\n")), "{sent}");
        }
    }
}

#[test]
pub fn refresh_ahead() {
    for world in worlds(&with_service(&memory(", default_ttl: 60"), "refresh_ahead: 0.999")) {
        let loads = AtomicU32::new(0);
        eventually("a value of a minute is loaded again after a thousandth of it", LONG, || {
            let load = || Ok::<u32, BoxError>(loads.fetch_add(1, Ordering::Relaxed));
            world.load_for("k", Ttl::DEFAULT, load).unwrap();
            loads.load(Ordering::Relaxed) == 2
        });
    }
}

#[test]
pub fn negative_ttl() {
    let minute = |left| matches!(left, Some(Remaining::For(left)) if left <= Duration::from_secs(60));
    for (keys, is_short) in [("", false), ("negative_ttl: 60", true)] {
        for world in protected(keys) {
            world.compute("none", None::<u32>).unwrap();
            world.compute("some", Some(1)).unwrap();
            assert_eq!(minute(call!(&world, cache => cache.ttl("none")).unwrap()), is_short);
            assert!(!minute(call!(&world, cache => cache.ttl("some")).unwrap()));
        }
    }
}

/// How many calls of a cache without a server are made before one is refused, of 12.
fn made(world: &World) -> usize {
    let is_refused = |_: &usize| {
        let error = call!(world, cache => cache.get::<u64>("k")).unwrap_err();
        error.to_string().contains("once a second")
    };
    (0..12).find(is_refused).unwrap_or(12)
}

/// The worlds of one process share what they know of a server, so each gets a port of its own.
fn made_with(keys: &str) -> [usize; 2] {
    let yaml = || with_service(&redis_at(([127, 0, 0, 1], closed_port()).into(), ""), keys);
    [made(&World::Threads(threads(&yaml()).default())), made(&World::Tasks(tasks(&yaml()).default()))]
}

#[test]
pub fn circuit_breaker_enabled() {
    assert_eq!(made_with(""), [5, 5]);
    assert_eq!(made_with("circuit_breaker_enabled: false"), [12, 12]);
}

#[test]
pub fn circuit_breaker_threshold() {
    assert_eq!(made_with("circuit_breaker_threshold: 2"), [2, 2]);
}

#[test]
pub fn enable_metrics() {
    for (keys, counted) in [("", (1, 1, 1)), ("enable_metrics: false", (0, 0, 0))] {
        for world in protected(keys) {
            world.compute("k", 1).unwrap();
            world.compute("k", 1).unwrap();
            let stats = world.stats();
            assert_eq!((stats.hits, stats.misses, stats.loads), counted);
            assert_eq!(stats.entries, Some(1), "what the backend counts is another key");
        }
    }
    assert!(!config(&with_service(&memory(""), "enable_metrics: false")).service.enable_metrics);
}
