//! A Redis server, as far as the library speaks to one.

mod script;
#[path = "stores.rs"]
mod stores;

use std::collections::{BTreeMap, HashSet};

use lexigram_cache::Pattern;

use self::script::Script;
use crate::server::{Data, Served, Server};
use crate::sim::{Planted, UNIX_START};

/// What it holds, in memory and in the end of its log.
#[derive(Default)]
pub struct Redis {
    pub held: Held,
    replica: BTreeMap<Vec<u8>, Item>,
    scripts: HashSet<Vec<u8>>,
    bug: Option<Planted>,
}

/// Keys with their values, each until its time.
#[derive(Default)]
pub struct Held {
    items: BTreeMap<Vec<u8>, Item>,
    now: u64,
}

#[derive(Clone)]
pub struct Item {
    pub bytes: Vec<u8>,
    pub end: Option<u64>,
}

pub enum Reply {
    Done,
    Word(&'static str),
    Nil,
    Text(Vec<u8>),
    Number(i64),
    List(Vec<Reply>),
    NoList,
    Refusal(String),
}

impl Redis {
    pub fn new(bug: Option<Planted>) -> Redis {
        Redis { bug, ..Redis::default() }
    }

    fn run(&mut self, command: &[Vec<u8>]) -> (&'static str, Reply) {
        let key = || command[1].as_slice();
        let held = &mut self.held;
        match command[0].as_slice() {
            b"GET" => ("GET", held.text(key())),
            b"MGET" => ("MGET", Reply::List(command[1..].iter().map(|key| held.text(key)).collect())),
            b"SET" => {
                let millis = command.get(4).map(|text| number(text) as u64);
                held.set(key(), command[2].clone(), millis);
                ("SET", Reply::Done)
            }
            b"GETDEL" => {
                let old = held.text(key());
                held.remove(key());
                ("GETDEL", old)
            }
            b"PTTL" => ("PTTL", Reply::Number(held.left(key()))),
            b"PEXPIRETIME" => ("PEXPIRETIME", Reply::Number(held.end(key()))),
            b"BLPOP" => ("BLPOP", stores::pop(held, key())),
            b"PING" => ("PING", Reply::Word("PONG")),
            b"CLIENT" => ("CLIENT", Reply::Done),
            b"SCAN" => {
                let pattern = Pattern::glob(std::str::from_utf8(&command[3]).unwrap());
                let names: Vec<String> =
                    held.names().into_iter().filter(|name| pattern.matches(name)).collect();
                let names = names.into_iter().map(|name| Reply::Text(name.into_bytes())).collect();
                ("SCAN", Reply::List(vec![Reply::Text(b"0".to_vec()), Reply::List(names)]))
            }
            b"EVALSHA" if !self.scripts.contains(key()) => {
                ("EVALSHA, unknown", Reply::Refusal("NOSCRIPT No matching script. Please use EVAL.".into()))
            }
            b"EVALSHA" => self.eval(Script::of_digest(key()), &command[2..]),
            b"EVAL" => {
                let (script, digest) = Script::of_source(key());
                self.scripts.insert(digest);
                self.eval(Some(script), &command[2..])
            }
            other => panic!("the simulated Redis knows no {}", String::from_utf8_lossy(other)),
        }
    }

    fn eval(&mut self, script: Option<Script>, arguments: &[Vec<u8>]) -> (&'static str, Reply) {
        let count = number(&arguments[0]) as usize;
        let (keys, arguments) = arguments[1..].split_at(count);
        let script = script.expect("a digest of one of the library's scripts");
        (script.name(), script.run(&mut self.held, keys, arguments, self.bug))
    }
}

impl Server for Redis {
    fn serve(&mut self, bytes: &[u8], now: u64) -> Option<Served> {
        let (command, taken) = parse(bytes)?;
        self.held.now = now;
        let (verb, reply) = self.run(&command);
        let mut text = Vec::new();
        reply.write(&mut text);
        let key = match command[0].as_slice() {
            b"EVAL" | b"EVALSHA" => command.get(3),
            _ => command.get(1),
        };
        Some(Served { taken, reply: text, verb, key: key.map_or(0, |key| key_number(key)) })
    }

    fn restart(&mut self, data: Data) {
        self.scripts.clear();
        match data {
            Data::Kept => {}
            Data::Lost => self.held.items.clear(),
            Data::Older => self.held.items = self.replica.clone(),
        }
    }

    fn replicate(&mut self) {
        self.replica = self.held.items.clone();
    }
}

impl Held {
    pub fn get(&self, key: &[u8]) -> Option<&Item> {
        self.items.get(key).filter(|item| item.end.is_none_or(|end| self.now <= end))
    }

    pub fn get_mut(&mut self, key: &[u8]) -> Option<&mut Item> {
        let now = self.now;
        self.items.get_mut(key).filter(|item| item.end.is_none_or(|end| now <= end))
    }

    pub fn set(&mut self, key: &[u8], bytes: Vec<u8>, millis: Option<u64>) {
        let end = millis.map(|millis| self.now + millis);
        self.items.insert(key.to_vec(), Item { bytes, end });
    }

    pub fn remove(&mut self, key: &[u8]) -> bool {
        let was_there = self.get(key).is_some();
        self.items.remove(key);
        was_there
    }

    pub fn expire(&mut self, key: &[u8], millis: u64) {
        let end = self.now + millis;
        if let Some(item) = self.get_mut(key) {
            item.end = Some(end);
        }
    }

    pub fn text(&self, key: &[u8]) -> Reply {
        self.get(key).map_or(Reply::Nil, |item| Reply::Text(item.bytes.clone()))
    }

    /// PTTL.
    pub fn left(&self, key: &[u8]) -> i64 {
        self.get(key).map_or(-2, |item| item.end.map_or(-1, |end| (end - self.now) as i64))
    }

    /// PEXPIRETIME.
    pub fn end(&self, key: &[u8]) -> i64 {
        self.get(key).map_or(-2, |item| item.end.map_or(-1, |end| (UNIX_START * 1_000 + end) as i64))
    }

    fn names(&self) -> Vec<String> {
        let alive = self.items.keys().filter(|key| self.get(key).is_some());
        alive.map(|key| String::from_utf8(key.clone()).unwrap()).collect()
    }
}

impl Reply {
    fn write(&self, to: &mut Vec<u8>) {
        match self {
            Reply::Done => to.extend(b"+OK\r\n"),
            Reply::Word(word) => to.extend(format!("+{word}\r\n").bytes()),
            Reply::Nil => to.extend(b"$-1\r\n"),
            Reply::Text(text) => {
                to.extend(format!("${}\r\n", text.len()).bytes());
                to.extend(text);
                to.extend(b"\r\n");
            }
            Reply::Number(number) => to.extend(format!(":{number}\r\n").bytes()),
            Reply::List(replies) => {
                to.extend(format!("*{}\r\n", replies.len()).bytes());
                replies.iter().for_each(|reply| reply.write(to));
            }
            Reply::NoList => to.extend(b"*-1\r\n"),
            Reply::Refusal(text) => to.extend(format!("-{text}\r\n").bytes()),
        }
    }
}

/// The words of a command and how many bytes it was.
fn parse(bytes: &[u8]) -> Option<(Vec<Vec<u8>>, usize)> {
    let (count, mut at) = head(bytes, 0, b'*')?;
    let mut words = Vec::with_capacity(count);
    for _ in 0..count {
        let (length, begin) = head(bytes, at, b'$')?;
        words.push(bytes.get(begin..begin + length)?.to_vec());
        at = begin + length + 2;
    }
    (at <= bytes.len()).then_some((words, at))
}

fn head(bytes: &[u8], at: usize, kind: u8) -> Option<(usize, usize)> {
    let rest = bytes.get(at..)?;
    let end = rest.windows(2).position(|pair| pair == b"\r\n")?;
    assert_eq!(rest[0], kind, "the library spells RESP");
    Some((number(&rest[1..end]) as usize, at + end + 2))
}

pub fn number(text: &[u8]) -> i64 {
    std::str::from_utf8(text).unwrap().parse().unwrap()
}

/// The number that a key ends with.
pub fn key_number(key: &[u8]) -> u64 {
    key.last().filter(|byte| byte.is_ascii_digit()).map_or(9, |digit| u64::from(digit - b'0'))
}
