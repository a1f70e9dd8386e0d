//! How many failures it takes, by builder and by configuration.

use lexigram_cache::{Caches, ErrorKind, Memcached, Redis};

use super::support::closed_port;

/// How many calls of a cache without a server were made before one was refused, of 20.
fn made(service: &str) -> usize {
    let yaml = format!(
        "{service}\nbackends:\n  - {{name: c, type: redis, redis_host: 127.0.0.1, redis_port: {}}}",
        closed_port()
    );
    let cache = Caches::from_yaml_str(&yaml).unwrap().default();
    let refused = |_: &usize| cache.get::<u64>("k").unwrap_err().to_string().contains("once a second");
    (0..20).find(refused).unwrap_or(20)
}

#[test]
fn the_configuration_says_how_many_failures_it_takes_or_that_none_do() {
    assert_eq!(made(""), 5);
    assert_eq!(made("service: {circuit_breaker_threshold: 2}"), 2);
    assert_eq!(made("service: {circuit_breaker_enabled: false}"), 20);
}

#[test]
fn a_breaker_that_would_let_nothing_through_is_refused() {
    let errors = [
        Redis::builder("redis://h").breaker(0).build().unwrap_err(),
        Memcached::builder(["h"]).breaker(0).build().unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains("breaker"), "{error}");
    }
}
