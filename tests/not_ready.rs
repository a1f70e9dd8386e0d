//! A Redis server that is there but not ready: it loads its data, runs a long script, has lost its master.
#![cfg(all(feature = "redis", feature = "memcached", feature = "async"))]

mod support;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};
use std::{env, fs, process};

use lexigram_cache::{ErrorKind, Redis, Result, Ttl};
use support::{RedisServer, Wire, World, ask_raw, call, closed_port, worlds};

const TIMEOUT: Duration = Duration::from_millis(400);
const PATIENCE: Duration = Duration::from_secs(20);

fn worlds_at(addr: SocketAddr) -> [World; 2] {
    worlds!(Redis::builder(format!("redis://{addr}")).pool_size(2).build().unwrap(), timeout(TIMEOUT))
}

fn get(world: &World) -> Result<Option<u64>> {
    call!(world, cache => cache.get::<u64>("k"))
}

/// Reads wait as long as they may, and keep their connection.
fn is_waited_for(world: &World, wire: &Wire, code: &str) {
    let opened = wire.connections();
    for _ in 0..2 {
        let start = Instant::now();
        let error = get(world).unwrap_err();
        let took = start.elapsed();
        assert_eq!((error.kind(), error.code()), (ErrorKind::Unavailable, Some(code)), "{error:?}");
        assert!(
            took > TIMEOUT / 2 && took < TIMEOUT + Duration::from_millis(100),
            "a read waited for {took:?}"
        );
    }
    assert!(wire.connections() <= opened + 1, "{} connections", wire.connections() - opened);
}

/// A write is sent once, and told at once that it was not applied.
fn is_not_written_to(world: &World, code: &str) {
    let start = Instant::now();
    let error = call!(world, cache => cache.set("k", &9_u64, Ttl::NEVER)).unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Unavailable, Some(code)), "{error:?}");
    assert!(error.is_retryable() && start.elapsed() < TIMEOUT / 2, "{:?}", start.elapsed());
}

/// A read that waits comes back with the value once `ready` was called.
fn is_served_when_ready(world: &World, expected: Option<u64>, ready: impl FnOnce()) {
    let patient = world.with_timeout(PATIENCE);
    thread::scope(|scope| {
        let reader = scope.spawn(|| get(&patient));
        ready();
        assert_eq!(reader.join().unwrap().unwrap(), expected, "in {world:?}");
    });
}

#[test]
fn a_server_that_loads_its_data_is_waited_for() {
    let folder = Folder::new("loading");
    let dir = folder.0.display().to_string();
    let server = RedisServer::start_with(&["--dir", &dir, "--dbfilename", "dump.rdb"]);
    let [threads, _] = worlds_at(server.addr());
    let many = (0..3_000_u64).map(|n| (format!("key {n}"), n)).chain([("k".to_owned(), 7)]);
    call!(&threads, cache => cache.set_many(many, Ttl::NEVER)).unwrap();
    assert_eq!(ask_raw(server.addr(), b"SAVE\r\n"), "+OK\r\n");
    drop(server);
    // Each key takes a millisecond, and the server looks at its clients after every kibibyte.
    let slow = ["--key-load-delay", "1000", "--loading-process-events-interval-bytes", "1024"];
    for world in 0..2 {
        let server =
            RedisServer::start_with(&[&["--dir", &dir, "--dbfilename", "dump.rdb"], &slow[..]].concat());
        let wire = Wire::before(server.addr());
        let world = &worlds_at(wire.addr())[world];
        is_waited_for(world, &wire, "LOADING");
        is_not_written_to(world, "LOADING");
        is_served_when_ready(world, Some(7), || ());
    }
}

#[test]
fn a_server_that_runs_a_long_script_is_waited_for() {
    let server = RedisServer::start_with(&["--busy-reply-threshold", "20"]);
    let wire = Wire::before(server.addr());
    for world in worlds_at(wire.addr()) {
        call!(&world, cache => cache.set("k", &7_u64, Ttl::NEVER)).unwrap();
        // Whoever asks for it answers only when it is killed.
        let script = b"EVAL \"while true do end\" 0\r\n";
        let addr = server.addr();
        let runs = thread::spawn(move || ask_raw(addr, script));
        support::eventually("it is busy", PATIENCE, || ask_raw(addr, b"GET k\r\n").starts_with("-BUSY"));
        is_waited_for(&world, &wire, "BUSY");
        is_not_written_to(&world, "BUSY");
        is_served_when_ready(&world, Some(7), || {
            assert_eq!(ask_raw(addr, b"SCRIPT KILL\r\n"), "+OK\r\n");
        });
        assert!(runs.join().unwrap().starts_with('-'), "it was killed");
    }
}

#[test]
fn a_replica_that_has_lost_its_master_is_waited_for() {
    let nowhere = closed_port().to_string();
    let server = RedisServer::start_with(&["--replica-serve-stale-data", "no"]);
    let wire = Wire::before(server.addr());
    for world in worlds_at(wire.addr()) {
        call!(&world, cache => cache.set("k", &7_u64, Ttl::NEVER)).unwrap();
        ask_raw(server.addr(), format!("REPLICAOF 127.0.0.1 {nowhere}\r\n").as_bytes());
        is_waited_for(&world, &wire, "MASTERDOWN");
        is_served_when_ready(&world, Some(7), || {
            assert_eq!(ask_raw(server.addr(), b"REPLICAOF NO ONE\r\n"), "+OK\r\n");
        });
    }
}

#[test]
fn a_node_of_a_cluster_that_is_down_is_waited_for() {
    let server = RedisServer::start_with(&["--cluster-enabled", "yes"]);
    let wire = Wire::before(server.addr());
    for world in worlds_at(wire.addr()) {
        is_waited_for(&world, &wire, "CLUSTERDOWN");
        is_not_written_to(&world, "CLUSTERDOWN");
    }
    // Once it has all slots, it answers as a server by itself does.
    assert_eq!(ask_raw(server.addr(), b"CLUSTER ADDSLOTSRANGE 0 16383\r\n"), "+OK\r\n");
    for world in worlds_at(wire.addr()) {
        is_served_when_ready(&world, None, || ());
    }
}

/// A folder of temporary files that goes with its owner.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = env::temp_dir().join(format!("lexigram-{name}-{}", process::id()));
        fs::create_dir_all(&path).unwrap();
        Folder(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
