//! What a cache in memory promises, over a plain map.

use std::collections::BTreeMap;

use lexigram_cache::Eviction;

use super::step::{During, Settings, Step, name};

/// What a call came to.
#[derive(Debug, PartialEq)]
pub enum Answer {
    Value(Option<i64>),
    Flag(bool),
    Count(u64),
    Done,
    TooLarge,
    Failed,
}

/// A value that left: its key, the cause, and itself.
pub type Left = (String, &'static str, i64);

pub struct Model {
    settings: Settings,
    held: BTreeMap<String, Held>,
    /// From the least recently used key to the last.
    order: Vec<String>,
    now: u64,
    /// How many entries have ever come in.
    pub inserted: u64,
    left: Vec<Left>,
    /// Whom the cache gave up during this step, where the model does not know whose turn it is.
    given_up: Vec<String>,
}

#[derive(Clone)]
struct Held {
    value: i64,
    end: Option<u64>,
    weight: u64,
}

impl Model {
    pub fn new(settings: Settings) -> Model {
        let (held, order, left, given_up) = <_>::default();
        Model { settings, held, order, now: 0, inserted: 0, left, given_up }
    }

    pub fn len(&self) -> usize {
        self.held.len()
    }

    pub fn weight(&self) -> u64 {
        self.held.values().map(|held| held.weight).sum()
    }

    /// The value of a key, unless its time is up.
    pub fn alive(&self, key: usize) -> Option<i64> {
        let held = self.held.get(&name(key))?;
        (!self.is_due(held)).then_some(held.value)
    }

    /// What the step should come to, and who should leave; `told` is who did.
    pub fn take(&mut self, step: &Step, told: &[Left]) -> (Answer, Vec<Left>) {
        let room = told.iter().filter(|(_, cause, _)| ["Evicted", "Expired"].contains(cause));
        self.given_up = room.rev().map(|(key, ..)| key.clone()).collect();
        let answer = match *step {
            Step::Get(key) | Step::GetWith(key) | Step::GetArc(key) => Answer::Value(self.read(&name(key))),
            Step::Set(key, value, ttl) => match self.write(&name(key), value, ttl) {
                true => Answer::Done,
                false => Answer::TooLarge,
            },
            // Whether a value fits is asked first.
            Step::Add(_, value, _) | Step::Replace(_, value, _) if !self.fits(value) => Answer::TooLarge,
            Step::Add(key, value, ttl) => {
                Answer::Flag(self.alive(key).is_none() && self.write(&name(key), value, ttl))
            }
            Step::Replace(key, value, ttl) => {
                Answer::Flag(self.alive(key).is_some() && self.write(&name(key), value, ttl))
            }
            Step::Take(key) => Answer::Value(self.remove(&name(key), "Deleted")),
            Step::Delete(key) => Answer::Flag(self.remove(&name(key), "Deleted").is_some()),
            Step::Touch(key, ttl) => {
                let (alive, end) = (self.alive(key), self.end(ttl));
                if let (Some(_), Some(held)) = (alive, self.held.get_mut(&name(key))) {
                    held.end = end;
                }
                Answer::Flag(alive.is_some())
            }
            // A counter that is there keeps its weight; only one that begins is weighed.
            Step::Incr(key, delta, ttl) => match self.alive(key) {
                Some(value) => Answer::Value(Some(self.count(&name(key), value + delta))),
                None if !self.fits(delta) => Answer::TooLarge,
                None => {
                    self.write(&name(key), delta, ttl);
                    Answer::Value(Some(delta))
                }
            },
            Step::Update(key, delta) => {
                let value = self.read(&name(key)).unwrap_or(0) + delta;
                match self.write(&name(key), value, None) {
                    true => Answer::Value(Some(value)),
                    false => Answer::TooLarge,
                }
            }
            Step::Load(key, value, ttl, during) => self.load(&name(key), value, ttl, during),
            Step::DeletePrefix(prefix) => Answer::Count(self.clear(prefix)),
            Step::Clear => {
                self.clear("");
                Answer::Done
            }
            Step::Advance(seconds) => {
                self.now += seconds;
                if self.settings.swept {
                    self.sweep();
                }
                Answer::Done
            }
        };
        (answer, std::mem::take(&mut self.left))
    }

    fn load(&mut self, key: &str, value: i64, ttl: Option<u64>, during: During) -> Answer {
        if let Some(held) = self.read(key) {
            return Answer::Value(Some(held));
        }
        match during {
            During::Failure => return Answer::Failed,
            During::Write(other) => drop(self.write(key, other, None)),
            During::Removal | During::Nothing => {}
        }
        // Whoever wrote or removed the key is newer than the load. A value that is refused is no write.
        let overtaken = match during {
            During::Write(other) => self.fits(other),
            During::Removal => true,
            During::Nothing | During::Failure => false,
        };
        match self.fits(value) && (overtaken || self.write(key, value, ttl)) {
            true => Answer::Value(Some(value)),
            false => Answer::TooLarge,
        }
    }

    fn read(&mut self, key: &str) -> Option<i64> {
        let held = self.held.get(key)?.clone();
        if self.is_due(&held) {
            self.leave(key, "Expired");
            return None;
        }
        self.use_up(key);
        Some(held.value)
    }

    fn write(&mut self, key: &str, value: i64, ttl: Option<u64>) -> bool {
        if !self.fits(value) {
            return false;
        }
        let new = Held { value, end: self.end(ttl), weight: self.weight_of(value) };
        let old = self.held.get(key).cloned();
        self.make_room(key, old.as_ref(), new.weight);
        let due = old.as_ref().is_some_and(|old| self.is_due(old));
        // What takes the place of a value whose time was up is a new entry.
        self.inserted += u64::from(old.is_none() || due);
        if let Some(old) = old {
            self.left.push((key.to_owned(), if due { "Expired" } else { "Replaced" }, old.value));
        }
        self.held.insert(key.to_owned(), new);
        self.use_up(key);
        true
    }

    /// A counter keeps its weight and its end.
    fn count(&mut self, key: &str, sum: i64) -> i64 {
        if let Some(held) = self.held.get_mut(key) {
            let old = std::mem::replace(&mut held.value, sum);
            self.left.push((key.to_owned(), "Replaced", old));
        }
        self.use_up(key);
        sum
    }

    fn make_room(&mut self, key: &str, old: Option<&Held>, weight: u64) {
        let old_weight = old.map_or(0, |old| old.weight);
        let most = self.settings.max_bytes.unwrap_or(u64::MAX);
        while self.len() + usize::from(old.is_none()) > self.settings.capacity
            || self.weight() - old_weight + weight > most
        {
            let leaves = match self.is_exact() {
                true => self.order.iter().find(|held| *held != key).cloned(),
                false => self.next_given_up(key),
            };
            let leaves = leaves.expect("somebody has to leave, and nobody did");
            let cause = if self.is_due(&self.held[&leaves]) { "Expired" } else { "Evicted" };
            self.leave(&leaves, cause);
        }
    }

    fn next_given_up(&mut self, key: &str) -> Option<String> {
        while let Some(leaves) = self.given_up.pop() {
            if leaves != key && self.held.contains_key(&leaves) {
                return Some(leaves);
            }
        }
        None
    }

    fn remove(&mut self, key: &str, cause: &'static str) -> Option<i64> {
        let held = self.held.get(key)?.clone();
        let due = self.is_due(&held);
        self.leave(key, if due { "Expired" } else { cause });
        (!due).then_some(held.value)
    }

    fn clear(&mut self, prefix: &str) -> u64 {
        let meant: Vec<_> = self.held.keys().filter(|key| key.starts_with(prefix)).cloned().collect();
        meant.iter().filter(|key| self.remove(key, "Cleared").is_some()).count() as u64
    }

    fn sweep(&mut self) {
        let due: Vec<_> = self.held.iter().filter(|(_, held)| self.is_due(held)).collect();
        let due: Vec<_> = due.into_iter().map(|(key, _)| key.clone()).collect();
        due.iter().for_each(|key| self.leave(key, "Expired"));
    }

    fn leave(&mut self, key: &str, cause: &'static str) {
        if let Some(held) = self.held.remove(key) {
            self.order.retain(|other| other != key);
            self.left.push((key.to_owned(), cause, held.value));
        }
    }

    fn use_up(&mut self, key: &str) {
        self.order.retain(|other| other != key);
        self.order.push(key.to_owned());
    }

    fn end(&self, ttl: Option<u64>) -> Option<u64> {
        ttl.map(|ttl| self.now + ttl)
    }

    fn is_due(&self, held: &Held) -> bool {
        held.end.is_some_and(|end| end <= self.now)
    }

    fn fits(&self, value: i64) -> bool {
        self.settings.max_bytes.is_none_or(|most| self.weight_of(value) <= most)
    }

    fn weight_of(&self, value: i64) -> u64 {
        self.settings.max_bytes.map_or(0, |most| weigh(most, value))
    }

    /// With one shard it is known who was used least recently.
    fn is_exact(&self) -> bool {
        self.settings.eviction == Eviction::Lru && self.settings.capacity <= 256
    }
}

/// Any weight from nothing up to a little more than there is room for; mostly small ones.
pub fn weigh(most: u64, value: i64) -> u64 {
    let value = value.unsigned_abs();
    match value % 4 {
        0 => value / 4 % (most + 2),
        _ => value / 4 % (most / 4 + 1),
    }
}
