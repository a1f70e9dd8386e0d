//! A host name of several addresses, of which the first ones are dead, and one whose addresses change.
//!
//! The callers run in a process that has an `/etc/hosts` of its own, where the system allows that.
#![cfg(all(feature = "redis", feature = "memcached", feature = "async", target_os = "linux"))]

mod support;

use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::time::{Duration, Instant};
use std::{env, fs, process};

use lexigram_cache::{ErrorKind, Memcached, Redis, Result};
use socket2::{Domain, Socket, Type};
use support::{Backing, Parent, Process, Remote, Wire, World, call, closed_port, eventually, worlds};

const TIMEOUT: Duration = Duration::from_millis(500);
const LIMIT: Duration = Duration::from_millis(600);
const NAME: &str = "several.test";

/// Nobody answers at these unless a test makes somebody. The system sorts the addresses of a name by how much they have
/// in common with the one that it would call from, which is 127.0.0.1: so these two come first.
const FIRST: [u8; 4] = [127, 0, 0, 2];
const SECOND: [u8; 4] = [127, 0, 0, 7];
/// A relay to the server listens here.
const LIVE: [u8; 4] = [127, 0, 0, 200];

/// An `/etc/hosts` that goes with it.
struct Hosts(PathBuf);

impl Hosts {
    fn new(kind: Backing, addresses: &[[u8; 4]]) -> Hosts {
        let hosts =
            Hosts(env::temp_dir().join(format!("cache-hosts-{kind:?}-{}-{addresses:?}", process::id())));
        hosts.are(addresses);
        hosts
    }

    // Written in place: another file of this name would not be the one that the process has.
    fn are(&self, addresses: &[[u8; 4]]) {
        let lines =
            addresses.iter().map(|address| format!("{} {NAME}\n", SocketAddr::from((*address, 0)).ip()));
        fs::write(&self.0, lines.collect::<String>()).unwrap();
    }
}

impl Drop for Hosts {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// Accepts nothing and refuses nothing: the system lets no more in once so few wait to be accepted.
struct BlackHole {
    _listener: Socket,
    _waiting: Vec<TcpStream>,
}

impl BlackHole {
    fn at(address: SocketAddr) -> BlackHole {
        let listener = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        listener.set_reuse_address(true).unwrap();
        listener.bind(&address.into()).unwrap();
        listener.listen(0).unwrap();
        let connect = || TcpStream::connect_timeout(&address, Duration::from_millis(100)).ok();
        let waiting: Vec<_> = std::iter::from_fn(connect).take(10).collect();
        assert!(waiting.len() < 10, "it lets everybody in");
        BlackHole { _listener: listener, _waiting: waiting }
    }
}

/// Fresh caches on whatever answers at this port of the name.
fn be_the_caller(parent: &Parent) {
    let (kind, port) = parent.given().split_once(' ').unwrap();
    let new = || match kind {
        "redis" => {
            let redis = Redis::builder(format!("redis://{NAME}:{port}/0")).pool_size(1).build().unwrap();
            worlds!(redis, prefix("app"), timeout(TIMEOUT))
        }
        _ => {
            let memcached = Memcached::builder([format!("{NAME}:{port}")]).pool_size(1).build().unwrap();
            worlds!(memcached, prefix("app"), timeout(TIMEOUT))
        }
    };
    let mut worlds = new();
    loop {
        match &*parent.hear() {
            "fresh" => worlds = new(),
            world => parent.tell(&told(&worlds[world.parse::<usize>().unwrap()])),
        }
    }
}

/// `milliseconds kind` of a read.
fn told(world: &World) -> String {
    let start = Instant::now();
    let read: Result<Option<u64>> = call!(world, cache => cache.get("k"));
    let took = start.elapsed().as_millis();
    format!("{took} {}", read.map_or_else(|error| format!("{:?}", error.kind()), |_| "works".to_owned()))
}

/// Asks until an answer came in time, at most three times: a busy machine may hold anything up.
fn ask(caller: &mut Process, world: usize, limit: Duration, right: impl Fn(&str) -> bool) -> String {
    let mut answers = Vec::new();
    for _ in 0..3 {
        caller.tell("fresh");
        caller.tell(&world.to_string());
        let answer = caller.hear();
        let (took, kind) = answer.split_once(' ').unwrap();
        if took.parse::<u128>().unwrap() <= limit.as_millis() && right(kind) {
            return answer;
        }
        answers.push(answer);
    }
    panic!("world {world}: {answers:?} within {limit:?}")
}

/// Runs the test on one server, at whose port the name has these addresses.
fn on(
    kind: Backing,
    test: &str,
    addresses: &[[u8; 4]],
    run: impl FnOnce(&Remote, &Hosts, &mut dyn FnMut(u16) -> Option<Process>),
) {
    if let Some(parent) = Parent::find() {
        return be_the_caller(&parent);
    }
    let (remote, hosts) = (Remote::start(kind), Hosts::new(kind, addresses));
    run(&remote, &hosts, &mut |port| {
        let process = Process::start_with_hosts(&hosts.0, test, &format!("{} {port}", remote.name()));
        if process.is_none() {
            println!("this system lets no process have hosts of its own: nothing is shown here");
        }
        process
    });
}

fn works(answer: &str) -> bool {
    answer == "works"
}

fn passes_over(kind: Backing, test: &str) {
    on(kind, test, &[FIRST, SECOND, LIVE], |remote, _, start| {
        let wire = Wire::prompt_at(LIVE, remote.addr());
        let port = wire.addr().port();
        let Some(mut caller) = start(port) else { return };
        for world in 0..2 {
            let refused = ask(&mut caller, world, TIMEOUT, works);
            let holes = [FIRST, SECOND].map(|dead| BlackHole::at((dead, port).into()));
            let silent = ask(&mut caller, world, TIMEOUT, works);
            drop(holes);
            let took: u64 = silent.split(' ').next().unwrap().parse().unwrap();
            assert!(took > 100, "they were not even tried: {silent}");
            println!("{} world {world}: {refused} past refusals, {silent} past silence", remote.name());
        }
    });
}

#[test]
fn dead_addresses_of_a_redis_are_passed_over_in_time() {
    passes_over(Backing::Redis, "dead_addresses_of_a_redis_are_passed_over_in_time");
}

#[test]
fn dead_addresses_of_a_memcached_are_passed_over_in_time() {
    passes_over(Backing::Memcached, "dead_addresses_of_a_memcached_are_passed_over_in_time");
}

fn gives_up(kind: Backing, test: &str) {
    on(kind, test, &[FIRST, SECOND], |remote, _, start| {
        let port = closed_port();
        let Some(mut caller) = start(port) else { return };
        let _holes = [FIRST, SECOND].map(|dead| BlackHole::at((dead, port).into()));
        for world in 0..2 {
            let given_up = [ErrorKind::Timeout, ErrorKind::Unavailable].map(|kind| format!("{kind:?}"));
            let answer = ask(&mut caller, world, LIMIT, |kind| given_up.contains(&kind.to_owned()));
            println!("{} world {world}: {answer} with all dead", remote.name());
        }
    });
}

#[test]
fn a_redis_without_a_living_address_is_given_up_in_time() {
    gives_up(Backing::Redis, "a_redis_without_a_living_address_is_given_up_in_time");
}

#[test]
fn a_memcached_without_a_living_address_is_given_up_in_time() {
    gives_up(Backing::Memcached, "a_memcached_without_a_living_address_is_given_up_in_time");
}

/// A relay stands where the server was, and the name says so only later.
fn resolves_anew(kind: Backing, test: &str) {
    on(kind, test, &[LIVE], |remote, hosts, start| {
        let wire = Wire::prompt_at(LIVE, remote.addr());
        let Some(mut caller) = start(wire.addr().port()) else { return };
        for world in ["0", "1"] {
            hosts.are(&[FIRST]);
            caller.tell("fresh");
            caller.tell(world);
            let gone = caller.hear();
            assert!(gone.ends_with("Unavailable"), "{gone}");
            hosts.are(&[LIVE]);
            eventually("the new address is used", 10 * TIMEOUT, || {
                caller.tell(world);
                works(caller.hear().split_once(' ').unwrap().1)
            });
        }
    });
}

#[test]
fn the_name_of_a_redis_is_resolved_anew_at_each_dial() {
    resolves_anew(Backing::Redis, "the_name_of_a_redis_is_resolved_anew_at_each_dial");
}

#[test]
fn the_name_of_a_memcached_is_resolved_anew_at_each_dial() {
    resolves_anew(Backing::Memcached, "the_name_of_a_memcached_is_resolved_anew_at_each_dial");
}
