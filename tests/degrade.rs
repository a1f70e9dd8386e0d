//! A cache that degrades, and its server away: what is absorbed, what fails all the same, and that all of it is told.
#![cfg(all(feature = "redis", feature = "memcached", feature = "async", feature = "json"))]

mod support;

use std::thread;
use std::time::{Duration, Instant};

use lexigram_cache::{ErrorKind, Memory, Redis, Result, Ttl};
use support::{Heard, RedisServer, Remote, Trouble, World, call, closed_port, eventually, worlds};

const TIMEOUT: Duration = Duration::from_millis(300);
const SLACK: Duration = Duration::from_millis(100);
const SECOND: Duration = Duration::from_secs(1);
const SOON: Duration = Duration::from_secs(5);

/// What becomes of a verb without its server.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    /// It comes to nothing, and so many misses are counted.
    Read(u64),
    Blind,
    /// It fails, since its caller acts on the answer.
    Decides,
}
use Kind::{Blind, Decides, Read};

/// A verb by the name that events carry, and whether its answer was nothing.
type Verb = (&'static str, Kind, fn(&World) -> Result<bool>);

const VERBS: &[Verb] = &[
    ("get", Read(1), |w| call!(w, c => c.get::<String>("k")).map(|v| v.is_none())),
    ("get", Read(1), |w| call!(w, c => c.get_arc::<String>("k")).map(|v| v.is_none())),
    ("get", Read(1), |w| call!(w, c => c.get_with("k", |_: &String| ())).map(|v| v.is_none())),
    ("get_many", Read(100), |w| call!(w, c => c.get_many::<String>(names())).map(|v| v.is_empty())),
    ("exists", Read(0), |w| call!(w, c => c.exists("k")).map(|v| !v)),
    ("ttl", Read(0), |w| call!(w, c => c.ttl("k")).map(|v| v.is_none())),
    ("set", Blind, |w| call!(w, c => c.set("k", "v", Ttl::NEVER)).map(|()| true)),
    ("set_many", Blind, |w| {
        call!(w, c => c.set_many(names().map(|n| (n, "v".to_owned())), Ttl::NEVER)).map(|()| true)
    }),
    ("touch", Blind, |w| call!(w, c => c.touch("k", Ttl::NEVER)).map(|v| !v)),
    ("delete", Blind, |w| call!(w, c => c.delete("k")).map(|v| !v)),
    ("delete_many", Blind, |w| call!(w, c => c.delete_many(names())).map(|v| v == 0)),
    ("clear", Blind, |w| call!(w, c => c.clear()).map(|()| true)),
    ("add", Decides, |w| call!(w, c => c.add("k", "v", Ttl::NEVER)).map(|_| false)),
    ("replace", Decides, |w| call!(w, c => c.replace("k", "v", Ttl::NEVER)).map(|_| false)),
    ("take", Decides, |w| call!(w, c => c.take::<String>("k")).map(|_| false)),
    ("update", Decides, |w| {
        call!(w, c => c.update("k", Ttl::NEVER, |_: Option<String>| "v".into())).map(|_| false)
    }),
    ("incr", Decides, |w| call!(w, c => c.incr("n", 1, Ttl::NEVER)).map(|_| false)),
    ("decr", Decides, |w| call!(w, c => c.decr("n", 1, Ttl::NEVER)).map(|_| false)),
];

/// Verbs that Memcached has not.
const BY_PATTERN: &[Verb] = &[
    ("delete_prefix", Blind, |w| call!(w, c => c.delete_prefix("k")).map(|v| v == 0)),
    ("delete_pattern", Blind, |w| call!(w, c => c.delete_pattern("k*")).map(|v| v == 0)),
    ("keys", Decides, |w| call!(w, c => c.keys("*").next_key()).map(|_| false)),
];

fn names() -> impl Iterator<Item = String> {
    (0..100).map(|n| format!("key {n}"))
}

fn verbs(remote: &Remote) -> impl Iterator<Item = &'static Verb> {
    VERBS.iter().chain(BY_PATTERN.iter().filter(|_| matches!(remote, Remote::Redis(_))))
}

/// Caches on a Redis of this test's own.
fn degrading(redis: &RedisServer) -> ([World; 2], Heard) {
    let heard = Heard::default();
    let redis = Redis::builder(redis.url()).breaker(None).build().unwrap();
    (worlds!(redis, timeout(TIMEOUT), degrade(true), observer(heard.observer())), heard)
}

/// Makes the call, and holds what it answers to what the observer and the counters were told of it. Returns the error
/// that was told, which is exactly one.
fn told(verb: &Verb, world: &World, heard: &Heard, timeout: Duration) -> Trouble {
    let (name, kind, run) = verb;
    let (before, start) = (world.stats(), Instant::now());
    let answer = run(world);
    let took = start.elapsed();
    assert!(took < timeout + SLACK, "{name} took {took:?} in {world:?}");
    let told = heard.take();
    let [trouble] = &told[..] else { panic!("{name} in {world:?} told {told:?}") };
    let after = world.stats();
    assert_eq!(trouble.operation, *name);
    assert_eq!(after.errors - before.errors, 1, "{name}");
    assert_eq!(after.absorbed - before.absorbed, u64::from(trouble.is_absorbed), "{name}");
    match (&answer, kind) {
        (Ok(nothing), Read(misses)) => {
            assert!(nothing & trouble.is_absorbed, "{name}: {trouble:?}");
            assert_eq!((after.misses - before.misses, after.hits), (*misses, before.hits), "{name}");
        }
        (Ok(nothing), Blind) => assert!(nothing & trouble.is_absorbed, "{name}: {trouble:?}"),
        (Err(error), Decides | Blind) => {
            assert!(!trouble.is_absorbed && error.kind() == trouble.kind, "{name}: {error}");
        }
        _ => panic!("{name} in {world:?} said {answer:?}"),
    }
    assert_eq!(answer.is_err(), !trouble.is_absorbed, "{name}: {answer:?}");
    trouble.clone()
}

#[test]
fn with_its_server_gone_reads_miss_blind_writes_are_dropped_and_decisions_fail() {
    Remote::each(|remote| {
        let (warm, heard_warm) = remote.degrading(1, SECOND);
        warm.iter().for_each(|world| assert!(world.health().0));
        remote.kill();
        let (cold, heard_cold) = remote.degrading(1, SECOND);
        for (worlds, heard) in [(warm, heard_warm), (cold, heard_cold)] {
            for world in &worlds {
                for verb in verbs(remote) {
                    let trouble = told(verb, world, &heard, SECOND);
                    assert_eq!(trouble.kind, ErrorKind::Unavailable, "{verb:?}: {trouble:?}");
                    assert_eq!(trouble.is_absorbed, verb.1 != Decides, "{verb:?}: {trouble:?}");
                }
                assert!(!world.health().0, "health never pretends");
                assert!(heard.take().is_empty());
            }
        }
    });
}

/// Each verb in each world on connections of its own, a few at a time, since each waits its whole timeout.
fn each_verb_of_a_stopped_server(remote: &Remote, warm: bool, check: impl Fn(&Verb, &Trouble) + Sync) {
    let calls: Vec<_> = verbs(remote)
        .flat_map(|verb| {
            let (worlds, heard) = remote.degrading(1, TIMEOUT);
            worlds.map(|world| (verb, world, heard.clone()))
        })
        .collect();
    if warm {
        calls.iter().for_each(|(_, world, _)| assert!(world.health().0));
    }
    remote.stop();
    // The two worlds of a verb share what is heard, so they do not go at the same time.
    for side in 0..2 {
        let calls: Vec<_> = calls.iter().skip(side).step_by(2).collect();
        for some in calls.chunks(AT_ONCE) {
            thread::scope(|scope| {
                for (verb, world, heard) in some {
                    scope.spawn(|| check(verb, &told(verb, world, heard, TIMEOUT)));
                }
            });
        }
    }
}

const AT_ONCE: usize = 8;

#[test]
fn with_its_server_hanging_each_verb_ends_in_time_and_hides_no_write_that_was_sent() {
    Remote::each(|remote| {
        each_verb_of_a_stopped_server(remote, true, |(name, kind, _), trouble| match kind {
            Read(_) => assert_eq!(trouble.kind, ErrorKind::Timeout, "{name}: {trouble:?}"),
            // Some look first, and have then sent nothing that changes anything.
            Blind | Decides => assert!(
                matches!(trouble.kind, ErrorKind::Timeout | ErrorKind::Ambiguous),
                "{name}: {trouble:?}"
            ),
        });
    });
}

#[test]
fn a_write_that_was_sent_and_not_answered_is_ambiguous_and_not_absorbed() {
    Remote::each(|remote| {
        let (worlds, heard) = remote.degrading(1, TIMEOUT);
        for world in &worlds {
            call!(world, cache => cache.set("warm", "v", Ttl::NEVER)).unwrap();
            remote.stop();
            let error = call!(world, cache => cache.set("k", "v", Ttl::NEVER)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Ambiguous, "{error}");
            let told = heard.take();
            assert!(matches!(&told[..], [trouble] if !trouble.is_absorbed), "{told:?}");
            remote.cont();
            let applied = || call!(world, cache => cache.exists("k")).unwrap();
            eventually("what was sent is applied after all", SOON, applied);
            heard.take();
        }
    });
}

#[test]
fn on_redis_a_hanging_server_that_was_sent_no_write_yet_drops_it() {
    Remote::each(|remote| {
        // Memcached is not greeted, so there a write is the first that is sent.
        if let Remote::Redis(_) = remote {
            each_verb_of_a_stopped_server(remote, false, |verb, trouble| {
                assert_eq!(trouble.kind, ErrorKind::Timeout, "{verb:?}: {trouble:?}");
                assert_eq!(trouble.is_absorbed, verb.1 != Decides, "{verb:?}: {trouble:?}");
            });
        }
    });
}

#[test]
fn without_degrade_the_same_calls_fail_and_nothing_is_absorbed() {
    Remote::each(|remote| {
        remote.kill();
        for world in remote.worlds(TIMEOUT) {
            for (nth, (name, _, run)) in verbs(remote).enumerate() {
                let error = run(&world).expect_err(name);
                assert_eq!(error.kind(), ErrorKind::Unavailable, "{name}: {error}");
                assert_eq!(world.stats().errors, nth as u64 + 1, "{name}");
            }
            assert_eq!(world.stats().absorbed, 0);
        }
    });
}

#[test]
fn it_works_as_ever_before_and_after() {
    Remote::each(|remote| {
        let (worlds, heard) = remote.degrading(1, TIMEOUT);
        let works = |world: &World| {
            call!(world, cache => cache.set("k", "v", Ttl::NEVER)).unwrap();
            call!(world, cache => cache.get::<String>("k")).unwrap().as_deref() == Some("v")
        };
        for world in &worlds {
            assert!(works(world));
        }
        assert!(heard.take().is_empty());
        remote.kill();
        for world in &worlds {
            assert_eq!(call!(world, cache => cache.get::<String>("k")).unwrap(), None);
        }
        assert_eq!(heard.take().len(), 2);
        remote.restart();
        for world in &worlds {
            eventually("it works again", Duration::from_secs(2), || works(world));
            assert_eq!(call!(world, cache => cache.incr("n", 1, Ttl::NEVER)).unwrap(), 1);
            call!(world, cache => cache.delete("n")).unwrap();
        }
    });
}

#[test]
fn what_a_server_refuses_is_dropped_and_told_by_the_servers_word() {
    let full = RedisServer::start_with(&["--maxmemory", "1", "--maxmemory-policy", "noeviction"]);
    let (worlds, heard) = degrading(&full);
    for world in &worlds {
        call!(world, cache => cache.set("k", "v", Ttl::NEVER)).unwrap();
        let told = heard.take();
        assert!(
            matches!(&told[..], [trouble] if trouble.is_absorbed && trouble.code.as_deref() == Some("OOM")),
            "{told:?}"
        );
        let error = call!(world, cache => cache.add("k", "v", Ttl::NEVER)).unwrap_err();
        assert_eq!((error.kind(), error.code()), (ErrorKind::Refused, Some("OOM")));
        heard.take();
    }
}

#[test]
fn what_needs_a_person_is_never_absorbed() {
    let server = RedisServer::start_with(&["--requirepass", "right"]);
    let (worlds, heard) = degrading(&server);
    for world in &worlds {
        let errors = [
            call!(world, cache => cache.get::<String>("k")).unwrap_err(),
            call!(world, cache => cache.set("k", "v", Ttl::NEVER)).unwrap_err(),
            world.compute("k", 1).unwrap_err(),
        ];
        errors.iter().for_each(|error| assert_eq!(error.kind(), ErrorKind::Auth, "{error}"));
        assert!(heard.take().iter().all(|trouble| !trouble.is_absorbed));
        assert_eq!(world.stats().absorbed, 0);
    }
}

#[test]
fn what_is_the_callers_own_doing_fails_as_ever() {
    Remote::each(|remote| {
        remote.kill();
        let (worlds, heard) = remote.degrading(1, TIMEOUT);
        for world in &worlds {
            let kind = |result: Result<()>| result.unwrap_err().kind();
            let get = call!(world, cache => cache.get::<String>("")).map(drop);
            assert_eq!(kind(get), ErrorKind::InvalidKey);
            let set = call!(world, cache => cache.set("k", "v", Duration::ZERO));
            assert_eq!(kind(set), ErrorKind::InvalidTtl);
            world.close();
            let closed = call!(world, cache => cache.get::<String>("k")).map(drop);
            assert_eq!(kind(closed), ErrorKind::Closed);
        }
        assert!(heard.take().is_empty());
    });
}

#[test]
fn no_secret_key_or_value_is_told() {
    const CANARY: &str = "S3CR3T-7f2a";
    let hanging = RedisServer::start_with(&["--requirepass", CANARY]);
    hanging.stop();
    for addr in [([127, 0, 0, 1], closed_port()).into(), hanging.addr()] {
        let heard = Heard::default();
        let redis = Redis::builder(format!("redis://:{CANARY}@{addr}/0")).build().unwrap();
        for world in worlds!(redis, timeout(TIMEOUT), degrade(true), observer(heard.observer())) {
            assert_eq!(call!(&world, cache => cache.get::<String>(CANARY)).unwrap(), None);
            call!(&world, cache => cache.set(CANARY, CANARY, Ttl::NEVER)).unwrap();
            call!(&world, cache => cache.set_many([(CANARY, CANARY.to_owned())], Ttl::NEVER)).unwrap();
            assert_eq!(world.compute(CANARY, CANARY.to_owned()).unwrap(), CANARY);
            let told = heard.take();
            assert_eq!(told.len(), 4);
            assert!(told.iter().all(|trouble| !trouble.text.contains(CANARY)), "{told:?}");
        }
    }
}

#[test]
fn it_is_seen_in_debug() {
    for world in worlds!(Memory::default(), degrade(true)) {
        assert!(format!("{world:?}").contains("degrade: true"), "{world:?}");
    }
}

#[cfg(feature = "yaml")]
#[test]
fn a_configuration_can_ask_for_it() {
    use lexigram_cache::{Caches, aio};

    let port = closed_port();
    for (degrade, absorbed) in [("true", 1), ("false", 0)] {
        let yaml = format!(
            "backends:\n  - {{name: hot, type: redis, redis_host: 127.0.0.1, redis_port: {port}, degrade: {degrade}}}\n"
        );
        let worlds = [
            World::Threads(Caches::from_yaml_str(&yaml).unwrap().default()),
            World::Tasks(aio::Caches::from_yaml_str(&yaml).unwrap().default()),
        ];
        for world in worlds {
            let got = call!(&world, cache => cache.get::<String>("k"));
            assert_eq!(got.is_ok(), absorbed == 1, "{got:?}");
            assert_eq!(world.stats().absorbed, absorbed);
        }
    }
}
