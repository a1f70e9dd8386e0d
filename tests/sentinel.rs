//! A master that sentinels watch: found through them, and followed to whoever takes over.
#![cfg(all(feature = "redis", feature = "memcached", feature = "async", feature = "json"))]

mod support;

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, ScopedJoinHandle};
use std::time::{Duration, Instant};

use lexigram_cache::{Error, ErrorKind, Redis, Result, Ttl};
use support::{
    RedisServer, SentinelServer, WatchedRedis, Wire, World, ask_raw, call, closed_port, eventually, poll,
    try_raw, worlds,
};

const TIMEOUT: Duration = Duration::from_millis(500);
const IN_TIME: Duration = Duration::from_millis(600);
const SOON: Duration = Duration::from_secs(15);
const LONG: Duration = Duration::from_secs(600);
const NAMES: [&str; 2] = ["threads", "tasks"];

fn redis(watched: &WatchedRedis) -> Redis {
    let [first, further @ ..] = &watched.sentinels[..] else { panic!("there are three") };
    let further = further.iter().map(|sentinel| sentinel.addr().to_string());
    Redis::builder(first.url()).sentinel("mymaster", further).build().unwrap()
}

/// A master alone, watched by a sentinel that does nothing about it.
fn watched_alone() -> (RedisServer, SentinelServer) {
    let (master, sentinel) = (RedisServer::start(), SentinelServer::start());
    sentinel.watch("mymaster", &master, 1, LONG);
    (master, sentinel)
}

fn set(world: &World, key: &str) -> Result<()> {
    call!(world, cache => cache.set(key, &1_u64, Ttl::NEVER))
}

fn get(world: &World, key: &str) -> Result<Option<u64>> {
    call!(world, cache => cache.get::<u64>(key))
}

/// What a call says while its master is away, or is none any more.
fn is_honest(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Unavailable | ErrorKind::Timeout | ErrorKind::Ambiguous)
        || error.code() == Some("READONLY")
}

/// Ends the writers, also where the test has failed.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Writes until each world has written to the server at `replica`, which becomes the master meanwhile; says how long that took
/// from its first answer as one.
fn write_through(worlds: &[World], replica: &RedisServer, begin: impl FnOnce()) -> Vec<Duration> {
    let (promoted, over) = (Mutex::new(None::<Instant>), AtomicBool::new(false));
    // A server that is made the master throws all clients out.
    let answers = |request: &str, expected: &str| {
        try_raw(replica.addr(), request.as_bytes()).is_ok_and(|answer| answer == expected)
    };
    let has = |key: String| answers(&format!("EXISTS {key}\r\n"), ":1\r\n");
    thread::scope(|scope| {
        let writer = |(world, name): (&World, &'static str)| {
            let (world, promoted, over) = (world.clone(), &promoted, &over);
            scope.spawn(move || {
                for number in 0.. {
                    let (start, key) = (Instant::now(), format!("{name}{number}"));
                    let written = set(&world, &key);
                    let end = Instant::now();
                    assert!(end - start < IN_TIME, "{:?}: {written:?}", end - start);
                    match (written, *promoted.lock().unwrap()) {
                        // What the old master still took is on the new one only if it came before.
                        (Ok(()), Some(promoted)) if start > promoted && has(key) => return end - promoted,
                        (Ok(()), _) => {}
                        (Err(error), _) => assert!(is_honest(&error), "{error:?}"),
                    }
                    assert!(!over.load(Ordering::Relaxed), "{name} never got through");
                    // Nobody calls in a circle without a pause.
                    thread::park_timeout(Duration::from_millis(1));
                }
                unreachable!("numbers do not end")
            })
        };
        let writers: Vec<_> = worlds.iter().zip(NAMES).map(writer).collect();
        let over = Over(&over);
        begin();
        let taken = poll(SOON, || answers("SET probe 1\r\n", "+OK\r\n"));
        *promoted.lock().unwrap() = Some(Instant::now());
        poll(SOON, || writers.iter().all(ScopedJoinHandle::is_finished));
        drop(over);
        assert!(taken, "the replica did not take over");
        writers.into_iter().map(|writer| writer.join().unwrap()).collect()
    })
}

#[track_caller]
fn within_two_seconds(what: &str, times: &[Duration]) {
    for (time, name) in times.iter().zip(NAMES) {
        println!("{what}: {name} write {time:?} after the new master's first answer");
        assert!(*time < Duration::from_secs(2), "{name}: {time:?}");
    }
}

#[test]
fn a_master_that_is_killed_is_followed_to_the_one_that_takes_over() {
    let watched = WatchedRedis::start();
    let worlds = worlds!(redis(&watched), timeout(TIMEOUT));
    worlds.iter().for_each(|world| set(world, "before").unwrap());
    let times = write_through(&worlds, &watched.replica, || watched.master.kill());
    within_two_seconds("SIGKILL", &times);
    for world in &worlds {
        assert_eq!(get(world, "before").unwrap(), Some(1));
        assert!(world.health().0);
    }
}

#[test]
fn a_master_that_is_replaced_by_command_is_left_while_writes_go_on() {
    let watched = WatchedRedis::start();
    let worlds = worlds!(redis(&watched), timeout(TIMEOUT));
    let times = write_through(&worlds, &watched.replica, || {
        let failover = || ask_raw(watched.sentinels[0].addr(), b"SENTINEL FAILOVER mymaster\r\n");
        eventually("the sentinel begins", SOON, || failover().starts_with("+OK"));
    });
    within_two_seconds("SENTINEL FAILOVER", &times);
    let role = ask_raw(watched.master.addr(), b"INFO replication\r\n");
    assert!(role.contains("role:master"), "it would not have told by itself: {role}");
}

#[test]
fn a_master_that_hangs_is_left_for_the_one_that_takes_over() {
    let watched = WatchedRedis::start();
    let worlds = worlds!(redis(&watched), timeout(TIMEOUT));
    worlds.iter().for_each(|world| set(world, "k").unwrap());
    let times = write_through(&worlds, &watched.replica, || watched.master.stop());
    within_two_seconds("SIGSTOP", &times);
}

#[test]
fn a_master_that_refuses_to_write_loses_its_connection_and_is_no_master_to_a_new_one() {
    let (master, sentinel) = watched_alone();
    let other = RedisServer::start();
    let redis =
        Redis::builder(sentinel.url()).sentinel("mymaster", [""; 0]).client_name("ours").build().unwrap();
    let tell =
        |command: &str| assert_eq!(ask_raw(master.addr(), format!("{command}\r\n").as_bytes()), "+OK\r\n");
    let held = || ask_raw(master.addr(), b"CLIENT LIST\r\n").matches("name=ours").count();
    for world in worlds!(redis, timeout(TIMEOUT)) {
        set(&world, "k").unwrap();
        let before = held();
        tell(&format!("REPLICAOF 127.0.0.1 {}", other.port()));
        let error = set(&world, "k").unwrap_err();
        assert_eq!((error.kind(), error.code()), (ErrorKind::Refused, Some("READONLY")), "{error:?}");
        eventually("the connection is closed", SOON, || held() == before - 1);
        for error in [set(&world, "k").unwrap_err(), get(&world, "k").unwrap_err()] {
            assert_eq!(error.kind(), ErrorKind::Unavailable);
            assert!(error.to_string().contains("the server is a replica"), "{error}");
        }
        tell("REPLICAOF NO ONE");
        set(&world, "k").unwrap();
        assert_eq!(get(&world, "k").unwrap(), Some(1));
    }
}

#[test]
fn a_script_that_may_not_write_tells_of_a_replica_too() {
    let (master, sentinel) = watched_alone();
    let other = RedisServer::start();
    let redis = Redis::builder(sentinel.url()).sentinel("mymaster", [""; 0]).build().unwrap();
    for world in worlds!(redis, timeout(TIMEOUT)) {
        call!(&world, cache => cache.incr("n", 1, Ttl::NEVER)).unwrap();
        ask_raw(master.addr(), format!("REPLICAOF 127.0.0.1 {}\r\n", other.port()).as_bytes());
        assert!(is_honest(&call!(&world, cache => cache.incr("n", 1, Ttl::NEVER)).unwrap_err()));
        let error = call!(&world, cache => cache.incr("n", 1, Ttl::NEVER)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
        ask_raw(master.addr(), b"REPLICAOF NO ONE\r\n");
        call!(&world, cache => cache.incr("n", 1, Ttl::NEVER)).unwrap();
    }
}

#[test]
fn a_name_that_no_sentinel_knows_and_a_server_that_is_no_sentinel_are_told_apart() {
    let (master, sentinel) = watched_alone();
    let build = |url: String, name: &str| Redis::builder(url).sentinel(name, [""; 0]).build().unwrap();
    let table = [
        (
            build(sentinel.url(), "other"),
            format!("no sentinel knows a master `other`; asked were {}", sentinel.addr()),
        ),
        (build(master.url(), "mymaster"), format!("{}: this server is no sentinel", master.addr())),
    ];
    for (redis, text) in table {
        for world in worlds!(redis, timeout(TIMEOUT)) {
            let error = set(&world, "k").unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Misconfigured);
            assert!(error.to_string().contains(&text), "{error}");
        }
    }
}

#[test]
fn sentinels_have_a_password_of_their_own_and_the_master_its_own_login_and_database() {
    const SECRET: &str = "S3CR3T-7f2a";
    let master = RedisServer::start_with(&["--requirepass", SECRET]);
    let sentinel = SentinelServer::start_with(&["--requirepass", "of-sentinels"]);
    let watch = format!("AUTH of-sentinels\r\nSENTINEL MONITOR mymaster 127.0.0.1 {} 1\r\n", master.port());
    ask_raw(sentinel.addr(), watch.as_bytes());
    let url = format!("redis://:{SECRET}@{}/3", sentinel.addr());
    let build = || Redis::builder(&url).sentinel("mymaster", [""; 0]);
    let redis = build().sentinel_credentials(None, "of-sentinels").build().unwrap();
    for (world, key) in worlds!(redis).iter().zip(NAMES) {
        eventually("the sentinel knows the master", SOON, || set(world, key).is_ok());
    }
    let keys = format!("AUTH {SECRET}\r\nSELECT 3\r\n");
    let there = |key| ask_raw(master.addr(), format!("{keys}EXISTS {key}\r\n").as_bytes());
    eventually("both wrote to database 3", SOON, || NAMES.iter().all(|key| there(key).ends_with(":1\r\n")));
    for wrong in
        [build(), build().sentinel_credentials(None, SECRET), build().sentinel_credentials(Some("u"), SECRET)]
    {
        for world in worlds!(wrong.build().unwrap(), timeout(TIMEOUT)) {
            let error = set(&world, "k").unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Auth, "{error}");
            let text = format!("{error} {error:?}");
            assert!(text.contains(&sentinel.addr().to_string()) && !text.contains(SECRET), "{text}");
        }
    }
}

#[test]
fn sentinels_that_are_all_away_are_named_and_a_master_that_is_known_is_kept() {
    let (master, sentinel) = watched_alone();
    let nowhere = format!("127.0.0.1:{}", closed_port());
    let redis = || Redis::builder(sentinel.url()).sentinel("mymaster", [nowhere.clone()]).build().unwrap();
    let known = worlds!(redis(), timeout(TIMEOUT));
    known.iter().for_each(|world| set(world, "k").unwrap());
    sentinel.kill();
    for world in worlds!(redis(), timeout(TIMEOUT)) {
        let error = set(&world, "k").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert!(error.to_string().contains(&format!("{}, {nowhere}", sentinel.addr())), "{error}");
        assert!(!world.health().0);
    }
    known.iter().for_each(|world| assert_eq!(get(world, "k").unwrap(), Some(1)));
    master.stop();
    known.iter().for_each(|world| assert!(is_honest(&set(world, "k").unwrap_err())));
    master.cont();
    known.iter().for_each(|world| set(world, "k").unwrap());
    master.kill();
    for world in &known {
        // The first finds the connection dead.
        assert!(is_honest(&set(world, "k").unwrap_err()));
        let error = set(world, "k").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert!(error.to_string().contains(&nowhere), "both are away: {error}");
    }
}

#[test]
fn while_all_is_well_a_sentinel_is_asked_at_most_twice_a_second() {
    let (_master, sentinel) = watched_alone();
    let wire = Wire::before(sentinel.addr());
    let redis =
        Redis::builder(format!("redis://{}", wire.addr())).sentinel("mymaster", [""; 0]).build().unwrap();
    for world in worlds!(redis, timeout(TIMEOUT)) {
        set(&world, "k").unwrap();
        wire.take();
        let start = Instant::now();
        while start.elapsed() < Duration::from_millis(1_200) {
            assert_eq!(get(&world, "k").unwrap(), Some(1));
        }
        let asked = String::from_utf8_lossy(&wire.requests()).matches("GET-MASTER").count();
        assert!((1..=2).contains(&asked), "asked {asked} times");
    }
}

#[test]
fn a_sentinel_that_does_not_answer_takes_its_share_of_the_time_once() {
    let (_master, sentinel) = watched_alone();
    let hung = SentinelServer::start();
    hung.stop();
    let redis =
        Redis::builder(hung.url()).sentinel("mymaster", [sentinel.addr().to_string()]).build().unwrap();
    for world in worlds!(redis, timeout(Duration::from_secs(2))) {
        let first = Instant::now();
        set(&world, "k").unwrap();
        assert!(first.elapsed() < Duration::from_secs(2), "{:?}", first.elapsed());
        for _ in 0..20 {
            let later = Instant::now();
            set(&world, "k").unwrap();
            assert!(later.elapsed() < TIMEOUT, "{:?}", later.elapsed());
        }
    }
}

#[cfg(feature = "yaml")]
#[test]
fn a_configuration_names_the_sentinels_and_the_master() {
    let (_master, sentinel) = watched_alone();
    let yaml = format!(
        "backends:\n  - {{name: a, type: redis, redis_mode: sentinel, redis_sentinel_master: mymaster, redis_nodes: [\"127.0.0.1:{}\", \"{}\"]}}\n",
        closed_port(),
        sentinel.addr()
    );
    let threads = lexigram_cache::Caches::from_yaml_str(&yaml).unwrap().default();
    let tasks = lexigram_cache::aio::Caches::from_yaml_str(&yaml).unwrap().default();
    for world in [World::Threads(threads), World::Tasks(tasks)] {
        set(&world, "k").unwrap();
        assert_eq!(get(&world, "k").unwrap(), Some(1));
    }
}
