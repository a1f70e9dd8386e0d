//! Slots that move from node to node of a cluster, while nobody notices.
#![cfg(all(feature = "cluster", feature = "memcached", feature = "async", feature = "json"))]

mod support;

use std::collections::{HashMap, HashSet};
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::thread;
use std::time::Duration;

use lexigram_cache::{BoxError, Redis, Ttl};
use support::{RedisCluster, Wire, World, call, worlds};

const SOON: Duration = Duration::from_secs(5);

fn each(prefix: &str, seed: &str, test: impl Fn(&World, &str)) {
    let redis = Redis::builder(seed).cluster([""; 0]).build().unwrap();
    for (number, world) in worlds!(redis, prefix(prefix), timeout(SOON)).iter().enumerate() {
        test(world, ["threads", "tasks"][number]);
    }
}

/// Moves a slot with its keys.
fn move_slot(cluster: &RedisCluster, keys: &[&str], from: usize, to: usize) {
    let slot = cluster.slot(keys[0]);
    cluster.begin_move(slot, from, to);
    keys.iter().for_each(|key| cluster.move_key(key, from, to));
    cluster.end_move(slot, from, to);
}

fn trips(wires: &[Wire]) -> Vec<usize> {
    wires.iter().map(|wire| (wire.round_trips(), wire.take()).0).collect()
}

#[test]
fn a_slot_that_has_moved_is_followed_once_and_known_from_then_on() {
    let cluster = RedisCluster::start();
    let wires = cluster.wires();
    let get = |world: &World, name: &str| call!(world, cache => cache.get::<i64>(name)).unwrap();
    each("moved", &format!("redis://{}", wires[0].addr()), |world, name| {
        let key = format!("moved:{name}");
        let from = cluster.home(&key);
        let to = (from + 1) % 3;
        call!(world, cache => cache.incr(name, 1, Ttl::NEVER)).unwrap();
        // Dials to all of them.
        assert!(world.health().0);
        move_slot(&cluster, &[&key], from, to);
        trips(&wires);
        assert_eq!(get(world, name), Some(1));
        let first = trips(&wires);
        assert_eq!((first[from], first[to]), (1, 1), "{first:?}");
        // The map is asked for by one of the next calls.
        thread::sleep(Duration::from_millis(150));
        get(world, name);
        trips(&wires);
        assert_eq!(get(world, name), Some(1));
        let later = trips(&wires);
        assert_eq!((later[from], later[to], later.iter().sum::<usize>()), (0, 1, 1), "{later:?}");
    });
}

#[test]
fn a_write_follows_a_moved_slot_and_is_applied_once() {
    let cluster = RedisCluster::start();
    each("moved", &cluster.nodes()[0].url(), |world, name| {
        let key = format!("moved:{name}");
        let home = cluster.home(&key);
        for turn in 0..6 {
            assert_eq!(call!(world, cache => cache.incr(name, 1, Ttl::NEVER)).unwrap(), turn + 1);
            let (from, to) = ((home + turn as usize) % 3, (home + turn as usize + 1) % 3);
            move_slot(&cluster, &[&key], from, to);
        }
        call!(world, cache => cache.set(name, &7_i64, Ttl::NEVER)).unwrap();
        assert_eq!(call!(world, cache => cache.take::<i64>(name)).unwrap(), Some(7));
    });
}

/// Behind a load balancer, and where a name is to be told that nobody has given: then the map knows an address.
#[test]
fn a_slot_is_followed_to_a_node_that_is_told_without_its_host() {
    let cluster = RedisCluster::start();
    for kind in ["unknown-endpoint", "hostname"] {
        for node in 0..3 {
            let set = format!("CONFIG SET cluster-preferred-endpoint-type {kind}");
            assert_eq!(cluster.ask(node, &set), "+OK\r\n");
        }
        each(kind, &cluster.nodes()[0].url(), |world, name| {
            let key = format!("{kind}:{name}");
            let from = cluster.home(&key);
            call!(world, cache => cache.incr(name, 1, Ttl::NEVER)).unwrap();
            move_slot(&cluster, &[&key], from, (from + 1) % 3);
            assert_eq!(call!(world, cache => cache.incr(name, 1, Ttl::NEVER)).unwrap(), 2);
            assert_eq!(call!(world, cache => cache.get::<i64>(name)).unwrap(), Some(2));
        });
    }
}

#[test]
fn keys_that_move_from_several_nodes_to_one_keep_their_values_apart() {
    let cluster = RedisCluster::start();
    each("joined", &cluster.nodes()[0].url(), |world, name| {
        let on = |node: usize| {
            let names = (0..).map(move |number| format!("{name}{node}{number}"));
            names.filter(|name| cluster.home(&format!("joined:{name}")) == node).take(3).collect::<Vec<_>>()
        };
        let names: Vec<_> = on(0).into_iter().zip(on(1)).flat_map(<[String; 2]>::from).collect();
        let values: HashMap<_, _> = names.iter().cloned().zip(0_u64..).collect();
        call!(world, cache => cache.set_many(values.clone(), Ttl::NEVER)).unwrap();
        for (name, from) in names.iter().zip([0, 1].into_iter().cycle()) {
            move_slot(&cluster, &[&format!("joined:{name}")], from, 2);
        }
        assert_eq!(call!(world, cache => cache.get_many::<u64>(&names)).unwrap(), values);
    });
}

#[test]
fn keys_that_have_gone_ahead_of_their_slot_are_found_where_they_are() {
    let cluster = RedisCluster::start();
    each("ahead", &cluster.nodes()[0].url(), |world, name| {
        let names = ["gone", "here", "new", "loaded"].map(|key| format!("{{{name}}}{key}"));
        let [gone, here, new, loaded] = &names;
        let key = format!("ahead:{gone}");
        let (slot, from) = (cluster.slot(&key), cluster.home(&key));
        let to = (from + 1) % 3;
        call!(world, cache => cache.set_many([(gone, 1_i64), (here, 2)], Ttl::NEVER)).unwrap();
        cluster.begin_move(slot, from, to);
        cluster.move_key(&key, from, to);

        let get = |key: &str| call!(world, cache => cache.get::<i64>(key)).unwrap();
        assert_eq!((get(gone), get(here), get(new)), (Some(1), Some(2), None));
        assert_eq!(call!(world, cache => cache.incr(gone, 10, Ttl::NEVER)).unwrap(), 11);
        assert!(call!(world, cache => cache.add(new, &3_i64, Ttl::NEVER)).unwrap());
        assert_eq!(world.load(loaded, || Ok::<i64, BoxError>(4)).unwrap(), 4);
        let many = call!(world, cache => cache.get_many::<i64>(&names)).unwrap();
        let found: Vec<_> = names.iter().map(|name| many.get(name).copied()).collect();
        assert_eq!(found, [Some(11), Some(2), Some(3), Some(4)]);
        call!(world, cache => cache.set_many(names.iter().map(|name| (name, 9_i64)), Ttl::NEVER)).unwrap();
        assert!(names.iter().all(|name| get(name) == Some(9)));
        let there = |node| cluster.ask(node, &format!("CLUSTER COUNTKEYSINSLOT {slot}"));
        assert_eq!((there(from).as_str(), there(to).as_str()), (":1\r\n", ":3\r\n"));

        cluster.move_key(&format!("ahead:{here}"), from, to);
        cluster.end_move(slot, from, to);
        assert_eq!(call!(world, cache => cache.delete_many(&names)).unwrap(), 4);
        assert_eq!(there(to), ":0\r\n");
    });
}

#[test]
fn however_many_find_the_map_wrong_it_is_asked_for_once() {
    let cluster = RedisCluster::start();
    let wires = cluster.wires();
    each("storm", &format!("redis://{}", wires[0].addr()), |world, name| {
        let keys =
            (0..).map(|n| format!("{name}{n}")).filter(|key| cluster.home(&format!("storm:{key}")) == 0);
        let keys: Vec<String> = keys.take(20).collect();
        call!(world, cache => cache.set_many(keys.iter().map(|key| (key, 1_u64)), Ttl::NEVER)).unwrap();
        for key in &keys {
            move_slot(&cluster, &[&format!("storm:{key}")], 0, 1);
        }
        trips(&wires);
        let start = Barrier::new(keys.len());
        thread::scope(|scope| {
            let start = &start;
            for key in &keys {
                scope.spawn(move || {
                    start.wait();
                    for _ in 0..3 {
                        assert_eq!(call!(world, cache => cache.get::<u64>(key)).unwrap(), Some(1));
                    }
                });
            }
        });
        let requests = wires.iter().flat_map(Wire::requests).collect::<Vec<u8>>();
        let asked = requests.windows(5).filter(|bytes| *bytes == b"SLOTS").count();
        assert!((1..=5).contains(&asked), "the map was asked for {asked} times by {} calls", 3 * keys.len());
    });
}

/// What each of many callers counts and reads while the slots of all keys move around the cluster, twice.
#[test]
fn nothing_is_lost_done_twice_or_confused_while_slots_move_under_load() {
    let cluster = RedisCluster::start();
    let redis =
        Redis::builder(cluster.nodes()[0].url()).cluster([cluster.addr(1).to_string()]).build().unwrap();
    let mut slots = HashSet::new();
    let keys = (0..).map(|number| format!("k{number}"));
    let keys: Vec<_> =
        keys.filter(|key| slots.insert(cluster.slot(&format!("load:{key}")))).take(24).collect();
    let worlds = worlds!(redis, prefix("load"), timeout(SOON));
    call!(&worlds[0], cache => cache.set_many(keys.iter().map(|key| (key, 0_i64)), Ttl::NEVER)).unwrap();
    let over = AtomicBool::new(false);
    let counted: Vec<AtomicI64> = keys.iter().map(|_| AtomicI64::new(0)).collect();
    thread::scope(|scope| {
        for (nth, world) in worlds.iter().cycle().take(6).enumerate() {
            let (keys, counted, over) = (&keys, &counted, &over);
            scope.spawn(move || {
                for round in nth.. {
                    let at = round % keys.len();
                    counted[at].fetch_add(1, Ordering::SeqCst);
                    let sum = call!(world, cache => cache.incr(&keys[at], 1, Ttl::NEVER)).unwrap();
                    let most = |at: usize| counted[at].load(Ordering::SeqCst);
                    assert!(sum > 0 && sum <= most(at), "{} is {sum}", keys[at]);
                    let own = format!("{{{}}}of{nth}", keys[at]);
                    call!(world, cache => cache.set(&own, &own, Ttl::NEVER)).unwrap();
                    assert_eq!(call!(world, cache => cache.take::<String>(&own)).unwrap(), Some(own));
                    let seen = call!(world, cache => cache.get_many::<i64>(keys)).unwrap();
                    assert_eq!(seen.len(), keys.len());
                    assert!(keys.iter().enumerate().all(|(at, key)| seen[key] <= most(at)), "{seen:?}");
                    if over.load(Ordering::Relaxed) {
                        return;
                    }
                }
            });
        }
        let _over = Over(&over);
        for turn in 0..6 {
            for key in &keys {
                let key = format!("load:{key}");
                let from = (cluster.home(&key) + turn) % 3;
                move_whole_slot(&cluster, cluster.slot(&key), from, (from + 1) % 3);
            }
        }
    });
    for (key, counted) in keys.iter().zip(counted) {
        let sum = call!(&worlds[1], cache => cache.get::<i64>(key)).unwrap();
        assert_eq!(sum, Some(counted.into_inner()), "{key}");
    }
}

/// Moves whatever keys the slot has, also those that come meanwhile.
fn move_whole_slot(cluster: &RedisCluster, slot: u16, from: usize, to: usize) {
    cluster.begin_move(slot, from, to);
    loop {
        let answer = cluster.ask(from, &format!("CLUSTER GETKEYSINSLOT {slot} 10"));
        let keys: Vec<_> = answer.lines().skip(2).step_by(2).collect();
        if keys.is_empty() {
            break;
        }
        // One that was taken meanwhile is gone.
        keys.iter().for_each(|key| drop(cluster.try_move_key(key, from, to)));
    }
    cluster.end_move(slot, from, to);
    cluster.tell_all(slot, to);
}

struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
