//! Whether the backends answer: when asked, and unasked.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use lexigram_cache::{Caches, Status, aio};

use super::both::{memory, redis_at, sent, tasks, threads, with_service};
use super::support::{Wire, block_on, eventually, in_time, memcached, poll, redis};

/// Name by name whether it is up, and how long it took to tell.
type Health = BTreeMap<String, (bool, Duration)>;

fn of_threads(caches: &Caches) -> Health {
    caches
        .health()
        .into_iter()
        .map(|(name, health)| (name, (health.status == Status::Up, health.latency)))
        .collect()
}

fn of_tasks(caches: &aio::Caches) -> Health {
    let found = block_on(caches.health());
    found.into_iter().map(|(name, health)| (name, (health.status == Status::Up, health.latency))).collect()
}

#[test]
fn each_backend_says_whether_it_is_up_and_one_that_hangs_holds_up_no_other() {
    let wires =
        [Wire::prompt(redis().addr()), Wire::prompt(redis().addr()), Wire::prompt(memcached().addr())];
    let [up, hanging, other] = wires.each_ref().map(|wire| wire.addr().port());
    let yaml = format!(
        "backends:
  - {{name: here, type: memory, default: true}}
  - {{name: up, type: redis, redis_host: 127.0.0.1, redis_port: {up}, timeout: 20}}
  - {{name: hangs, type: redis, redis_host: 127.0.0.1, redis_port: {hanging}, timeout: 400ms}}
  - {{name: too, type: memcached, memcached_host: 127.0.0.1, memcached_port: {other}, timeout: 400ms}}
  - {{name: spare, type: memory, enabled: false}}
service: {{circuit_breaker_enabled: false}}
"
    );
    wires[1].blackhole(true);
    wires[2].blackhole(true);
    let (threads, tasks) = (threads(&yaml), tasks(&yaml));
    assert!(threads.last_health().is_empty() && tasks.last_health().is_empty(), "nobody has looked");
    for look in [&(|| of_threads(&threads)) as &dyn Fn() -> Health, &|| of_tasks(&tasks)] {
        // Both that hang at once, not one after the other.
        in_time("two that hang for 400 ms", Duration::from_millis(750), || {
            let start = Instant::now();
            let health = look();
            let took = start.elapsed();
            let up: Vec<_> = health.iter().map(|(name, (is_up, _))| (name.as_str(), *is_up)).collect();
            assert_eq!(up, [("hangs", false), ("here", true), ("too", false), ("up", true)]);
            assert!(health["hangs"].1 >= Duration::from_millis(400));
            took
        });
    }
    assert_eq!((threads.last_health().len(), tasks.last_health().len()), (4, 4));
    wires.iter().for_each(|wire| wire.blackhole(false));
}

#[test]
pub fn health_check_interval() {
    let wire = Wire::before(redis().addr());
    let yaml = format!("health_check_interval: 20ms\n{}", redis_at(wire.addr(), ""));
    let is_looked_at = || wire.round_trips() >= 5;
    let threads = threads(&yaml);
    eventually("threads look unasked", Duration::from_secs(20), is_looked_at);
    assert_eq!(threads.last_health()["a"].status, Status::Up);
    threads.close();
    sent(&wire);
    let tasks = tasks(&yaml);
    eventually("tasks look unasked", Duration::from_secs(20), is_looked_at);
    assert_eq!(tasks.last_health()["a"].status, Status::Up);
    drop(tasks);
    // What is under way may come to its end.
    eventually("after the end nobody looks", Duration::from_secs(20), || {
        sent(&wire);
        !poll(Duration::from_millis(200), || wire.round_trips() > 0)
    });
}

#[test]
fn caches_of_tasks_that_were_made_outside_a_runtime_are_looked_at_once_there_is_one() {
    let wire = Wire::before(redis().addr());
    let yaml = format!("health_check_interval: 20ms\n{}", redis_at(wire.addr(), ""));
    let tasks = aio::Caches::from_config(super::both::config(&yaml)).unwrap();
    assert!(!poll(Duration::from_millis(100), || wire.round_trips() > 0));
    block_on(async { drop(tasks.default()) });
    eventually("it is looked at", Duration::from_secs(20), || wire.round_trips() >= 3);
}

#[test]
pub fn enable_health_checks() {
    for (keys, known) in [("", 1), ("enable_health_checks: false", 0)] {
        let yaml = with_service(&memory(""), keys);
        assert_eq!((threads(&yaml).health().len(), block_on(tasks(&yaml).health()).len()), (known, known));
    }
    let wire = Wire::before(redis().addr());
    let yaml = format!("health_check_interval: 5ms\n{}", redis_at(wire.addr(), ""));
    let _caches = threads(&with_service(&yaml, "enable_health_checks: false"));
    assert!(!poll(Duration::from_millis(200), || wire.round_trips() > 0), "nor is anybody asked unasked");
}
