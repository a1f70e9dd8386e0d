//! A connection of a program that knows nothing of this crate, only how its keys are named on the wire.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;

use crate::support::{Backing, Place};
use crate::worker::Stamped;

pub struct Foreigner {
    kind: Backing,
    stream: BufReader<TcpStream>,
}

impl Foreigner {
    /// `None` where values are nowhere on a server, or under names that change.
    pub fn at(place: &Place) -> Option<Foreigner> {
        let named = matches!(place.kind, Backing::Redis | Backing::Memcached);
        let dial = || BufReader::new(TcpStream::connect(place.addr).unwrap());
        named.then(|| Foreigner { kind: place.kind, stream: dial() })
    }

    pub fn delete(&mut self, key: &str) {
        let answer = match self.kind {
            Backing::Redis => self.ask(&format!("DEL {PREFIX}:{key}\r\n")),
            _ => self.ask(&format!("delete {PREFIX}:{key}\r\n")),
        };
        assert!([":0", ":1", "DELETED", "NOT_FOUND"].contains(&&*answer), "{answer}");
    }

    pub fn set(&mut self, key: &str, value: &Stamped) {
        let json = format!("{{\"key\":{},\"version\":{}}}", value.key, value.version);
        let (name, length) = (format!("{PREFIX}:{key}"), json.len());
        let answer = match self.kind {
            Backing::Redis => {
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

/// What stands before each key on the wire.
pub const PREFIX: &str = "app";
