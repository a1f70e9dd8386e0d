//! A server that stands still (SIGSTOP): connections are open, nothing is answered, and every call still ends.
#![cfg(all(feature = "redis", feature = "memcached", feature = "async"))]

mod support;

use std::thread;
use std::time::{Duration, Instant};

use lexigram_cache::{BoxError, ErrorKind, Result, Ttl};
use support::{Remote, World, call, eventually};

const TIMEOUT: Duration = Duration::from_millis(300);
const LIMIT: Duration = Duration::from_millis(400);

/// What a call changes, which decides how its failure may be called.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Read,
    Write,
}
use Kind::{Read, Write};

type Verb = (&'static str, Kind, fn(&World) -> Result<()>);

const VERBS: &[Verb] = &[
    ("get", Read, |w| call!(w, c => c.get::<String>("k")).map(drop)),
    ("get_with", Read, |w| call!(w, c => c.get_with("k", |_: &String| ())).map(drop)),
    ("exists", Read, |w| call!(w, c => c.exists("k")).map(drop)),
    ("ttl", Read, |w| call!(w, c => c.ttl("k")).map(drop)),
    ("get_many", Read, |w| call!(w, c => c.get_many::<String>(names())).map(drop)),
    ("get_or_compute", Read, |w| w.compute("k", "v".to_owned()).map(drop)),
    ("get_or_compute_many", Read, |w| {
        let load =
            |missing: &[String]| Ok::<_, BoxError>(missing.iter().map(|k| (k.clone(), 1_u64)).collect());
        w.load_many(names(), load).map(drop)
    }),
    ("set", Write, |w| call!(w, c => c.set("k", "v", Ttl::NEVER))),
    ("add", Write, |w| call!(w, c => c.add("k", "v", Ttl::NEVER)).map(drop)),
    ("replace", Write, |w| call!(w, c => c.replace("k", "v", Ttl::NEVER)).map(drop)),
    ("delete", Write, |w| call!(w, c => c.delete("k")).map(drop)),
    ("touch", Write, |w| call!(w, c => c.touch("k", Ttl::NEVER)).map(drop)),
    ("take", Write, |w| call!(w, c => c.take::<String>("k")).map(drop)),
    ("update", Write, |w| call!(w, c => c.update("k", Ttl::NEVER, |_: Option<String>| "v".into())).map(drop)),
    ("incr", Write, |w| call!(w, c => c.incr("n", 1, Ttl::NEVER)).map(drop)),
    ("decr", Write, |w| call!(w, c => c.decr("n", 1, Ttl::NEVER)).map(drop)),
    ("set_many", Write, |w| call!(w, c => c.set_many(names().map(|n| (n, "v".to_owned())), Ttl::NEVER))),
    ("delete_many", Write, |w| call!(w, c => c.delete_many(names())).map(drop)),
    ("clear", Write, |w| call!(w, c => c.clear())),
];

fn names() -> impl Iterator<Item = String> {
    (0..1_000).map(|n| format!("key {n}"))
}

/// Makes the call and holds it to its time and to an honest failure.
fn ends_honestly((name, kind, run): &Verb, world: &World) {
    let start = Instant::now();
    let error = run(world).expect_err(name);
    let took = start.elapsed();
    println!("{name} in {world:?}: {took:?} of {LIMIT:?}");
    assert!(took < LIMIT, "{name} took {took:?} in {world:?}: {error}");
    assert!(error.is_timeout() || error.is_ambiguous(), "{name} in {world:?}: {error:?}");
    assert!(*kind == Write || error.kind() == ErrorKind::Timeout, "{name} in {world:?}: {error:?}");
    assert!(!(error.is_ambiguous() && error.is_retryable()), "{name}");
}

/// Each verb in each world on connections of its own, which `warm` opens before the server stops. A few at a
/// time, since each waits its whole timeout.
fn every_verb(remote: &Remote, warm: impl Fn(&World)) {
    let calls: Vec<_> =
        VERBS.iter().flat_map(|verb| remote.worlds(TIMEOUT).map(|world| (verb, world))).collect();
    calls.iter().for_each(|(_, world)| warm(world));
    remote.stop();
    for some in calls.chunks(AT_ONCE) {
        thread::scope(|scope| {
            some.iter().for_each(|(verb, world)| drop(scope.spawn(|| ends_honestly(verb, world))));
        });
    }
}

const AT_ONCE: usize = 8;

#[test]
fn every_verb_ends_in_time_on_open_connections() {
    Remote::each(|remote| {
        every_verb(remote, |world| assert!(world.health().0));
    });
}

#[test]
fn every_verb_ends_in_time_on_connections_to_be_made() {
    Remote::each(|remote| every_verb(remote, |_| ()));
}

#[test]
fn health_says_down_in_time() {
    Remote::each(|remote| {
        let worlds = remote.worlds(TIMEOUT);
        assert!(worlds[0].health().0);
        remote.stop();
        for world in worlds {
            let start = Instant::now();
            let (is_up, detail) = world.health();
            assert!(!is_up && start.elapsed() < LIMIT, "{detail} after {:?}", start.elapsed());
        }
    });
}

#[test]
fn a_write_that_was_sent_is_ambiguous_and_not_said_to_be_retryable() {
    Remote::each(|remote| {
        for world in remote.worlds_at(remote.addr(), 1, TIMEOUT) {
            call!(&world, cache => cache.set("warm", "v", Ttl::NEVER)).unwrap();
            remote.stop();
            let error = call!(&world, cache => cache.set("k", "v", Ttl::NEVER)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Ambiguous, "{error}");
            assert!(!error.is_retryable());
            assert_eq!((error.operation(), error.backend()), (Some("set"), Some(remote.name())));
            remote.cont();
            let applied = || call!(&world, cache => cache.exists("k")).unwrap();
            eventually("what was sent is applied after all", Duration::from_secs(5), applied);
        }
    });
}

#[test]
fn thirty_two_callers_of_two_connections_all_end_in_time() {
    Remote::each(|remote| {
        for world in remote.worlds(TIMEOUT) {
            assert!(world.health().0);
            remote.stop();
            thread::scope(|scope| {
                for caller in 0..32 {
                    let (world, verb) = (&world, &VERBS[caller % VERBS.len()]);
                    scope.spawn(move || ends_honestly(verb, world));
                }
            });
            remote.cont();
            eventually("it works again", Duration::from_secs(5), || world.health().0);
        }
    });
}
