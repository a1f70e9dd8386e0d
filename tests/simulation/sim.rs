//! One schedule's world: its clock, its chance, what has happened, and how the library reaches them.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::time::{Duration, Instant};

use lexigram_cache::simulation::{Bug, Dialling, World};

use crate::net::{self, Connection, Knobs};
use crate::random::Random;
use crate::server::{Data, Server};

/// What all parts of a schedule share.
pub struct Sim {
    knobs: Mutex<Knobs>,
    pub bug: Option<Planted>,
    start: tokio::time::Instant,
    random: Mutex<Random>,
    trace: Mutex<Trace>,
    pub host: Mutex<Host>,
}

/// A bug that the judges have to find: one of the library, or what comes to the same on the other side of the wire.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Planted {
    Library(Bug),
    /// Loaded values are stored whatever has become of their lease.
    FillsWithoutComparing,
    /// Everybody who asks is given a lease.
    GrantsEveryLease,
    /// A reply is handed to who asked next.
    SwapsReplies,
}

/// The server and who is connected to it.
pub struct Host {
    pub server: Box<dyn Server>,
    pub connections: Vec<Weak<Connection>>,
    pub is_down: bool,
    pub opened: usize,
}

/// What has happened: all of it as a number, the end of it in words.
#[derive(Default)]
pub struct Trace {
    pub digest: u64,
    pub count: u64,
    latest: VecDeque<Event>,
    /// Whether the story has ended.
    is_told: bool,
}

struct Event {
    at: u64,
    who: &'static str,
    process: usize,
    what: &'static str,
    key: u64,
    number: u64,
}

impl Sim {
    /// Begins now.
    pub fn new(seed: u64, knobs: Knobs, bug: Option<Planted>, server: Box<dyn Server>) -> Arc<Sim> {
        Arc::new(Sim {
            knobs: Mutex::new(knobs),
            bug,
            start: tokio::time::Instant::now(),
            random: Mutex::new(Random::seeded(seed)),
            trace: Mutex::default(),
            host: Mutex::new(Host { server, connections: Vec::new(), is_down: false, opened: 0 }),
        })
    }

    /// Milliseconds since the beginning.
    pub fn now(&self) -> u64 {
        self.start.elapsed().as_millis() as u64
    }

    pub fn below(&self, bound: u64) -> u64 {
        self.random.lock().unwrap().below(bound as usize) as u64
    }

    /// So many times in a thousand.
    pub fn chance(&self, in_a_thousand: u64) -> bool {
        in_a_thousand > 0 && self.below(1_000) < in_a_thousand
    }

    pub fn knobs(&self) -> Knobs {
        *self.knobs.lock().unwrap()
    }

    /// Has the network behave from now on.
    pub fn heal(&self) {
        *self.knobs.lock().unwrap() = Knobs { delay: 1, ..Knobs::default() };
    }

    /// Ends all connections, and takes none until [`come_back`](Sim::come_back).
    pub fn go_down(&self, data: Data) {
        let mut host = self.host();
        host.is_down = true;
        host.server.restart(data);
        drop(host);
        self.reset_all();
    }

    pub fn reset_all(&self) {
        let connections: Vec<_> = self.host().connections.iter().filter_map(Weak::upgrade).collect();
        connections.iter().for_each(|connection| connection.reset());
    }

    pub fn come_back(&self) {
        self.host().is_down = false;
    }

    /// Connections that the library has not closed.
    pub fn open_connections(&self) -> usize {
        let host = self.host();
        host.connections.iter().filter_map(Weak::upgrade).filter(|connection| connection.is_open()).count()
    }

    pub fn host(&self) -> MutexGuard<'_, Host> {
        self.host.lock().unwrap()
    }

    pub fn note(&self, who: &'static str, process: usize, what: &'static str, key: u64, number: u64) {
        let event = Event { at: self.now(), who, process, what, key, number };
        let mut trace = self.trace.lock().unwrap();
        for part in [event.at, process as u64, hash(who), hash(what), key, number] {
            trace.digest = (trace.digest ^ part).wrapping_mul(0x0100_0000_01b3).rotate_left(23);
        }
        trace.count += 1;
        if trace.is_told {
            return;
        }
        trace.latest.push_back(event);
        if trace.latest.len() > LATEST {
            trace.latest.pop_front();
        }
    }

    /// Keeps the latest events as they are now.
    pub fn end_story(&self) {
        self.trace.lock().unwrap().is_told = true;
    }

    /// The digest of all events, and how many there were.
    pub fn digest(&self) -> (u64, u64) {
        let trace = self.trace.lock().unwrap();
        (trace.digest, trace.count)
    }

    /// The latest events, a line each.
    pub fn story(&self) -> String {
        let trace = self.trace.lock().unwrap();
        let line = |event: &Event| {
            let Event { at, who, process, what, key, number } = event;
            format!("{at:>6} ms  {who:<7} {process:>2}  {what:<24} k{key} {number}\n")
        };
        trace.latest.iter().map(line).collect()
    }

    /// Sleeps, and then lets some others go first.
    pub async fn pause(&self, millis: u64) {
        if millis > 0 {
            tokio::time::sleep(Duration::from_millis(millis)).await;
        }
        for _ in 0..self.below(3) {
            tokio::task::yield_now().await;
        }
    }
}

/// FNV-1a.
pub fn hash(text: &str) -> u64 {
    text.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// The library's view of a [`Sim`].
pub struct View(pub Arc<Sim>);

impl World for View {
    fn now(&self) -> Instant {
        tokio::time::Instant::now().into_std()
    }

    fn unix_micros(&self) -> u64 {
        (UNIX_START * 1_000 + self.0.now()) * 1_000
    }

    fn random(&self) -> u64 {
        let mut random = self.0.random.lock().unwrap();
        random.next()
    }

    fn dial(&self, address: &str) -> Dialling {
        let process = address.bytes().find(u8::is_ascii_digit).map_or(0, |digit| usize::from(digit - b'0'));
        Box::pin(net::dial(Arc::clone(&self.0), process))
    }

    fn has(&self, bug: Bug) -> bool {
        self.0.bug == Some(Planted::Library(bug))
    }
}

pub fn reset() -> io::Error {
    io::ErrorKind::ConnectionReset.into()
}

/// Some day in 2025.
pub const UNIX_START: u64 = 1_763_000_000;
const LATEST: usize = 160;
