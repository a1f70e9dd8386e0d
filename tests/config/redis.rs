//! The keys of Redis, as they show on the wire.

use std::thread;
use std::time::Duration;

use super::both::{get, one, redis_at, refusals, sent, threads, worlds};
use super::support::{Wire, World, redis};

/// What each world sends for one read, whatever comes of it.
fn sent_with(wire: &Wire, yaml: &str) -> Vec<String> {
    let send = |world: &World| {
        let _ = get(world, "k");
        sent(wire)
    };
    worlds(yaml).iter().map(send).collect()
}

/// Whether it is sent with these keys, and not without them.
fn assert_sends(keys: &str, text: &str) {
    let wire = Wire::before(redis().addr());
    for sent in sent_with(&wire, &redis_at(wire.addr(), keys)) {
        assert!(sent.contains(text), "{keys}: {sent}");
    }
    for sent in sent_with(&wire, &redis_at(wire.addr(), "")) {
        assert!(!sent.contains(text) && sent.contains("GET"), "{sent}");
    }
}

#[test]
pub fn redis_url() {
    let wire = Wire::before(redis().addr());
    // It wins over the parts.
    let keys = format!(", redis_port: 1, redis_url: \"redis://{}/0\"", wire.addr());
    for sent in sent_with(&wire, &one("redis", &keys)) {
        assert!(sent.contains("GET"), "{sent}");
    }
}

#[test]
pub fn redis_host() {
    // Nobody listens at this port of the default host.
    let wire = Wire::prompt_at([127, 0, 0, 2], redis().addr());
    let port = wire.addr().port();
    for sent in sent_with(&wire, &one("redis", &format!(", redis_host: 127.0.0.2, redis_port: {port}"))) {
        assert!(sent.contains("GET"), "{sent}");
    }
    for sent in sent_with(&wire, &one("redis", &format!(", redis_port: {port}"))) {
        assert_eq!(sent, "");
    }
}

#[test]
pub fn redis_port() {
    let wire = Wire::before(redis().addr());
    for sent in sent_with(&wire, &one("redis", &format!(", redis_port: {}", wire.addr().port()))) {
        assert!(sent.contains("GET"), "{sent}");
    }
}

#[test]
pub fn redis_db() {
    assert_sends(", redis_db: 3", "SELECT\r\n$1\r\n3\r\n");
}

#[test]
pub fn redis_username() {
    assert_sends(", redis_username: joe-7, redis_password: p", "joe-7");
}

#[test]
pub fn redis_password() {
    assert_sends(", redis_password: pass-7", "pass-7");
}

#[test]
pub fn redis_ssl() {
    let wire = Wire::prompt(redis().addr());
    for world in worlds(&redis_at(wire.addr(), ", redis_ssl: true")) {
        assert!(get(&world, "k").is_err(), "this server speaks no TLS");
        // A handshake.
        assert_eq!(wire.requests().first(), Some(&0x16));
        wire.take();
    }
}

/// How many connections three threads make at once.
fn connections(keys: &str) -> usize {
    let wire = Wire::before(redis().addr());
    wire.delay_replies(Duration::from_millis(50));
    let cache = threads(&redis_at(wire.addr(), &format!(", timeout: 20s{keys}"))).default();
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| cache.get::<String>("k").unwrap());
        }
    });
    wire.connections()
}

/// Tasks share one connection in any case.
#[test]
pub fn redis_pool_size() {
    assert_eq!(connections(", redis_pool_size: 1"), 1);
    assert_eq!(connections(""), 3);
}

fn assert_refused(keys: &str, text: &str) {
    for error in refusals(&one("redis", &format!(", redis_ssl: true{keys}"))) {
        assert!(error.to_string().contains(text), "{error}");
    }
}

#[test]
pub fn redis_ca_file() {
    assert_refused(", redis_ca_file: /nowhere/ca.pem", "/nowhere/ca.pem");
}

/// The key is looked at first, so that of a certificate that is missing has to be one.
#[test]
pub fn redis_cert_file() {
    let path = std::env::temp_dir().join(format!("lexigram-own-{}.pem", std::process::id()));
    std::fs::write(&path, rcgen::KeyPair::generate().unwrap().serialize_pem()).unwrap();
    let keys = format!(", redis_cert_file: /nowhere/own.pem, redis_key_file: {}", path.display());
    assert_refused(&keys, "/nowhere/own.pem");
    std::fs::remove_file(&path).unwrap();
}

#[test]
pub fn redis_key_file() {
    assert_refused(", redis_cert_file: Cargo.toml, redis_key_file: /nowhere/key.pem", "/nowhere/key.pem");
}

#[test]
pub fn redis_mode() {
    assert_sends(", redis_mode: cluster", "CLUSTER");
}

#[test]
pub fn redis_nodes() {
    let wire = Wire::before(redis().addr());
    // The host beside them is not looked at.
    let keys =
        format!(", redis_host: nowhere.invalid, redis_mode: cluster, redis_nodes: [\"{}\"]", wire.addr());
    for sent in sent_with(&wire, &one("redis", &keys)) {
        assert!(sent.contains("CLUSTER"), "{sent}");
    }
}

fn assert_asks_sentinels(keys: &str, text: &str) {
    let wire = Wire::before(redis().addr());
    let nodes = format!(", redis_mode: sentinel, redis_nodes: [\"{}\"]", wire.addr());
    for sent in sent_with(&wire, &one("redis", &format!("{nodes}{keys}"))) {
        assert!(sent.contains(text), "{sent}");
    }
}

#[test]
pub fn redis_sentinel_master() {
    assert_asks_sentinels(", redis_sentinel_master: master-7", "master-7");
}

#[test]
pub fn redis_sentinel_username() {
    let keys = ", redis_sentinel_master: m, redis_sentinel_username: joe-7, redis_sentinel_password: p";
    assert_asks_sentinels(keys, "joe-7");
}

#[test]
pub fn redis_sentinel_password() {
    assert_asks_sentinels(", redis_sentinel_master: m, redis_sentinel_password: pass-7", "pass-7");
}
