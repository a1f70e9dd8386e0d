//! Another configuration for caches that run.

use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use lexigram_cache::{BoxError, Caches, ErrorKind, Remaining, Result, Ttl, aio};

use super::both::{config, tasks, threads};
use super::support::{World, call};

/// Caches of either world, and a clone of their default cache that is held from the start.
enum Running {
    Threads(Caches),
    Tasks(aio::Caches),
}

impl Running {
    fn reload(&self, yaml: &str) -> Result<()> {
        match self {
            Running::Threads(caches) => caches.reload(config(yaml)),
            Running::Tasks(caches) => caches.reload(config(yaml)),
        }
    }

    fn of(yaml: &str) -> [(Running, World); 2] {
        let (threads, tasks) = (threads(yaml), tasks(yaml));
        let worlds = [World::Threads(threads.default()), World::Tasks(tasks.default())];
        let [one, two] = worlds;
        [(Running::Threads(threads), one), (Running::Tasks(tasks), two)]
    }
}

fn yaml(backend: &str, service: &str) -> String {
    format!("backends: [{{name: a, type: memory{backend}}}]\nservice: {{{service}}}\n")
}

fn left(world: &World, key: &str) -> Duration {
    match call!(world, cache => cache.ttl(key)).unwrap().unwrap() {
        Remaining::For(left) => left,
        Remaining::Never => Duration::MAX,
    }
}

#[test]
fn a_clone_that_is_held_sees_other_lifetimes_and_loses_no_value() {
    for (caches, world) in Running::of(&yaml(", default_ttl: 60", "")) {
        call!(&world, cache => cache.set("old", &1, Ttl::DEFAULT)).unwrap();
        caches.reload(&yaml(", default_ttl: 2h", "negative_ttl: 5, ttl_jitter: 1000h")).unwrap();
        call!(&world, cache => cache.set("new", &1, Ttl::DEFAULT)).unwrap();
        assert!(left(&world, "old") <= Duration::from_secs(60));
        assert!(
            left(&world, "new") > Duration::from_secs(60)
                && left(&world, "new") <= Duration::from_secs(7_200)
        );
        world.load_for("none", Ttl::DEFAULT, || Ok::<Option<u8>, BoxError>(None)).unwrap();
        assert!(left(&world, "none") <= Duration::from_secs(3_600_005));
        world.load_for("some", Ttl::DEFAULT, || Ok::<Option<u8>, BoxError>(Some(1))).unwrap();
        // One in five hundred is not.
        let longer = |n: &u8| {
            let key = format!("some{n}");
            world.load_for(&key, Ttl::DEFAULT, || Ok::<Option<u8>, BoxError>(Some(1))).unwrap();
            left(&world, &key) > Duration::from_secs(7_200)
        };
        assert!((0..5).any(|n| longer(&n)));
        caches.reload(&yaml("", "")).unwrap();
        call!(&world, cache => cache.set("never", &1, Ttl::DEFAULT)).unwrap();
        assert_eq!(left(&world, "never"), Duration::MAX);
    }
}

#[test]
fn protection_is_switched_off_and_on_under_a_running_cache() {
    for (caches, world) in Running::of(&yaml("", "")) {
        for (number, is_shared) in [(1, true), (2, false), (3, true)] {
            caches.reload(&yaml("", &format!("enable_protection: {is_shared}"))).unwrap();
            let loads = AtomicU32::new(0);
            let key = format!("k{number}");
            let load = || {
                loads.fetch_add(1, Ordering::Relaxed);
                // With the others at the same time, or until they must have come to wait.
                super::support::poll(Duration::from_millis(300), || loads.load(Ordering::Relaxed) == 3);
                Ok::<u32, BoxError>(1)
            };
            thread::scope(|scope| {
                (0..3).for_each(|_| drop(scope.spawn(|| world.load(&key, load).unwrap())));
            });
            assert_eq!(loads.into_inner(), if is_shared { 1 } else { 3 });
        }
    }
}

#[test]
fn a_policy_begins_with_the_rules_in_force() {
    let caches = threads(&yaml("", ""));
    let cache = caches.default();
    caches
        .reload(config(&yaml("", "protection_max_wait: 5s, protection_lock_ttl: 7s, refresh_ahead: 0.25")))
        .unwrap();
    let policy = format!("{:?}", cache.policy().build().unwrap());
    for rule in ["max_wait: 5s", "lock_ttl: 7s", "refresh_ahead: Some(0.25)"] {
        assert!(policy.contains(rule), "{policy}");
    }
}

#[test]
fn what_cannot_be_changed_is_listed_and_nothing_is_changed_then() {
    for (caches, world) in Running::of(&yaml(", default_ttl: 60", "")) {
        let error = caches
            .reload(&format!(
                "enabled: false\n{}",
                yaml(", default_ttl: 2h, max_size: 5, key_prefix: p", "stale_for: 5, negative_ttl: 1")
            ))
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert_eq!(
            error.to_string(),
            "these keys cannot be changed while caches run; build new ones for them: cache.enabled, \
             cache.service.stale_for, cache.backends[0].key_prefix, cache.backends[0].max_size"
        );
        call!(&world, cache => cache.set("k", &1, Ttl::DEFAULT)).unwrap();
        assert!(left(&world, "k") <= Duration::from_secs(60), "the lifetime has not changed either");
    }
}

#[test]
fn other_backends_are_other_caches() {
    let caches = threads(&yaml("", ""));
    for (other, expected) in [
        ("backends: [{name: b, type: memory}]", "cache.backends (their names"),
        (
            "backends: [{name: a, type: memory, default: true}, {name: b, type: memory}]",
            "cache.backends (their names",
        ),
        ("backends: [{name: a, type: redis, redis_password: S3CR3T-7f2a}]", "cache.backends[0].type"),
    ] {
        let error = caches.reload(config(other)).unwrap_err().to_string();
        assert!(error.contains(expected) && !error.contains("S3CR3T"), "{error}");
    }
}

#[test]
fn a_configuration_that_is_wrong_is_refused_as_ever() {
    let caches = threads(&yaml("", ""));
    let mut wrong = caches.config();
    wrong.service.refresh_ahead = 7.0;
    let error = caches.reload(wrong).unwrap_err();
    assert!(error.to_string().contains("cache.service.refresh_ahead: must be a fraction"), "{error}");
    assert_eq!(caches.config().service.refresh_ahead, 0.0);
}

#[test]
fn reloads_at_once_leave_one_configuration_whole() {
    let caches = threads(&yaml("", ""));
    thread::scope(|scope| {
        for seconds in 1..=4_u64 {
            let caches = &caches;
            scope.spawn(move || {
                for _ in 0..50 {
                    let config = config(&yaml(
                        &format!(", default_ttl: {seconds}h"),
                        &format!("negative_ttl: {seconds}"),
                    ));
                    caches.reload(config).unwrap();
                }
            });
        }
    });
    let last = caches.config();
    let hours = last.backends[0].default_ttl.unwrap();
    assert_eq!(hours.as_secs() / 3_600, last.service.negative_ttl.as_secs());
    caches.default().set("k", &1, Ttl::DEFAULT).unwrap();
    let left = caches.default().ttl("k").unwrap().unwrap();
    assert!(matches!(left, Remaining::For(left) if left <= hours && left > hours - Duration::from_secs(60)));
}
