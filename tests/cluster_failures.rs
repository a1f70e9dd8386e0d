//! Nodes of a cluster that fail, come back, or are none.
#![cfg(all(feature = "cluster", feature = "memcached", feature = "async", feature = "json"))]

mod support;

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use lexigram_cache::{ErrorKind, Redis, Result, Ttl};
use support::{RedisCluster, RedisServer, World, ask_raw, call, closed_port, eventually, poll, worlds};

const TIMEOUT: Duration = Duration::from_millis(500);
const IN_TIME: Duration = Duration::from_millis(600);
const SOON: Duration = Duration::from_secs(15);

fn redis(cluster: &RedisCluster) -> Redis {
    let [first, second] = [1, 2].map(|node| cluster.addr(node));
    Redis::builder(format!("redis://{first}"))
        .cluster([second.to_string()])
        .client_name("ours")
        .build()
        .unwrap()
}

fn get(world: &World, key: &str) -> Result<Option<u64>> {
    call!(world, cache => cache.get::<u64>(key))
}

fn set(world: &World, key: &str) -> Result<()> {
    call!(world, cache => cache.set(key, &1_u64, Ttl::NEVER))
}

fn set_both(world: &World, keys: [&str; 2], value: u64) -> Result<()> {
    call!(world, cache => cache.set_many(keys.map(|key| (key, value)), Ttl::NEVER))
}

/// Values that nobody has written before.
fn new_values(count: u64) -> Range<u64> {
    static NEXT: AtomicU64 = AtomicU64::new(2);
    let first = NEXT.fetch_add(count, Ordering::Relaxed);
    first..first + count
}

/// A write of keys of two nodes, one of which is away, is ambiguous if the other has done its part.
#[track_caller]
fn a_half_write_is_told(world: &World, away: &str, kept: &str, value: u64) {
    let start = Instant::now();
    let error = set_both(world, [away, kept], value).unwrap_err();
    assert!(start.elapsed() < IN_TIME, "{:?}: {error}", start.elapsed());
    let half = get(world, kept).unwrap() == Some(value);
    assert!(error.is_ambiguous() || (error.is_retryable() && !half), "half: {half}, {error:?}");
}

#[track_caller]
fn fails_in_time<T>(kinds: &[ErrorKind], call: impl FnOnce() -> Result<T>) {
    let start = Instant::now();
    let error = call().err().expect("the node is down");
    assert!(kinds.contains(&error.kind()), "{error:?}");
    assert!(start.elapsed() < IN_TIME, "{:?}: {error}", start.elapsed());
}

#[test]
fn while_a_node_is_down_the_keys_of_the_others_are_served_and_it_is_used_again_once_it_is_back() {
    let cluster = RedisCluster::start();
    let [lost, kept] = [0, 1].map(|node| cluster.key_on(node, "k"));
    let worlds = worlds!(redis(&cluster), timeout(TIMEOUT));
    for world in &worlds {
        set_both(world, [&lost, &kept], 1).unwrap();
        assert!(world.health().0, "{}", world.health().1);
    }
    cluster.nodes()[0].kill();
    for world in &worlds {
        for _ in 0..20 {
            assert!(get(world, &kept).unwrap().is_some());
            set(world, &kept).unwrap();
            fails_in_time(&[ErrorKind::Unavailable], || get(world, &lost));
            // A connection that had not yet been found dead takes the first.
            fails_in_time(&[ErrorKind::Unavailable, ErrorKind::Ambiguous], || set(world, &lost));
        }
        fails_in_time(
            &[ErrorKind::Unavailable],
            || call!(world, cache => cache.get_many::<u64>([&kept, &lost])),
        );
        new_values(20).for_each(|value| a_half_write_is_told(world, &lost, &kept, value));
        let (up, detail) = world.health();
        assert!(
            !up && detail.contains("of 3 masters these do not answer: ")
                && detail.contains(&cluster.addr(0).to_string()),
            "{detail}"
        );
    }
    cluster.nodes()[0].restart();
    for world in &worlds {
        eventually("the node is used again", SOON, || set(world, &lost).is_ok());
        assert_eq!(get(world, &lost).unwrap(), Some(1));
        eventually("all answer", SOON, || world.health().0);
    }
}

#[test]
fn a_dead_node_costs_a_cache_that_degrades_its_own_keys_only() {
    let cluster = RedisCluster::start();
    let [lost, kept] = [0, 1].map(|node| cluster.key_on(node, "k"));
    let worlds = worlds!(redis(&cluster), timeout(TIMEOUT), degrade(true));
    for world in &worlds {
        set_both(world, [&lost, &kept], 1).unwrap();
    }
    cluster.nodes()[0].kill();
    for world in &worlds {
        // The write that finds its connection dead may be ambiguous, which is never hidden.
        let _ = set(world, &lost);
        let read = call!(world, cache => cache.get_many::<u64>([&lost, &kept])).unwrap();
        assert_eq!(read.keys().collect::<Vec<_>>(), [&kept], "in {world:?}");
        set_both(world, [&lost, &kept], 2).unwrap();
        assert_eq!((get(world, &lost).unwrap(), get(world, &kept).unwrap()), (None, Some(2)));
        assert!(world.stats().absorbed > 0);
        let loaded = world.load_many([lost.clone(), kept.clone()], |missing| {
            Ok::<_, std::io::Error>(missing.iter().map(|key| (key.clone(), 3_u64)).collect())
        });
        assert_eq!(loaded.unwrap(), [(lost.clone(), 3), (kept.clone(), 2)].into());
    }
}

#[test]
fn a_node_that_hangs_keeps_nobody_beyond_the_timeout_and_no_key_of_another() {
    let cluster = RedisCluster::start();
    let [hung, kept] = [0, 1].map(|node| cluster.key_on(node, "k"));
    let worlds = worlds!(redis(&cluster), timeout(TIMEOUT));
    worlds.iter().for_each(|world| set_both(world, [&hung, &kept], 1).unwrap());
    cluster.nodes()[0].stop();
    for world in &worlds {
        let late = [ErrorKind::Timeout, ErrorKind::Unavailable];
        for _ in 0..2 {
            fails_in_time(&late, || get(world, &hung));
            assert!(get(world, &kept).unwrap().is_some());
            fails_in_time(&late, || call!(world, cache => cache.get_many::<u64>([&kept, &hung])));
        }
        new_values(2).for_each(|value| a_half_write_is_told(world, &hung, &kept, value));
    }
    cluster.nodes()[0].cont();
    for world in &worlds {
        eventually("it answers again", SOON, || get(world, &hung).is_ok());
    }
}

#[test]
fn a_replica_that_takes_over_is_found_within_two_seconds() {
    let cluster = RedisCluster::start_with_replica();
    let key = cluster.key_on(0, "k");
    let worlds = worlds!(redis(&cluster), timeout(TIMEOUT));
    worlds.iter().for_each(|world| set(world, &key).unwrap());
    cluster.nodes()[0].kill();
    for world in &worlds {
        assert!(get(world, &key).is_err());
    }
    assert_eq!(cluster.ask(3, "CLUSTER FAILOVER TAKEOVER"), "+OK\r\n");
    let answered = Instant::now();
    thread::scope(|scope| {
        for (world, name) in worlds.iter().zip(["threads", "tasks"]) {
            let key = &key;
            scope.spawn(move || {
                assert!(poll(SOON, || set(world, key).is_ok()), "{name} never got through");
                println!("{name} write {:?} after the replica took over", answered.elapsed());
                assert!(answered.elapsed() < Duration::from_secs(2), "{name}: {:?}", answered.elapsed());
                assert_eq!(get(world, key).unwrap(), Some(1));
            });
        }
    });
}

#[test]
fn a_master_that_becomes_a_replica_is_left_with_its_connections_closed() {
    let cluster = RedisCluster::start_with_replica();
    let key = cluster.key_on(0, "k");
    let worlds = worlds!(redis(&cluster), timeout(Duration::from_secs(2)));
    worlds.iter().for_each(|world| set(world, &key).unwrap());
    let held = || cluster.ask(0, "CLIENT LIST").matches("name=ours").count();
    assert_eq!(held(), 2);
    assert_eq!(cluster.ask(3, "CLUSTER FAILOVER"), "+OK\r\n");
    eventually("the master is a replica", SOON, || cluster.ask(0, "INFO replication").contains("role:slave"));
    for world in &worlds {
        set(world, &key).unwrap();
        assert_eq!(get(world, &key).unwrap(), Some(1));
    }
    eventually("nothing is held there", SOON, || {
        worlds.iter().for_each(|world| set(world, &key).unwrap());
        held() == 0
    });
}

#[test]
fn one_node_that_answers_is_enough_to_find_all() {
    let cluster = RedisCluster::start();
    let nowhere = || format!("127.0.0.1:{}", closed_port());
    let seeds = [nowhere(), cluster.addr(2).to_string()];
    let redis = Redis::builder(format!("redis://{}", nowhere())).cluster(seeds).build().unwrap();
    for world in worlds!(redis, timeout(TIMEOUT)) {
        for node in 0..3 {
            set(&world, &cluster.key_on(node, "k")).unwrap();
        }
    }
}

#[test]
fn nodes_that_are_all_away_are_named() {
    let [first, second] = [closed_port(), closed_port()].map(|port| format!("127.0.0.1:{port}"));
    let redis = Redis::builder(format!("redis://{first}")).cluster([second.clone()]).build().unwrap();
    for world in worlds!(redis, timeout(TIMEOUT)) {
        let error = get(&world, "k").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert!(error.to_string().contains(&format!("{first}, {second}")), "{error}");
        assert!(!world.health().0);
    }
}

#[test]
fn a_server_that_is_no_node_of_a_cluster_is_refused_and_so_is_a_cluster_without_cluster() {
    let server = RedisServer::start();
    let redis = Redis::builder(server.url()).cluster([""; 0]).build().unwrap();
    for world in worlds!(redis) {
        let error = set(&world, "k").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Misconfigured);
        assert!(error.to_string().contains("is no node of a cluster"), "{error}");
    }
    assert_eq!(ask_raw(server.addr(), b"EXISTS k\r\n"), ":0\r\n");
    let cluster = RedisCluster::start();
    let alone = Redis::builder(cluster.nodes()[0].url()).build().unwrap();
    for world in worlds!(alone) {
        let error = set(&world, &cluster.key_on(1, "k")).unwrap_err();
        assert_eq!((error.kind(), error.code()), (ErrorKind::Misconfigured, Some("MOVED")));
    }
}

#[test]
fn a_slot_that_nobody_has_costs_its_own_keys_and_is_told() {
    let cluster = RedisCluster::start();
    let [lost, kept] = [0, 1].map(|node| cluster.key_on(node, "k"));
    cluster.give_up(cluster.slot(&lost));
    for world in worlds!(redis(&cluster), timeout(TIMEOUT)) {
        set(&world, &kept).unwrap();
        for error in [get(&world, &lost).unwrap_err(), set(&world, &lost).unwrap_err()] {
            assert_eq!(error.kind(), ErrorKind::Unavailable);
            assert!(error.to_string().contains("no node of the cluster has this key's slot"), "{error}");
        }
        let (up, detail) = world.health();
        assert!(!up && detail.contains("1 slots have no master"), "{detail}");
        assert_eq!(get(&world, &kept).unwrap(), Some(1));
    }
}

#[test]
fn a_cluster_that_is_not_made_yet_is_told_and_used_once_it_is() {
    let node = RedisServer::start_with(&["--cluster-enabled", "yes"]);
    let redis = || Redis::builder(node.url()).cluster([""; 0]).build().unwrap();
    let worlds = worlds!(redis(), timeout(TIMEOUT));
    for world in &worlds {
        let error = get(world, "k").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert!(error.to_string().contains("is the cluster made yet?"), "{error}");
    }
    assert_eq!(ask_raw(node.addr(), b"CLUSTER ADDSLOTSRANGE 0 16383\r\n"), "+OK\r\n");
    for world in &worlds {
        eventually("the cluster is used", SOON, || set(world, "k").is_ok());
        assert_eq!(get(world, "k").unwrap(), Some(1));
    }
}

#[test]
fn nodes_that_send_a_call_to_and_fro_do_not_keep_it() {
    let cluster = RedisCluster::start();
    let key = cluster.key_on(0, "k");
    let slot = cluster.slot(&key);
    let worlds = worlds!(redis(&cluster), timeout(TIMEOUT));
    cluster.give_unasked(slot, 0, 1);
    for world in &worlds {
        let start = Instant::now();
        for error in [get(world, &key).unwrap_err(), set(world, &key).unwrap_err()] {
            assert!(error.is_retryable() && error.to_string().contains("redirected 5 times"), "{error}");
        }
        assert!(start.elapsed() < 2 * IN_TIME, "{:?}", start.elapsed());
    }
    cluster.end_move(slot, 0, 1);
    for world in &worlds {
        eventually("they agree", SOON, || set(world, &key).is_ok());
    }
}
