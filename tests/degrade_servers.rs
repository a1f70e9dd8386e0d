//! A cache that degrades over three Memcached servers, one of them dead: it costs its own keys, and no others.
#![cfg(all(feature = "memcached", feature = "redis", feature = "async", feature = "json"))]

mod support;

use std::array;
use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, Instant};

use lexigram_cache::{BoxError, ErrorKind, Memcached, Ttl};
use support::{Heard, MemcachedServer, World, call, worlds};

const TIMEOUT: Duration = Duration::from_millis(600);
const SLACK: Duration = Duration::from_millis(100);
const KEYS: u64 = 60;

/// Three servers, and which of the keys live on the one that will be dead.
struct Three {
    servers: [MemcachedServer; 3],
    clearable: bool,
    dead: usize,
    lost: BTreeSet<String>,
}

fn names() -> impl Iterator<Item = String> {
    (0..KEYS).map(|n| format!("key {n}"))
}

fn items(value: u64) -> impl Iterator<Item = (String, u64)> {
    names().map(move |name| (name, value))
}

impl Three {
    /// Filled with zeros. Each of the three is the dead one in its turn, since the order counts where time is shared.
    fn each(test: impl Fn(&Three)) {
        for (dead, clearable) in [(0, false), (1, true), (2, false)] {
            let servers = array::from_fn(|_| MemcachedServer::start());
            let mut three = Three { servers, clearable, dead, lost: BTreeSet::new() };
            let [world, _] = three.plain();
            call!(&world, cache => cache.set_many(items(0), Ttl::NEVER)).unwrap();
            three.lost = three.kept_at(dead).into_keys().collect();
            assert!(!three.lost.is_empty() && three.lost.len() < KEYS as usize);
            test(&three);
        }
    }

    fn at(&self, servers: &[MemcachedServer]) -> Memcached {
        let urls: Vec<String> = servers.iter().map(MemcachedServer::url).collect();
        Memcached::builder(urls).pool_size(1).breaker(None).clearable(self.clearable).build().unwrap()
    }

    fn plain(&self) -> [World; 2] {
        worlds!(self.at(&self.servers), prefix("app"), timeout(TIMEOUT))
    }

    fn degrading(&self) -> ([World; 2], Heard) {
        let heard = Heard::default();
        let worlds = worlds!(
            self.at(&self.servers),
            prefix("app"),
            timeout(TIMEOUT),
            degrade(true),
            observer(heard.observer())
        );
        (worlds, heard)
    }

    /// What one of the servers holds.
    fn kept_at(&self, server: usize) -> HashMap<String, u64> {
        let [world, _] = worlds!(self.at(&self.servers[server..=server]), prefix("app"), timeout(TIMEOUT));
        call!(&world, cache => cache.get_many(names())).unwrap()
    }

    /// What the two others hold.
    fn kept(&self) -> HashMap<String, u64> {
        (0..3).filter(|server| *server != self.dead).flat_map(|server| self.kept_at(server)).collect()
    }

    /// All keys of the living with this value.
    fn living(&self, value: u64) -> HashMap<String, u64> {
        items(value).filter(|(name, _)| !self.lost.contains(name)).collect()
    }

    fn kill(&self) {
        self.servers[self.dead].kill();
    }

    fn stop(&self) {
        self.servers[self.dead].stop();
    }
}

/// One failure was told, and it was absorbed.
fn assert_absorbed(heard: &Heard, operation: &str) {
    let told = heard.take();
    assert!(matches!(&told[..], [one] if one.is_absorbed && one.operation == operation), "{told:?}");
}

/// All keys by one load of those that are missing; which these were.
fn load_many(world: &World) -> BTreeSet<String> {
    let mut loaded = BTreeSet::new();
    let load = |missing: &[String]| {
        assert!(loaded.is_empty(), "one load");
        loaded.extend(missing.iter().cloned());
        Ok::<_, BoxError>(missing.iter().map(|name| (name.clone(), 9)).collect())
    };
    let values: HashMap<String, u64> = world.load_many(names(), load).unwrap();
    assert_eq!(values.len(), KEYS as usize);
    assert!(values.iter().all(|(name, value)| (*value == 9) == loaded.contains(name)));
    loaded
}

#[test]
fn a_dead_server_costs_its_own_keys_in_every_batch() {
    Three::each(|three| {
        let (worlds, heard) = three.degrading();
        three.kill();
        for (world, value) in worlds.iter().zip([1, 2]) {
            call!(world, cache => cache.set_many(items(value), Ttl::NEVER)).unwrap();
            assert_absorbed(&heard, "set_many");
            assert_eq!(three.kept(), three.living(value));
            let before = world.stats();
            assert_eq!(call!(world, cache => cache.get_many(names())).unwrap(), three.living(value));
            assert_absorbed(&heard, "get_many");
            let after = world.stats();
            assert_eq!(after.misses - before.misses, three.lost.len() as u64);
            assert_eq!(after.hits - before.hits, KEYS - three.lost.len() as u64);
            assert_eq!(load_many(world), three.lost);
            assert_absorbed(&heard, "get_or_compute_many");
            let removed = call!(world, cache => cache.delete_many(names())).unwrap();
            assert_eq!(removed, KEYS - three.lost.len() as u64);
            assert_absorbed(&heard, "delete_many");
            assert_eq!(load_many(world).len(), KEYS as usize);
            assert_absorbed(&heard, "get_or_compute_many");
            assert_eq!(three.kept(), three.living(9), "what the living had no value of is stored there");
            heard.take();
        }
    });
}

#[test]
fn a_hanging_server_costs_its_share_of_the_time_and_its_own_keys() {
    Three::each(|three| {
        let (worlds, heard) = three.degrading();
        worlds.iter().for_each(|world| assert!(world.health().0));
        three.stop();
        let within = |what: &str, call: &mut dyn FnMut()| {
            let start = Instant::now();
            call();
            assert!(start.elapsed() < TIMEOUT + SLACK, "{what} took {:?}", start.elapsed());
        };
        for world in &worlds {
            within("get_many", &mut || {
                assert_eq!(call!(world, cache => cache.get_many(names())).unwrap(), three.kept());
            });
            assert_absorbed(&heard, "get_many");
            within("get_or_compute_many", &mut || assert!(load_many(world).is_superset(&three.lost)));
            assert_absorbed(&heard, "get_or_compute_many");
        }
        // What was sent to it may be applied, and so is not hidden; the living have it all the same.
        let mut failed = None;
        within("set_many", &mut || {
            failed = call!(&worlds[0], cache => cache.set_many(items(3), Ttl::NEVER)).err();
        });
        assert!(failed.is_none_or(|error| error.is_ambiguous()));
        assert_eq!(three.kept(), three.living(3));
    });
}

#[test]
fn a_server_that_dies_during_a_load_keeps_no_other_from_storing() {
    Three::each(|three| {
        let (worlds, heard) = three.degrading();
        for world in &worlds {
            call!(world, cache => cache.delete_many(names())).unwrap();
            let load = |missing: &[String]| {
                three.kill();
                Ok::<_, BoxError>(missing.iter().map(|name| (name.clone(), 5)).collect())
            };
            assert_eq!(world.load_many(names(), load).unwrap(), items(5).collect::<HashMap<_, u64>>());
            let told = heard.take();
            let [trouble] = &told[..] else { panic!("told {told:?}") };
            // What went into a connection that had just died may have been applied, and is not hidden.
            assert_eq!(trouble.is_absorbed, trouble.kind != ErrorKind::Ambiguous, "{trouble:?}");
            assert_eq!(three.kept(), three.living(5));
            three.servers[three.dead].restart();
        }
    });
}

#[test]
fn without_degrade_a_dead_server_fails_the_batch() {
    Three::each(|three| {
        let worlds = three.plain();
        three.kill();
        for world in &worlds {
            let read = call!(world, cache => cache.get_many::<u64>(names())).unwrap_err();
            assert_eq!(read.kind(), ErrorKind::Unavailable, "{read}");
            let write = call!(world, cache => cache.set_many(items(1), Ttl::NEVER)).unwrap_err();
            assert!(matches!(write.kind(), ErrorKind::Unavailable | ErrorKind::Ambiguous), "{write}");
        }
    });
}

#[test]
fn a_batch_is_checked_whole_before_any_part_of_it_is_written() {
    Three::each(|three| {
        let (worlds, heard) = three.degrading();
        for world in &worlds {
            for too_large in names().step_by(12) {
                let long = |name: String| if name == too_large { "x".repeat(2 << 20) } else { String::new() };
                let items = names().map(|name| (name.clone(), long(name)));
                let error = call!(world, cache => cache.set_many(items, Ttl::NEVER)).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::TooLarge, "{error}");
            }
            assert_eq!(three.kept(), three.living(0), "nothing was written");
        }
        assert!(heard.take().is_empty());
    });
}

#[test]
fn a_clear_reaches_the_living_and_is_not_said_to_be_done() {
    Three::each(|three| {
        if !three.clearable {
            return;
        }
        for (worlds, degrades) in [(three.degrading().0, true), (three.plain(), false)] {
            for world in &worlds {
                call!(world, cache => cache.set_many(items(1), Ttl::NEVER)).unwrap();
                three.kill();
                let error = call!(world, cache => cache.clear()).unwrap_err();
                assert!(error.is_ambiguous(), "a part of it was applied, degrade {degrades}: {error}");
                assert!(three.kept().is_empty());
                three.servers[three.dead].restart();
            }
        }
        let (worlds, heard) = three.degrading();
        three.servers.iter().for_each(MemcachedServer::kill);
        for world in &worlds {
            call!(world, cache => cache.clear()).unwrap();
            assert_absorbed(&heard, "clear");
        }
    });
}
