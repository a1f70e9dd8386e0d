//! One thread's part: it reads by every verb that reads, notes the floor before each read, and holds what it is
//! given against it.

use std::collections::HashMap;
use std::thread;
use std::time::Duration;

use lexigram_cache::{BoxError, Ttl};
use serde::{Deserialize, Serialize};

use crate::changes::{self, Change};
use crate::foreigner::Foreigner;
use crate::history::{History, Step, now};
use crate::origin::{KEYS, Origin};
use crate::support::Random;
use crate::support::{Place, World, call};

/// What is cached: whose value it is, and what the origin's version was when it was loaded or written.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Stamped {
    pub key: usize,
    pub version: u64,
}

pub struct Worker<'a> {
    pub world: &'a World,
    pub origin: &'a Origin,
    pub foreigner: Option<Foreigner>,
    changes: Vec<Change>,
    random: Random,
    pub history: History,
    pub counts: Counts,
}

#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    pub operations: u64,
    pub loads: u64,
    pub invalidations: u64,
    pub violations: u64,
}

impl<'a> Worker<'a> {
    pub fn new(who: String, world: &'a World, origin: &'a Origin, place: &Place) -> Worker<'a> {
        let foreigner = Foreigner::at(place);
        let (changes, random) = (changes::possible(place.kind), Random::default());
        let (history, counts) = (History::new(who), Counts::default());
        Worker { world, origin, foreigner, changes, random, history, counts }
    }

    /// One call, mostly a read.
    pub fn step(&mut self) {
        let key = self.random.below(KEYS);
        match self.random.below(100) {
            0..60 => self.load(key),
            60..68 => self.load_many(&some(key, 3)),
            68..80 => self.get(key),
            80..86 => self.get_many(&some(key, 3)),
            // No invalidation: it promises an end soon, and nothing about a load under way.
            86..88 => drop(call!(self.world, cache => cache.touch(name(key), MOMENT)).unwrap()),
            _ => self.change(key),
        }
        self.counts.operations += 1;
    }

    fn load(&mut self, key: usize) {
        let (origin, pause, mut loaded) = (self.origin, self.random.pause(), None);
        let reading = self.begin("get_or_compute", key);
        let load = || {
            let step = Step { verb: "  load", ended: now(), begun: now(), ..reading };
            let value = Stamped { key, version: origin.version(key) };
            thread::sleep(pause);
            loaded = Some(Step { version: Some(value.version), ended: now(), ..step });
            Ok::<_, BoxError>(value)
        };
        let value = self.world.load_for(&name(key), Ttl::DEFAULT, load).unwrap();
        self.end(reading, Some(&value));
        self.note_loads(loaded);
    }

    fn load_many(&mut self, keys: &[usize]) {
        let (origin, pause, mut loaded) = (self.origin, self.random.pause(), Vec::new());
        let readings: Vec<Step> = keys.iter().map(|key| self.begin("get_or_compute_many", *key)).collect();
        let load = |missing: &[String]| {
            let begun = now();
            let values: HashMap<String, Stamped> =
                missing.iter().map(|name| (name.clone(), fresh(origin, key_of(name)))).collect();
            thread::sleep(pause);
            let reading = |value: &Stamped| readings.iter().find(|reading| reading.key == value.key).copied();
            let load = Step { verb: "  load in a batch", begun, ended: now(), ..readings[0] };
            loaded.extend(values.values().filter_map(reading).map(|reading| {
                let (key, floor) = (reading.key, reading.floor);
                Step { key, floor, version: Some(values[&name(key)].version), ..load }
            }));
            Ok::<_, BoxError>(values)
        };
        let values = self.world.load_many(keys.iter().map(|key| name(*key)), load).unwrap();
        for reading in readings {
            let value = values.get(&name(reading.key));
            assert!(value.is_some(), "a batch lacks k{}: {values:?}", reading.key);
            self.end(reading, value);
        }
        self.note_loads(loaded);
    }

    fn get(&mut self, key: usize) {
        let reading = self.begin("get", key);
        let value: Option<Stamped> = call!(self.world, cache => cache.get(name(key))).unwrap();
        self.end(reading, value.as_ref());
    }

    fn get_many(&mut self, keys: &[usize]) {
        let readings: Vec<Step> = keys.iter().map(|key| self.begin("get_many", *key)).collect();
        let names = keys.iter().map(|key| name(*key));
        let values: HashMap<String, Stamped> = call!(self.world, cache => cache.get_many(names)).unwrap();
        for reading in readings {
            self.end(reading, values.get(&name(reading.key)));
        }
    }

    /// Changes the origin and then invalidates, or writes what it holds now.
    fn change(&mut self, key: usize) {
        let change = self.changes[self.random.below(self.changes.len())];
        let (keys, origin) = (some(key, change.reach), self.origin);
        let readings: Vec<Step> = keys.iter().map(|key| self.begin(change.verb, *key)).collect();
        let seen = match change.writes {
            true => origin.writing(&keys, |versions| (change.act)(self, &keys, versions)),
            false => origin.removing(&keys, || (change.act)(self, &keys, &[])),
        };
        self.counts.invalidations += 1;
        for reading in readings {
            self.end(reading, seen.as_ref().filter(|value| value.key == reading.key));
        }
    }

    fn begin(&self, verb: &'static str, key: usize) -> Step {
        let begun = now();
        Step { verb, key, floor: self.origin.floor(key), begun, ended: begun, version: None }
    }

    /// The rule: what was given is this key's, and no older than what had been made known before it was asked for.
    fn end(&mut self, reading: Step, value: Option<&Stamped>) {
        let version = value.map(|value| value.version);
        assert!(value.is_none_or(|value| value.key == reading.key), "another key's value: {value:?}");
        self.history.note(Step { version, ended: now(), ..reading });
        if version.is_some_and(|version| version < reading.floor) {
            self.counts.violations += 1;
            self.origin.raise_alarm(reading.key);
        }
    }

    fn note_loads(&mut self, loads: impl IntoIterator<Item = Step>) {
        for load in loads {
            self.counts.loads += 1;
            self.history.note(load);
        }
    }
}

impl std::ops::Add for Counts {
    type Output = Counts;

    fn add(self, more: Counts) -> Counts {
        Counts {
            operations: self.operations + more.operations,
            loads: self.loads + more.loads,
            invalidations: self.invalidations + more.invalidations,
            violations: self.violations + more.violations,
        }
    }
}

pub fn name(key: usize) -> String {
    format!("k{key}")
}

fn key_of(name: &str) -> usize {
    name[1..].parse().unwrap()
}

fn fresh(origin: &Origin, key: usize) -> Stamped {
    Stamped { key, version: origin.version(key) }
}

/// So many keys from this one on, in ascending order.
fn some(key: usize, count: usize) -> Vec<usize> {
    let mut keys: Vec<usize> = (key..key + count).map(|key| key % KEYS).collect();
    keys.sort_unstable();
    keys
}

const MOMENT: Duration = Duration::from_millis(1);
