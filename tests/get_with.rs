//! `get_with`: reads in place. Its closure runs under a lock in memory, and so may not use a memory cache; elsewhere it
//! may use any.
#![cfg(feature = "async")]

#[path = "contract/shelf.rs"]
mod shelf;
mod support;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;

use lexigram_cache::{Cache, Error, ErrorKind, Memory, Result, Ttl};
use serde::{Deserialize, Serialize};
use support::{World, call, worlds};

type Verb = (&'static str, fn(&Cache) -> Result<()>);

/// Every verb, on the key that is being read, on another that is there, and on one that is not.
const VERBS: &[Verb] = &[
    ("get", |c| c.get::<u64>("k").map(drop)),
    ("get", |c| c.get::<u64>("missing").map(drop)),
    ("get", |c| c.get::<String>("text").map(drop)),
    ("get", |c| c.get_arc::<u64>("k").map(drop)),
    ("get", |c| c.get_with("other", |_: &u64| ()).map(drop)),
    ("get_many", |c| c.get_many::<u64>(["k", "other"]).map(drop)),
    ("exists", |c| c.exists("other").map(drop)),
    ("ttl", |c| c.ttl("k").map(drop)),
    ("set", |c| c.set("k", &2_u64, Ttl::NEVER)),
    ("set", |c| c.set("new", &2_u64, Ttl::NEVER)),
    ("set_many", |c| c.set_many([("k", 2_u64), ("new", 2)], Ttl::NEVER)),
    ("add", |c| c.add("new", &2_u64, Ttl::NEVER).map(drop)),
    ("replace", |c| c.replace("k", &2_u64, Ttl::NEVER).map(drop)),
    ("update", |c| c.update("k", Ttl::NEVER, |_: Option<u64>| 2).map(drop)),
    ("touch", |c| c.touch("k", Ttl::NEVER).map(drop)),
    ("incr", |c| c.incr("count", 1, Ttl::NEVER).map(drop)),
    ("take", |c| c.take::<u64>("k").map(drop)),
    ("delete", |c| c.delete("k").map(drop)),
    ("delete_many", |c| c.delete_many(["k", "other"]).map(drop)),
    ("delete_prefix", |c| c.delete_prefix("k").map(drop)),
    ("clear", Cache::clear),
    ("get_or_compute", |c| compute(c, "k")),
    ("get_or_compute", |c| compute(c, "missing")),
    ("get_or_compute", |c| {
        c.get_or_compute_arc("k", Ttl::NEVER, || Ok::<_, std::io::Error>(2_u64)).map(drop)
    }),
    ("get_or_compute_many", |c| {
        let load = |_: &[String]| -> Result<_, std::io::Error> { panic!("nothing can be loaded here") };
        c.get_or_compute_many::<u64, _>(["k".to_owned(), "missing".to_owned()], Ttl::NEVER, load).map(drop)
    }),
    ("fetch", |c| {
        let load = || -> Result<u64, std::io::Error> { panic!("nothing can be loaded here") };
        c.fetch("missing", c.policy().build().unwrap(), load).map(drop)
    }),
];

fn compute(cache: &Cache, key: &str) -> Result<()> {
    let load = || -> Result<u64, std::io::Error> { panic!("nothing can be loaded here") };
    cache.get_or_compute(key, Ttl::NEVER, load).map(drop)
}

fn fill(cache: &Cache) {
    cache.clear().unwrap();
    cache.set_many([("k", 1_u64), ("other", 3)], Ttl::NEVER).unwrap();
    cache.set("text", "text", Ttl::NEVER).unwrap();
    cache.set("count", &5_i64, Ttl::NEVER).unwrap();
}

fn over(memory: Memory) -> Cache {
    Cache::builder().backend(memory).build().unwrap()
}

#[track_caller]
fn assert_refused(error: &Error, operation: &str) {
    assert_eq!((error.kind(), error.operation()), (ErrorKind::Unsupported, Some(operation)), "{error}");
    assert!(error.to_string().contains("use the cache after it"), "{error}");
    assert!(!error.is_retryable());
}

/// Everything works: each verb in turn, also from another thread.
#[track_caller]
fn assert_unharmed(cache: &Cache) {
    for elsewhere in [false, true] {
        let all = || {
            for (operation, run) in VERBS {
                fill(cache);
                cache.set("missing", &4_u64, Ttl::NEVER).unwrap();
                run(cache).unwrap_or_else(|error| panic!("{operation}: {error}"));
            }
        };
        match elsewhere {
            true => thread::scope(|scope| scope.spawn(all).join().unwrap()),
            false => all(),
        }
        fill(cache);
    }
}

#[test]
fn a_memory_cache_refuses_every_verb_within_the_closure_and_works_after_it() {
    let memory = Memory::default();
    let (same, other) = (over(memory.clone()), over(Memory::default()));
    for world in worlds!(memory) {
        for cache in [&same, &other] {
            fill(&same);
            fill(&other);
            for (operation, run) in VERBS {
                let refused =
                    call!(&world, c => c.get_with("k", |value: &u64| (run(cache), *value))).unwrap();
                let (refused, value) = refused.unwrap();
                assert_eq!(value, 1);
                assert_refused(&refused.unwrap_err(), operation);
            }
            assert_eq!(cache.get::<u64>("k").unwrap(), Some(1), "nothing was changed");
            assert_eq!((cache.exists("new").unwrap(), cache.get::<i64>("count").unwrap()), (false, Some(5)));
            assert_eq!(cache.stats().errors, 0);
            assert_unharmed(cache);
        }
    }
}

#[test]
fn stats_answer_within_the_closure() {
    for world in worlds!(Memory::default()) {
        call!(&world, c => c.clear()).unwrap();
        call!(&world, c => c.set("k", &1_u64, Ttl::NEVER)).unwrap();
        let stats = call!(&world, c => c.get_with("k", |_: &u64| world.stats())).unwrap();
        assert_eq!(stats.unwrap().entries, Some(1));
    }
}

#[test]
fn a_closure_that_panics_harms_nothing() {
    let memory = Memory::default();
    let cache = over(memory.clone());
    for world in worlds!(memory) {
        fill(&cache);
        let read = |_: &u64| -> u64 {
            assert_refused(&cache.get::<u64>("other").unwrap_err(), "get");
            std::panic::resume_unwind(Box::new("as this test wants it to"))
        };
        let read = || call!(&world, c => c.get_with("k", read));
        assert!(catch_unwind(AssertUnwindSafe(read)).is_err(), "the panic went missing");
        assert_unharmed(&cache);
    }
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
struct Long {
    name: String,
    age: u8,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
struct Short {
    name: String,
}

/// The closure is asked once, with the value as the type it wants, or not at all.
fn assert_reads_as_another_type(world: &World) {
    call!(world, c => c.set("k", &Long { name: "Ada".into(), age: 36 }, Ttl::NEVER)).unwrap();
    let short = call!(world, c => c.get_with("k", |short: &Short| short.name.clone())).unwrap();
    assert_eq!(short.as_deref(), Some("Ada"));
    let before = world.stats();
    let missed =
        call!(world, c => c.get_with("k", |_: &Vec<u64>| -> u64 { panic!("it is no list") })).unwrap();
    assert_eq!(missed, None);
    assert_eq!(world.stats().decode_rejected, before.decode_rejected + 1);
    assert_eq!(world.stats().misses, before.misses + 1);
    let missed =
        call!(world, c => c.get_with("none", |_: &Short| -> u64 { panic!("there is none") })).unwrap();
    assert_eq!(missed, None);
}

#[test]
fn a_value_is_read_as_another_type_through_the_codec() {
    worlds!(Memory::default()).iter().for_each(assert_reads_as_another_type);
}

#[test]
fn a_custom_backend_reads_in_place_too_and_its_closure_may_use_any_cache() {
    let threads = Cache::builder().backend(shelf::Shelf::default()).build().unwrap();
    let tasks = lexigram_cache::aio::Cache::builder().backend(shelf::Shelf::default()).build().unwrap();
    let memory = over(Memory::default());
    for world in [World::Threads(threads.clone()), World::Tasks(tasks)] {
        assert_reads_as_another_type(&world);
        call!(&world, c => c.set("k", &1_u64, Ttl::NEVER)).unwrap();
        for cache in [&threads, &memory] {
            for (operation, run) in VERBS {
                fill(cache);
                cache.set("missing", &4_u64, Ttl::NEVER).unwrap();
                call!(&world, c => c.set("k", &1_u64, Ttl::NEVER)).unwrap();
                let ran = call!(&world, c => c.get_with("k", |_: &u64| run(cache))).unwrap();
                ran.unwrap().unwrap_or_else(|error| panic!("{operation}: {error}"));
            }
        }
    }
}
