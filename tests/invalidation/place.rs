//! What the processes of one test share: a server, and how to reach it past the cache.

use std::fmt;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::str::FromStr;
use std::time::Duration;

use lexigram_cache::{Memcached, Memory, Redis};

use crate::support::{World, worlds};
use crate::worker::Stamped;

/// Where values are cached. Travels to other processes as text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Place {
    pub kind: Kind,
    pub addr: SocketAddr,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    Memory,
    Redis,
    Memcached,
    Clearable,
}

impl Place {
    pub fn memory() -> Place {
        Place { kind: Kind::Memory, addr: ([127, 0, 0, 1], 0).into() }
    }

    /// Handles of this process, of both worlds, which share loads and connections.
    pub fn worlds(&self) -> [World; 2] {
        let at = self.addr.to_string();
        match self.kind {
            Kind::Memory => worlds!(Memory::default(), prefix(PREFIX)),
            Kind::Redis => {
                let redis = Redis::builder(format!("redis://{at}/0")).build().unwrap();
                worlds!(redis, prefix(PREFIX), timeout(PATIENCE))
            }
            Kind::Memcached | Kind::Clearable => {
                let memcached = Memcached::builder([at]).clearable(self.kind == Kind::Clearable);
                worlds!(memcached.build().unwrap(), prefix(PREFIX), timeout(PATIENCE))
            }
        }
    }

    pub fn lists_keys(&self) -> bool {
        matches!(self.kind, Kind::Memory | Kind::Redis)
    }

    pub fn clears(&self) -> bool {
        self.kind != Kind::Memcached
    }

    /// A connection of a program that knows nothing of this crate, where one knows a key's name on the wire.
    pub fn foreigner(&self) -> Option<Foreigner> {
        let named = matches!(self.kind, Kind::Redis | Kind::Memcached);
        named.then(|| Foreigner {
            kind: self.kind,
            stream: BufReader::new(TcpStream::connect(self.addr).unwrap()),
        })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {}", self.kind, self.addr)
    }
}

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Place, String> {
        let (kind, addr) = text.split_once(' ').ok_or("two words")?;
        let kinds = [Kind::Memory, Kind::Redis, Kind::Memcached, Kind::Clearable];
        let kind = kinds.into_iter().find(|known| format!("{known:?}") == kind).ok_or("a kind")?;
        Ok(Place { kind, addr: addr.parse().map_err(|_| "an address")? })
    }
}

pub struct Foreigner {
    kind: Kind,
    stream: BufReader<TcpStream>,
}

impl Foreigner {
    pub fn delete(&mut self, key: &str) {
        let answer = match self.kind {
            Kind::Redis => self.ask(&format!("DEL {PREFIX}:{key}\r\n")),
            _ => self.ask(&format!("delete {PREFIX}:{key}\r\n")),
        };
        assert!([":0", ":1", "DELETED", "NOT_FOUND"].contains(&&*answer), "{answer}");
    }

    pub fn set(&mut self, key: &str, value: &Stamped) {
        let json = format!("{{\"key\":{},\"version\":{}}}", value.key, value.version);
        let (name, length) = (format!("{PREFIX}:{key}"), json.len());
        let answer = match self.kind {
            Kind::Redis => {
                let head = format!("*3\r\n$3\r\nSET\r\n${}\r\n{name}\r\n${length}", name.len());
                self.ask(&format!("{head}\r\n{json}\r\n"))
            }
            _ => self.ask(&format!("set {name} 0 0 {length}\r\n{json}\r\n")),
        };
        assert!(["+OK", "STORED"].contains(&&*answer), "{answer}");
    }

    fn ask(&mut self, request: &str) -> String {
        self.stream.get_mut().write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        self.stream.read_line(&mut answer).unwrap();
        answer.trim_end().to_owned()
    }
}

const PREFIX: &str = "app";
// A machine with two cores runs 64 threads and the server.
const PATIENCE: Duration = Duration::from_secs(20);
