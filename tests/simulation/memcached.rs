//! A Memcached server, as far as the library speaks to one: the meta protocol.

use std::collections::BTreeMap;

use crate::redis::key_number;
use crate::server::{Data, Served, Server};
use crate::sim::{Planted, UNIX_START};

/// Items by key. Time goes by whole seconds.
#[derive(Default)]
pub struct Memcached {
    items: BTreeMap<Vec<u8>, Item>,
    cas: u64,
    /// In seconds.
    now: u64,
    bug: Option<Planted>,
}

#[derive(Clone, Default)]
struct Item {
    bytes: Vec<u8>,
    flags: u32,
    cas: u64,
    end: Option<u64>,
    /// Somebody has been told to fill it.
    is_promised: bool,
}

/// A command line, with its data.
struct Command<'a> {
    verb: &'a [u8],
    key: &'a [u8],
    flags: Vec<&'a [u8]>,
    data: &'a [u8],
}

impl Command<'_> {
    fn has(&self, flag: u8) -> bool {
        self.flags.iter().any(|one| one[0] == flag)
    }

    fn token(&self, flag: u8) -> Option<&str> {
        let token = self.flags.iter().find(|one| one[0] == flag)?;
        Some(std::str::from_utf8(&token[1..]).unwrap())
    }

    fn number(&self, flag: u8) -> Option<u64> {
        self.token(flag).map(|token| token.parse().unwrap())
    }

    /// The reply's own token, and what the command asks to be told of an item.
    fn told(&self, item: Option<&Item>, now: u64) -> String {
        let mut told = String::new();
        for flag in &self.flags {
            match (flag[0], item) {
                (b'O', _) => told += &format!(" {}", std::str::from_utf8(flag).unwrap()),
                (b'c', Some(item)) => told += &format!(" c{}", item.cas),
                (b'f', Some(item)) => told += &format!(" f{}", item.flags),
                (b's', Some(item)) => told += &format!(" s{}", item.bytes.len()),
                (b't', Some(item)) => told += &format!(" t{}", item.end.map_or(-1, |end| (end - now) as i64)),
                _ => {}
            }
        }
        told
    }
}

impl Memcached {
    pub fn new(bug: Option<Planted>) -> Memcached {
        Memcached { bug, ..Memcached::default() }
    }

    fn run(&mut self, command: &Command<'_>) -> (&'static str, Vec<u8>) {
        match command.verb {
            b"mg" => ("mg", self.get(command)),
            b"ms" => ("ms", self.set(command)),
            b"md" => ("md", self.delete(command)),
            b"ma" => ("ma", self.add(command)),
            b"mn" => ("mn", b"MN\r\n".to_vec()),
            other => panic!("the simulated Memcached knows no {}", String::from_utf8_lossy(other)),
        }
    }

    fn get(&mut self, command: &Command<'_>) -> Vec<u8> {
        let mut won = false;
        if self.find(command.key).is_none() {
            let Some(hold) = command.number(b'N') else { return self.say("EN", command) };
            let end = self.end(hold);
            self.put(command.key, Item { end, is_promised: true, ..Item::default() });
            won = true;
        }
        let now = self.now;
        let item = self.find(command.key).expect("it is there by now");
        won |= item.is_promised && self.bug == Some(Planted::GrantsEveryLease) && command.has(b'N');
        let mut told = command.told(Some(&item), now);
        if won {
            told += " W";
        } else if item.is_promised {
            told += " Z";
        }
        if !command.has(b'v') {
            return format!("HD{told}\r\n").into_bytes();
        }
        let mut reply = format!("VA {}{told}\r\n", item.bytes.len()).into_bytes();
        reply.extend(&item.bytes);
        reply.extend(b"\r\n");
        reply
    }

    fn set(&mut self, command: &Command<'_>) -> Vec<u8> {
        let held = self.find(command.key);
        if let Some(cas) = command.number(b'C').filter(|_| self.bug != Some(Planted::FillsWithoutComparing)) {
            match &held {
                None => return self.say("NF", command),
                Some(item) if item.cas != cas => return self.say("EX", command),
                Some(_) => {}
            }
        }
        match command.token(b'M') {
            Some("E") if held.is_some() => return self.say("NS", command),
            Some("R") if held.is_none() => return self.say("NS", command),
            _ => {}
        }
        let flags = command.number(b'F').unwrap_or_default() as u32;
        let end = self.end(command.number(b'T').unwrap_or_default());
        self.put(command.key, Item { bytes: command.data.to_vec(), flags, end, ..Item::default() });
        let item = self.find(command.key);
        format!("HD{}\r\n", command.told(item.as_ref(), self.now)).into_bytes()
    }

    fn delete(&mut self, command: &Command<'_>) -> Vec<u8> {
        match (self.find(command.key), command.number(b'C')) {
            (None, _) => self.say("NF", command),
            (Some(item), Some(cas)) if item.cas != cas => self.say("EX", command),
            _ => {
                self.items.remove(command.key);
                self.say("HD", command)
            }
        }
    }

    fn add(&mut self, command: &Command<'_>) -> Vec<u8> {
        let item = match self.find(command.key) {
            None => Item { bytes: command.token(b'J').unwrap().into(), ..Item::default() },
            Some(item) => {
                let old: u64 = std::str::from_utf8(&item.bytes).unwrap().parse().unwrap();
                Item { bytes: (old + command.number(b'D').unwrap()).to_string().into_bytes(), ..item }
            }
        };
        let (size, text) = (item.bytes.len(), String::from_utf8(item.bytes.clone()).unwrap());
        self.put(command.key, item);
        format!("VA {size}{}\r\n{text}\r\n", command.told(None, self.now)).into_bytes()
    }

    fn say(&self, code: &str, command: &Command<'_>) -> Vec<u8> {
        format!("{code}{}\r\n", command.told(None, self.now)).into_bytes()
    }

    fn find(&self, key: &[u8]) -> Option<Item> {
        self.items.get(key).filter(|item| item.end.is_none_or(|end| end > self.now)).cloned()
    }

    fn put(&mut self, key: &[u8], item: Item) {
        self.cas += 1;
        self.items.insert(key.to_vec(), Item { cas: self.cas, ..item });
    }

    /// Up to 30 days from now, else a point in Unix time; 0 is never.
    fn end(&self, expiry: u64) -> Option<u64> {
        match expiry {
            0 => None,
            1..=2_592_000 => Some(self.now + expiry),
            point => Some(point.saturating_sub(UNIX_START)),
        }
    }
}

impl Server for Memcached {
    fn serve(&mut self, bytes: &[u8], now: u64) -> Option<Served> {
        self.now = now / 1_000;
        let end = bytes.windows(2).position(|pair| pair == b"\r\n")?;
        let mut words = bytes[..end].split(|byte| *byte == b' ');
        let verb = words.next()?;
        let key = words.next().unwrap_or_default();
        let mut taken = end + 2;
        let mut data = &b""[..];
        if verb == b"ms" {
            let size: usize = std::str::from_utf8(words.next()?).unwrap().parse().unwrap();
            data = bytes.get(taken..taken + size)?;
            taken += size + 2;
        }
        if taken > bytes.len() {
            return None;
        }
        let command = Command { verb, key, flags: words.filter(|word| !word.is_empty()).collect(), data };
        let (verb, reply) = self.run(&command);
        Some(Served { taken, reply, verb, key: key_number(key) })
    }

    /// It keeps nothing, whatever is asked. A real one counts its CAS from 1 again, far below those of leases that were
    /// taken before, which the few commands of a schedule would reach.
    fn restart(&mut self, _: Data) {
        self.items.clear();
        self.cas += 1_000_000;
    }

    fn replicate(&mut self) {}
}
