//! The keys of Memcached, as they show on the wire.

use std::thread;
use std::time::Duration;

use lexigram_cache::ErrorKind;

use super::both::{get, memcached_at, one, sent, set, tasks, threads, worlds};
use super::support::{Wire, block_on, call, memcached};

#[test]
pub fn memcached_host() {
    // Nobody listens at this port of the default host.
    let wire = Wire::prompt_at([127, 0, 0, 2], memcached().addr());
    let port = wire.addr().port();
    for world in worlds(&one("memcached", &format!(", memcached_host: 127.0.0.2, memcached_port: {port}"))) {
        get(&world, "host").unwrap();
        assert!(sent(&wire).contains("host"));
    }
    for world in worlds(&one("memcached", &format!(", memcached_port: {port}"))) {
        assert!(get(&world, "host").is_err());
    }
}

#[test]
pub fn memcached_port() {
    let wire = Wire::before(memcached().addr());
    for world in worlds(&one("memcached", &format!(", memcached_port: {}", wire.addr().port()))) {
        get(&world, "port").unwrap();
        assert!(sent(&wire).contains("port"));
    }
}

#[test]
pub fn memcached_servers() {
    let wires = [Wire::before(memcached().addr()), Wire::before(memcached().addr())];
    let keys = format!(", memcached_servers: [\"{}\", \"{}\"]", wires[0].addr(), wires[1].addr());
    for world in worlds(&one("memcached", &keys)) {
        (0..40).for_each(|n| drop(get(&world, &format!("servers-{n}")).unwrap()));
        assert!(wires.each_ref().map(sent).iter().all(|sent| sent.contains("servers-")), "each has a share");
    }
}

/// How many connections three callers make at once.
fn connections(keys: &str) -> [usize; 2] {
    let wires = [Wire::before(memcached().addr()), Wire::before(memcached().addr())];
    wires.iter().for_each(|wire| wire.delay_replies(Duration::from_millis(50)));
    let yaml = |wire: &Wire| memcached_at(wire.addr(), &format!(", timeout: 20s{keys}"));
    let (threads, tasks) = (threads(&yaml(&wires[0])).default(), tasks(&yaml(&wires[1])).default());
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| threads.get::<String>("pool").unwrap());
            scope.spawn(|| block_on(tasks.get::<String>("pool")).unwrap());
        }
    });
    wires.each_ref().map(Wire::connections)
}

#[test]
pub fn memcached_pool_size() {
    assert_eq!(connections(", memcached_pool_size: 1"), [1, 1]);
    assert_eq!(connections(""), [3, 3]);
}

#[test]
pub fn memcached_clearable() {
    let at = |keys: &str| worlds(&memcached_at(memcached().addr(), &format!(", key_prefix: clearing{keys}")));
    for world in at(", memcached_clearable: true") {
        set(&world, "clearable", "v");
        call!(&world, cache => cache.clear()).unwrap();
        assert_eq!(get(&world, "clearable").unwrap(), None);
    }
    for world in at("") {
        let error = call!(&world, cache => cache.clear()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.to_string().contains("memcached_clearable: true"), "{error}");
    }
}
