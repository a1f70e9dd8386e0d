//! Replies that are no replies: an error in time, little memory, and a connection that is not used again.
#![cfg(all(feature = "redis", feature = "memcached", feature = "async", target_os = "linux"))]

mod support;

use std::fs;
use std::time::{Duration, Instant};

use lexigram_cache::{Error, ErrorKind, Result, Ttl};
use support::{
    Backing, Parent, Place, Process, Remote, Wire, World, call, eventually, of_this_process, poll,
};

/// For replies that end, or go on where no reply does.
const SHORT: Duration = Duration::from_millis(300);
/// For replies that bring more than memory may hold.
const LONG: Duration = Duration::from_secs(2);
const PATIENCE: Duration = Duration::from_secs(5);
const MIB: u64 = 1024;

/// What comes in place of a reply: a beginning, and what follows for ever if anything does.
struct Case {
    name: &'static str,
    head: &'static str,
    endless: &'static str,
    /// It may be the beginning of an honest reply that is on its way.
    may_go_on: bool,
}

const fn case(name: &'static str, head: &'static str, endless: &'static str, may_go_on: bool) -> Case {
    Case { name, head, endless, may_go_on }
}

const REDIS: &[Case] = &[
    case("garbage", "\0\u{7f}garbage\r\n", "", false),
    case("HTTP", HTTP, "", false),
    case("an array where none is due", "*2\r\n:1\r\n*1\r\n:2\r\n", "", false),
    case("a length that is none", "$-7\r\n", "", false),
    case("half a string", "$20\r\nabc", "", true),
    case("half a line", "$2", "", true),
    case("a huge array", "*2147483647\r\n", "", false),
    case("an array at the limit", "*560000\r\n", "", true),
    case("a huge string", "$2147483647\r\n", "", false),
    case("a string at the limit", "$31457000\r\n", "", true),
    case("a line without end", "+", "x", false),
    case("replies without end", "", "+OK\r\n", false),
    case("strings without end", "*60000000\r\n", "$1000\r\n0123456789\r\n", false),
];

const MEMCACHED: &[Case] = &[
    case("garbage", "\0\u{7f}garbage\r\n", "", false),
    case("HTTP", HTTP, "", false),
    case("another command's reply", "HD\r\n", "", false),
    case("a classic reply", "VALUE app:k 0 1\r\n7\r\nEND\r\n", "", false),
    case("a length that is none", "VA -7 f0\r\n", "", false),
    case("half a value", "VA 20 f0\r\nabc", "", true),
    case("half a line", "VA 2", "", true),
    case("a huge value", "VA 2147483647 f0\r\n", "", false),
    case("a value at the limit", "VA 31457000 f0\r\n", "", true),
    case("a line without end", "", "x", false),
    case("replies without end", "", "HD\r\n", false),
];

const REDIS_FLOODS: &[Case] = &[
    case("an array without end", "*60000000\r\n", ":1\r\n", true),
    case("depth without end", "", "*1\r\n", true),
    case("an array at the limit", "*560000\r\n", ":1\r\n", true),
    case("strings up to the limit", "*30\r\n", "$1000000\r\n", true),
    case("a string at the limit", "$31457000\r\n", "x", true),
    case("a string over the limit", "$31457281\r\n", "x", false),
];

const MEMCACHED_FLOODS: &[Case] = &[
    case("a value at the limit", "VA 31457000 f0\r\n", "x", true),
    case("a value over the limit", "VA 31457281 f0\r\n", "x", false),
];

const HTTP: &str = "HTTP/1.1 400 Bad Request\r\nContent-Length: 3\r\n\r\nno\n";

type Verb = (&'static str, fn(&World) -> Result<()>);

const VERBS: &[Verb] = &[
    ("get", |w| call!(w, c => c.get::<u64>("k")).map(drop)),
    ("get_many", |w| call!(w, c => c.get_many::<u64>(["k", "l"])).map(drop)),
    ("set", |w| call!(w, c => c.set("k", &7_u64, Ttl::NEVER))),
];

#[test]
fn hostile_replies_to_threads_on_redis() {
    on(Backing::Redis, 0, REDIS, SHORT, "hostile_replies_to_threads_on_redis");
}

#[test]
fn hostile_replies_to_tasks_on_redis() {
    on(Backing::Redis, 1, REDIS, SHORT, "hostile_replies_to_tasks_on_redis");
}

#[test]
fn hostile_replies_to_threads_on_memcached() {
    on(Backing::Memcached, 0, MEMCACHED, SHORT, "hostile_replies_to_threads_on_memcached");
}

#[test]
fn hostile_replies_to_tasks_on_memcached() {
    on(Backing::Memcached, 1, MEMCACHED, SHORT, "hostile_replies_to_tasks_on_memcached");
}

#[test]
fn floods_of_replies_to_threads_on_redis() {
    on(Backing::Redis, 0, REDIS_FLOODS, LONG, "floods_of_replies_to_threads_on_redis");
}

#[test]
fn floods_of_replies_to_tasks_on_redis() {
    on(Backing::Redis, 1, REDIS_FLOODS, LONG, "floods_of_replies_to_tasks_on_redis");
}

#[test]
fn floods_of_replies_to_threads_on_memcached() {
    on(Backing::Memcached, 0, MEMCACHED_FLOODS, LONG, "floods_of_replies_to_threads_on_memcached");
}

#[test]
fn floods_of_replies_to_tasks_on_memcached() {
    on(Backing::Memcached, 1, MEMCACHED_FLOODS, LONG, "floods_of_replies_to_tasks_on_memcached");
}

/// The caller has a process of its own, so that its memory can be told from the relay's.
fn on(kind: Backing, world: usize, cases: &[Case], timeout: Duration, test: &str) {
    if let Some(parent) = Parent::find() {
        return be_the_caller(&parent, parent.given().parse().unwrap(), world, timeout);
    }
    let remote = Remote::start(kind);
    let wire = Wire::prompt(remote.addr());
    let mut broken = Vec::new();
    let mut caller = Process::start(test, &Place { kind, addr: wire.addr() }.to_string());
    for case in cases {
        for (name, _) in VERBS {
            let mut complain = |why: &str| broken.push(format!("{}, {name}: {why}", case.name));
            caller.tell("warm up");
            assert_eq!(caller.hear(), "warm");
            let before = wire.connections();
            match case.endless {
                "" => wire.replace_after(0, case.head.as_bytes()),
                endless => wire.endless_after(0, case.head.as_bytes(), endless.as_bytes()),
            }
            caller.tell(name);
            let verdict = caller.hear();
            println!("{}, {name}: {verdict}", case.name);
            if let Err(why) = judge(case, timeout, &verdict) {
                complain(&format!("{why}: {verdict}"));
            }
            wire.cut_after(usize::MAX);
            caller.tell("again");
            let next = caller.hear();
            if next != "right" {
                complain(&format!("the next read said {next}"));
            }
            if wire.connections() == before {
                complain("the connection is used again");
            }
            if !poll(PATIENCE, || wire.open_connections() <= 1) {
                complain("the connection is not closed");
                caller = Process::start(test, &Place { kind, addr: wire.addr() }.to_string());
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

/// Judges `kind cause milliseconds KiB`.
fn judge(case: &Case, timeout: Duration, verdict: &str) -> Result<(), &'static str> {
    let [kind, cause, took, grown] = verdict.split(' ').collect::<Vec<_>>()[..] else {
        return Err("no verdict");
    };
    let kind_is = |expected: ErrorKind| {
        let expected = format!("{expected:?}");
        kind == expected || (kind == "Ambiguous" && cause == expected)
    };
    let timed_out = case.may_go_on && kind_is(ErrorKind::Timeout);
    if !timed_out && !kind_is(ErrorKind::Protocol) {
        return Err("not the right kind");
    }
    if took.parse::<u128>().unwrap() > (timeout + Duration::from_millis(100)).as_millis() {
        return Err("too late");
    }
    if grown.parse::<u64>().unwrap() > 64 * MIB { Err("too much memory") } else { Ok(()) }
}

fn be_the_caller(parent: &Parent, place: Place, world: usize, timeout: Duration) {
    let world = &support::worlds_at!(place, prefix("app"), timeout(timeout))[world];
    let patient = world.with_timeout(PATIENCE);
    loop {
        match &*parent.hear() {
            "warm up" => {
                eventually("it works", PATIENCE, || {
                    call!(&patient, cache => cache.set("k", &7_u64, Ttl::NEVER)).is_ok()
                });
                parent.tell("warm");
            }
            "again" => {
                let read = call!(&patient, cache => cache.get::<u64>("k"));
                let right = read.as_ref().is_ok_and(|value| *value == Some(7));
                parent.tell(&if right { "right".to_owned() } else { format!("{read:?}") });
            }
            name => {
                let (_, run) = VERBS.iter().find(|(verb, _)| verb == &name).unwrap();
                parent.tell(&verdict(|| run(world)));
            }
        }
    }
}

fn verdict(run: impl FnOnce() -> Result<()>) -> String {
    // The system counts the most memory anew from here.
    fs::write("/proc/self/clear_refs", "5").unwrap();
    let (before, start) = (of_this_process("VmRSS"), Instant::now());
    let result = run();
    let took = start.elapsed().as_millis();
    let grown = of_this_process("VmHWM").saturating_sub(before);
    let kinds = |error: &Error| {
        let cause = std::error::Error::source(error).and_then(|cause| cause.downcast_ref::<Error>());
        format!("{:?} {:?}", error.kind(), cause.map_or(error.kind(), Error::kind))
    };
    format!("{} {took} {grown}", result.map_or_else(|error| kinds(&error), |()| "none none".to_owned()))
}
