//! A Redis Cluster does what one server does, over all of its nodes.
#![cfg(all(
    feature = "cluster",
    feature = "testing",
    feature = "memcached",
    feature = "async",
    feature = "json"
))]

mod support;

use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use lexigram_cache::{BoxError, Redis, Ttl, aio, testing};
use support::{RedisCluster, Wire, World, block_on, call, worlds};

fn redis(cluster: &RedisCluster) -> Redis {
    Redis::builder(cluster.nodes()[0].url()).cluster([cluster.addr(1).to_string()]).build().unwrap()
}

fn names(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("k{number}")).collect()
}

macro_rules! all_threads {
    (($subject:expr) $($promise:ident),*) => {
        thread::scope(|scope| {
            $( thread::Builder::new().name(stringify!($promise).into()).spawn_scoped(scope, || testing::contract::$promise($subject)).unwrap(); )*
        })
    };
}

macro_rules! all_tasks {
    (($subject:expr) $($promise:ident),*) => {
        thread::scope(|scope| {
            $( thread::Builder::new().name(stringify!($promise).into()).spawn_scoped(scope, || block_on(aio::contract::$promise($subject))).unwrap(); )*
        })
    };
}

/// All promises at once share the machine: between two calls of one of them most of a second may pass, in which
/// a lifetime that it set must not.
const SHORTEST: Duration = Duration::from_secs(2);

#[test]
fn every_promise_of_a_backend_is_kept_by_a_cluster_for_threads() {
    let cluster = RedisCluster::start();
    let subject = testing::contract::Subject::new(redis(&cluster)).resolution(SHORTEST);
    lexigram_cache::for_each_promise!(all_threads, (&subject));
}

#[test]
fn every_promise_of_a_backend_is_kept_by_a_cluster_for_tasks() {
    let cluster = RedisCluster::start();
    let subject = aio::contract::Subject::new(redis(&cluster)).resolution(SHORTEST);
    lexigram_cache::for_each_promise!(all_tasks, (&subject));
}

/// A verb on 300 keys of all nodes, and the round trips it takes.
type Batch = (&'static str, usize, fn(&World, &[String]));

const BATCHES: &[Batch] = &[
    ("set_many", 3, |world, keys| {
        call!(world, cache => cache.set_many(keys.iter().map(|key| (key, 1_u64)), Ttl::NEVER)).unwrap();
    }),
    ("get_many", 3, |world, keys| {
        assert_eq!(call!(world, cache => cache.get_many::<u64>(keys)).unwrap().len(), 300);
    }),
    ("get", 1, |world, keys| {
        assert_eq!(call!(world, cache => cache.get::<u64>(&keys[0])).unwrap(), Some(1));
    }),
    ("a batch of hits", 3, |world, keys| {
        let load = |_: &[String]| Err("nothing is missing");
        assert_eq!(world.load_many::<u64, _>(keys.to_vec(), load).unwrap().len(), 300);
    }),
    ("delete_many", 3, |world, keys| {
        assert_eq!(call!(world, cache => cache.delete_many(keys)).unwrap(), 300);
    }),
    ("a batch of loads", 9, |world, keys| {
        let load =
            |missing: &[String]| Ok::<_, BoxError>(missing.iter().map(|key| (key.clone(), 2)).collect());
        assert_eq!(world.load_many::<u64, _>(keys.to_vec(), load).unwrap().len(), 300);
    }),
    // Once around all nodes for the map, and on each node a step of the walk and a removal.
    ("clear", 7, |world, _| call!(world, cache => cache.clear()).unwrap()),
];

fn trips(wires: &[Wire]) -> usize {
    wires.iter().map(Wire::round_trips).sum()
}

#[test]
fn a_batch_takes_one_round_trip_for_each_node_that_has_some_of_its_keys() {
    let cluster = RedisCluster::start();
    let wires = cluster.wires();
    let redis = Redis::builder(format!("redis://{}", wires[0].addr())).cluster([""; 0]).build().unwrap();
    let keys = names(300);
    for world in worlds!(redis, prefix("batches"), timeout(Duration::from_secs(5))) {
        // The first round dials and makes scripts known.
        for counted in [false, true] {
            for (name, expected, run) in BATCHES {
                wires.iter().for_each(|wire| drop(wire.take()));
                run(&world, &keys);
                assert!(!counted || trips(&wires) == *expected, "{name} took {} in {world:?}", trips(&wires));
            }
        }
        let tagged: Vec<_> = keys.iter().map(|key| format!("{{tag}}{key}")).collect();
        wires.iter().for_each(|wire| drop(wire.take()));
        call!(&world, cache => cache.set_many(tagged.iter().map(|key| (key, 1_u64)), Ttl::NEVER)).unwrap();
        assert_eq!(call!(&world, cache => cache.get_many::<u64>(&tagged)).unwrap().len(), 300);
        assert_eq!(trips(&wires), 2, "what shares a tag shares a node");
    }
}

#[test]
fn of_all_handles_that_miss_a_key_one_loads_it_whichever_node_it_is_on() {
    let cluster = RedisCluster::start();
    let keys = names(30);
    for world in [0, 1] {
        let loads = AtomicUsize::new(0);
        let start = Barrier::new(4);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let worlds = worlds!(
                        redis(&cluster),
                        prefix(format!("loads{world}")),
                        timeout(Duration::from_secs(5))
                    );
                    start.wait();
                    for key in &keys {
                        let load = || {
                            loads.fetch_add(1, Ordering::Relaxed);
                            Ok::<_, BoxError>(key.clone())
                        };
                        assert_eq!(worlds[world].load(key, load).unwrap(), *key);
                    }
                });
            }
        });
        assert_eq!(loads.into_inner(), keys.len());
    }
}

#[test]
fn what_is_removed_by_prefix_is_removed_from_every_node_and_nothing_else_is() {
    let cluster = RedisCluster::start();
    let redis = redis(&cluster);
    let [ours, theirs] =
        ["ours", "theirs"].map(|prefix| worlds!(redis, prefix(prefix), timeout(Duration::from_secs(10))));
    let keys = names(3_000);
    for (ours, theirs) in ours.iter().zip(&theirs) {
        for world in [ours, theirs] {
            call!(world, cache => cache.set_many(keys.iter().map(|key| (key, 1_u64)), Ttl::NEVER)).unwrap();
        }
        assert_eq!(call!(ours, cache => cache.delete_prefix("k1")).unwrap(), 1_111);
        assert_eq!(call!(ours, cache => cache.delete_pattern("k?")).unwrap(), 9);
        call!(ours, cache => cache.clear()).unwrap();
        assert!(call!(ours, cache => cache.get_many::<u64>(&keys)).unwrap().is_empty());
        assert_eq!(call!(theirs, cache => cache.get_many::<u64>(&keys)).unwrap().len(), 3_000);
        call!(theirs, cache => cache.clear()).unwrap();
    }
    for node in 0..3 {
        assert_eq!(cluster.ask(node, "DBSIZE"), ":0\r\n");
    }
}

#[test]
fn a_node_that_has_forgotten_its_scripts_is_told_them_again() {
    let cluster = RedisCluster::start();
    let keys = names(30);
    for world in worlds!(redis(&cluster), prefix("scripts")) {
        for forgetful in 0..3 {
            call!(&world, cache => cache.set_many(keys.iter().map(|key| (key, 1_u64)), Ttl::NEVER)).unwrap();
            assert_eq!(cluster.ask(forgetful, "SCRIPT FLUSH"), "+OK\r\n");
            assert_eq!(call!(&world, cache => cache.delete_many(&keys)).unwrap(), 30);
        }
    }
}

#[test]
fn a_foreign_type_among_many_keys_is_absent_as_on_one_server() {
    let cluster = RedisCluster::start();
    for world in worlds!(redis(&cluster), prefix("types")) {
        for node in 0..3 {
            cluster.ask(node, "LPUSH types:list x");
        }
        call!(&world, cache => cache.set("k", &1_u64, Ttl::NEVER)).unwrap();
        let found = call!(&world, cache => cache.get_many::<u64>(["list", "k"])).unwrap();
        assert_eq!(found.into_iter().collect::<Vec<_>>(), [("k".to_owned(), 1)]);
    }
}

#[cfg(feature = "yaml")]
#[test]
fn a_configuration_needs_no_more_than_the_nodes() {
    let cluster = RedisCluster::start();
    let yaml = format!(
        "backends:\n  - {{name: a, type: redis, redis_mode: cluster, redis_nodes: [\"{}\", \"{}\"]}}\n",
        cluster.addr(2),
        cluster.addr(1)
    );
    let threads = lexigram_cache::Caches::from_yaml_str(&yaml).unwrap().default();
    let tasks = aio::Caches::from_yaml_str(&yaml).unwrap().default();
    for world in [World::Threads(threads), World::Tasks(tasks)] {
        let keys = names(30);
        call!(&world, cache => cache.set_many(keys.iter().map(|key| (key, 1_u64)), Ttl::NEVER)).unwrap();
        assert_eq!(call!(&world, cache => cache.get_many::<u64>(&keys)).unwrap().len(), 30);
    }
}
