//! Input that cannot be right: a typed error that says what, where, and what to do next.
#![cfg(all(feature = "redis", feature = "memcached", feature = "async", feature = "yaml"))]

mod support;

use std::time::Duration;

use lexigram_cache::{Cache, Caches, Error, ErrorKind, Memcached, Memory, Redis, Result, Ttl, aio};
use support::{Wire, World, call, closed_port, worlds};

const MINUTE: Duration = Duration::from_secs(60);

/// Every backend in both worlds, with servers that are not there: bad input is refused before they are asked.
fn everywhere() -> Vec<(&'static str, World)> {
    let nowhere = format!("127.0.0.1:{}", closed_port());
    let redis = Redis::builder(format!("redis://{nowhere}")).build().unwrap();
    let memcached = Memcached::builder([nowhere]).build().unwrap();
    let named = |name, worlds: [World; 2]| worlds.map(|world| (name, world));
    let memory = worlds!(Memory::default(), prefix("app"));
    let (redis, memcached) = (worlds!(redis, prefix("app")), worlds!(memcached, prefix("app")));
    [named("memory", memory), named("redis", redis), named("memcached", memcached)]
        .into_iter()
        .flatten()
        .collect()
}

fn assert_says(error: &Error, kind: ErrorKind, place: (&str, &str), advice: &str) {
    let (backend, operation) = place;
    assert_eq!(error.kind(), kind, "{error:?}");
    assert_eq!((error.backend(), error.operation()), (Some(backend), Some(operation)), "{error:?}");
    let text = error.to_string();
    assert!(text.starts_with(&format!("{backend} {operation}: ")) && text.contains(advice), "{text}");
    assert!(!error.is_retryable(), "the same input will not do better");
}

type Verb = (&'static str, fn(&World, &str, Ttl) -> Result<()>);

const WRITES: &[Verb] = &[
    ("set", |w, key, ttl| call!(w, c => c.set(key, "v", ttl))),
    ("add", |w, key, ttl| call!(w, c => c.add(key, "v", ttl)).map(drop)),
    ("replace", |w, key, ttl| call!(w, c => c.replace(key, "v", ttl)).map(drop)),
    ("update", |w, key, ttl| call!(w, c => c.update(key, ttl, |_: Option<u64>| 1)).map(drop)),
    ("touch", |w, key, ttl| call!(w, c => c.touch(key, ttl)).map(drop)),
    ("incr", |w, key, ttl| call!(w, c => c.incr(key, 1, ttl)).map(drop)),
    ("decr", |w, key, ttl| call!(w, c => c.decr(key, 1, ttl)).map(drop)),
    ("set_many", |w, key, ttl| call!(w, c => c.set_many([("good", 1_u64), (key, 2)], ttl))),
];

const READS_AND_REMOVALS: &[Verb] = &[
    ("get", |w, key, _| call!(w, c => c.get::<u64>(key)).map(drop)),
    ("exists", |w, key, _| call!(w, c => c.exists(key)).map(drop)),
    ("ttl", |w, key, _| call!(w, c => c.ttl(key)).map(drop)),
    ("get_many", |w, key, _| call!(w, c => c.get_many::<u64>(["good", key])).map(drop)),
    ("get_or_compute", |w, key, _| w.compute(key, 1_u64).map(drop)),
    ("take", |w, key, _| call!(w, c => c.take::<u64>(key)).map(drop)),
    ("delete", |w, key, _| call!(w, c => c.delete(key)).map(drop)),
    ("delete_many", |w, key, _| call!(w, c => c.delete_many(["good", key])).map(drop)),
];

#[test]
fn an_empty_key_is_refused_by_every_verb() {
    for (backend, world) in everywhere() {
        for (operation, run) in WRITES.iter().chain(READS_AND_REMOVALS) {
            let error = run(&world, "", Ttl::NEVER).unwrap_err();
            assert_says(&error, ErrorKind::InvalidKey, (backend, operation), "name the value that is meant");
        }
        assert_eq!(world.stats().errors, 0, "the backend did nothing wrong");
    }
}

#[test]
fn a_lifetime_of_zero_or_over_a_century_is_refused_by_every_write() {
    let century = Duration::from_secs(100 * 366 * 24 * 60 * 60);
    for (backend, world) in everywhere() {
        for (operation, run) in WRITES {
            let error = run(&world, "k", Duration::ZERO.into()).unwrap_err();
            assert_says(
                &error,
                ErrorKind::InvalidTtl,
                (backend, operation),
                "use delete to remove, or Ttl::NEVER",
            );
            let error = run(&world, "k", century.into()).unwrap_err();
            assert_says(&error, ErrorKind::InvalidTtl, (backend, operation), "use Ttl::NEVER to keep");
        }
    }
}

#[test]
fn a_lifetime_beyond_memcacheds_clock_is_refused_before_a_byte_is_sent() {
    let wire = Wire::before(support::memcached().addr());
    let memcached = Memcached::builder([wire.addr().to_string()]).build().unwrap();
    let thirty_years = Ttl::from(Duration::from_secs(30 * 365 * 24 * 60 * 60));
    for world in worlds!(memcached) {
        for (operation, run) in WRITES.iter().filter(|(operation, _)| *operation != "update") {
            let error = run(&world, "k", thirty_years).unwrap_err();
            assert_says(
                &error,
                ErrorKind::InvalidTtl,
                ("memcached", operation),
                "2038-01-19; give a shorter",
            );
        }
        assert_eq!(wire.requests(), b"");
    }
}

#[test]
fn a_closed_cache_says_so_in_every_verb() {
    for (backend, world) in everywhere() {
        world.close();
        for (operation, run) in WRITES.iter().chain(READS_AND_REMOVALS) {
            let error = run(&world.clone(), "k", MINUTE.into()).unwrap_err();
            assert_says(&error, ErrorKind::Closed, (backend, operation), "build another to go on");
        }
        for (operation, cleared) in [
            ("clear", call!(&world, cache => cache.clear())),
            ("delete_prefix", call!(&world, cache => cache.delete_prefix("k")).map(drop)),
        ] {
            assert_says(&cleared.unwrap_err(), ErrorKind::Closed, (backend, operation), "build another");
        }
        assert_eq!(
            world.health(),
            (false, format!("{backend} health: the cache was closed; build another to go on"))
        );
    }
}

#[test]
fn what_memcached_cannot_do_is_refused_with_the_reason() {
    let (_, world) = everywhere().pop().unwrap();
    let error = call!(&world, cache => cache.clear()).unwrap_err();
    assert_says(&error, ErrorKind::Unsupported, ("memcached", "clear"), "clearable(true)");
    let error = call!(&world, cache => cache.delete_prefix("k")).unwrap_err();
    assert_says(&error, ErrorKind::Unsupported, ("memcached", "delete_prefix"), "cannot list its keys");
}

#[test]
fn an_unknown_cache_is_answered_with_those_there_are() {
    let yaml = "
backends:
  - {name: hot, type: memory, default: true}
  - {name: cold, type: memory}
  - {name: spare, type: memory, enabled: false}
";
    let caches = Caches::from_yaml_str(yaml).unwrap();
    let error = caches.get("hut").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("no cache is named `hut`; there are: cold, hot"), "{error}");
    let error = caches.get("spare").unwrap_err();
    assert!(error.to_string().contains("`spare` is configured with `enabled: false`"), "{error}");
}

#[test]
fn a_yaml_key_that_means_nothing_is_named_with_its_place_and_its_neighbour() {
    let yaml = "
backends:
  - name: hot
    type: memory
    max_sise: 5
";
    let error = Caches::from_yaml_str(yaml).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    for part in ["backends[0]", "max_sise", "max_size", "5"] {
        assert!(error.to_string().contains(part), "{part} in {error}");
    }
}

#[test]
fn a_setting_with_which_nothing_could_work_is_refused_when_it_is_built() {
    let redis = || Redis::builder("redis://127.0.0.1");
    let memcached = || Memcached::builder(["127.0.0.1"]);
    let refused = [
        (Cache::builder().timeout(Duration::ZERO).build().map(drop), "timeout is zero"),
        (aio::Cache::builder().timeout(Duration::ZERO).build().map(drop), "timeout is zero"),
        (redis().pool_size(0).build().map(drop), "pool_size is 0; give 1 to"),
        (redis().pool_size(u32::MAX).build().map(drop), "; give 1 to"),
        (redis().breaker(0).build().map(drop), "breaker"),
        (redis().max_reply_size(1).build().map(drop), "max_reply_size"),
        (redis().client_name("two words").build().map(drop), "client_name must be printable"),
        (redis().client_name("").build().map(drop), "client_name must be printable"),
        (memcached().pool_size(0).build().map(drop), "pool_size is 0; give 1 to"),
        (memcached().breaker(0).build().map(drop), "breaker"),
        (memcached().max_value_size(1 << 30).build().map(drop), "max_value_size is over max_reply_size"),
        (Memcached::builder([""; 0]).build().map(drop), "no Memcached server is named"),
        (Memcached::builder(["a", "a:11211"]).build().map(drop), "named twice"),
    ];
    for (refused, text) in refused {
        let error = refused.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{error}");
        assert!(error.to_string().contains(text), "{text} in {error}");
    }
}
