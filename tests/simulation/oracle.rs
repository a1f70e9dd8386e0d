//! The database that caches stand before, and the judges of what is read from them.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard};

use serde::{Deserialize, Serialize};
use tokio::sync::RwLock;

use crate::sim::Sim;

/// What is cached: whose value it is, the database's version when it was read or written, and by whom.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Stamped {
    pub key: usize,
    pub version: u64,
    pub source: usize,
}

pub struct Oracle {
    sim: Arc<Sim>,
    known: Mutex<Known>,
    /// Who writes a key changes it alone: of two writers the later one wins, which is no fault of a cache.
    pub turns: Vec<RwLock<()>>,
    /// Whether of all who miss a key one is to load, since nothing fails.
    calm: bool,
}

#[derive(Default)]
struct Known {
    rows: Vec<Row>,
    sources: Vec<Source>,
    violation: Option<String>,
    /// Counts what begins and ends.
    serial: u64,
    /// Rises when the server goes back to what it held before.
    epoch: u64,
    replicated: Vec<u64>,
    jumped: u64,
    counter: Counter,
}

/// One key.
#[derive(Default)]
struct Row {
    version: u64,
    /// The newest version whose invalidation has returned: nothing older may be read from then on.
    floor: u64,
    /// Loaders that run, each with the serial at which its call began: its lease may be older than itself.
    loads: HashMap<u64, u64>,
    changes: HashSet<u64>,
    changed: u64,
}

struct Source {
    key: usize,
    version: u64,
    fate: Fate,
}

/// What became of a value that was to be stored.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fate {
    /// By a loader: the library's rules hold for it.
    Loaded,
    /// By a writer that has heard so.
    Written,
    /// By a writer that does not know; it may arrive whenever it likes.
    Unknown,
    /// Not at all, as the library has said.
    Never,
}

/// Additions of one to the counter, by what their callers know.
#[derive(Clone, Copy, Default)]
struct Counter {
    begun: i64,
    done: i64,
    unknown: i64,
    /// Whether the server has lost what it held.
    is_void: bool,
}

/// A call under way.
#[derive(Clone, Copy)]
pub struct Reading {
    pub verb: &'static str,
    pub process: usize,
    pub key: usize,
    floor: u64,
    start: u64,
    jumped: u64,
    serial: u64,
    epoch: u64,
}

/// A change of a key under way.
#[derive(Clone, Copy)]
pub struct Change {
    pub key: usize,
    pub version: u64,
    serial: u64,
    epoch: u64,
}

/// A loader that runs, until it is dropped.
pub struct Load {
    oracle: Arc<Oracle>,
    key: usize,
    serial: u64,
}

impl Oracle {
    pub fn new(sim: Arc<Sim>, keys: usize, calm: bool) -> Arc<Oracle> {
        let mut known = Known::default();
        known.rows.resize_with(keys, Row::default);
        known.replicated.resize(keys, 0);
        let turns = (0..keys).map(|_| RwLock::default()).collect();
        Arc::new(Oracle { sim, known: Mutex::new(known), turns, calm })
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap()
    }

    pub fn violation(&self) -> Option<String> {
        self.known().violation.clone()
    }

    pub fn violate(&self, text: String) {
        self.known().violate(&self.sim, text);
    }

    pub fn jump(&self, millis: u64) {
        self.known().jumped += millis;
    }

    pub fn replicate(&self) {
        let mut known = self.known();
        known.replicated = known.rows.iter().map(|row| row.floor).collect();
    }

    /// What was made known after the last replication is forgotten, unless the server kept it all.
    pub fn restart(&self, keeps: bool, goes_back: bool) {
        let known = &mut *self.known();
        known.counter.is_void |= !keeps;
        if goes_back {
            known.epoch += 1;
            for (row, floor) in known.rows.iter_mut().zip(&known.replicated) {
                row.floor = row.floor.min(*floor);
            }
        }
    }

    /// What a loader reads now.
    pub fn read(&self, key: usize) -> Stamped {
        let version = self.known().rows[key].version;
        self.source(key, version, Fate::Loaded)
    }

    pub fn source(&self, key: usize, version: u64, fate: Fate) -> Stamped {
        let mut known = self.known();
        known.sources.push(Source { key, version, fate });
        Stamped { key, version, source: known.sources.len() - 1 }
    }

    pub fn settle(&self, value: &Stamped, fate: Fate) {
        self.known().sources[value.source].fate = fate;
    }

    /// Changes the database.
    pub fn change(&self, key: usize) -> Change {
        let known = &mut *self.known();
        known.serial += 1;
        let (serial, epoch, row) = (known.serial, known.epoch, &mut known.rows[key]);
        row.version += 1;
        row.changed = serial;
        row.changes.insert(serial);
        Change { key, version: row.version, serial, epoch }
    }

    /// The cache knows of the change, or may.
    pub fn changed(&self, change: Change, is_known: bool) {
        let known = &mut *self.known();
        known.serial += 1;
        let row = &mut known.rows[change.key];
        row.changed = known.serial;
        row.changes.remove(&change.serial);
        if is_known && change.epoch == known.epoch {
            row.floor = row.floor.max(change.version);
        }
    }

    /// A loader of this key begins, for this call.
    pub fn load(self: &Arc<Self>, call: Reading, key: usize) -> Load {
        let known = &mut *self.known();
        known.serial += 1;
        let (serial, row) = (known.serial, &mut known.rows[key]);
        let is_alone =
            row.loads.values().all(|begun| row.changed > call.serial.min(*begun)) || !row.changes.is_empty();
        row.loads.insert(serial, call.serial);
        if self.calm && !is_alone {
            let process = call.process;
            known.violate(&self.sim, format!("P6: process {process} loads k{key} beside another load"));
        }
        Load { oracle: Arc::clone(self), key, serial }
    }

    pub fn begin(&self, verb: &'static str, process: usize, key: usize) -> Reading {
        self.sim.note("begins", process, verb, key as u64, 0);
        let known = self.known();
        let floor = known.rows.get(key).map_or(0, |row| row.floor);
        let (jumped, serial, epoch) = (known.jumped, known.serial, known.epoch);
        Reading { verb, process, key, floor, start: self.sim.now(), jumped, serial, epoch }
    }

    /// Holds the end of a call against how long it may take.
    pub fn end(&self, reading: Reading, outcome: u64, most: u64) {
        self.sim.note("ends", reading.process, reading.verb, reading.key as u64, outcome);
        let mut known = self.known();
        let took = self.sim.now() - reading.start - (known.jumped - reading.jumped);
        if took > most {
            let Reading { verb, process, key, .. } = reading;
            let text = format!("P2/P6: {verb} of k{key} in process {process} took {took} ms of {most}");
            known.violate(&self.sim, text);
        }
    }

    /// Holds a value against the key that was asked for, and against what was known when it was asked.
    /// Where the cache `degrades`, it may be one that a call which could not look has joined, however old; and where the
    /// server went back meanwhile, one that it had forgotten.
    pub fn judge(&self, reading: Reading, value: &Stamped, degrades: bool) {
        let Reading { verb, process, key, floor, epoch, .. } = reading;
        let mut known = self.known();
        let floor = if degrades || epoch != known.epoch { 0 } else { floor };
        let wrong = match known.sources.get(value.source) {
            _ if value.key != key => Some("P1: of another key"),
            None => Some("P1: from nowhere"),
            Some(source) if (source.key, source.version) != (value.key, value.version) => Some("P1: spoilt"),
            Some(source) if source.fate == Fate::Never => Some("P3: that was said not to be stored"),
            Some(source) if source.fate != Fate::Unknown && value.version < floor => Some("outdated"),
            Some(_) => None,
        };
        if let Some(wrong) = wrong {
            let text = format!(
                "{verb} of k{key} in process {process} at floor {floor} gave a value {wrong}: {value:?}"
            );
            known.violate(&self.sim, text);
        }
    }

    /// An addition to the counter, with the sum if it is known.
    pub fn count(&self, begins: bool, sum: Option<i64>, is_unknown: bool) {
        let mut known = self.known();
        let counter = &mut known.counter;
        counter.begun += i64::from(begins);
        counter.done += i64::from(sum.is_some());
        counter.unknown += i64::from(is_unknown);
        let (begun, is_void) = (counter.begun, counter.is_void);
        if let Some(sum) = sum.filter(|sum| *sum > begun || (!is_void && *sum < 1)) {
            known.violate(&self.sim, format!("P3: {begun} additions of one gave {sum}"));
        }
    }

    pub fn judge_sum(&self, sum: i64) {
        let mut known = self.known();
        let Counter { begun, done, unknown, is_void } = known.counter;
        if !is_void && !(done..=done + unknown).contains(&sum) {
            let text =
                format!("P3: of {begun} additions {done} were done, {unknown} unknown, and the sum is {sum}");
            known.violate(&self.sim, text);
        }
    }
}

impl Known {
    /// The first one counts.
    fn violate(&mut self, sim: &Sim, text: String) {
        if self.violation.is_none() {
            sim.end_story();
            self.violation = Some(text);
        }
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.oracle.known().rows[self.key].loads.remove(&self.serial);
    }
}
