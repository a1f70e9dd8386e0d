//! One task of one process: what it asks of its cache, and what it makes of the answers.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use lexigram_cache::{ErrorKind, Result, Ttl, aio};

use crate::oracle::{Change, Fate, Oracle, Reading, Stamped};
use crate::plan::Plan;
use crate::sim::Sim;

#[derive(Clone)]
pub struct Actor {
    pub sim: Arc<Sim>,
    pub oracle: Arc<Oracle>,
    pub cache: aio::Cache,
    pub process: usize,
    pub plan: Plan,
}

impl Actor {
    pub async fn act(self) {
        for _ in 0..self.plan.steps {
            self.sim.pause(self.sim.below(self.plan.think)).await;
            let key = self.key();
            match self.sim.below(100) {
                0..34 => self.load(key).await,
                34..46 => self.load_many(key).await,
                46..58 => self.get(key).await,
                58..62 => self.get_many(key).await,
                62..76 => self.remove(key).await,
                76..82 => self.set(key).await,
                82..86 => self.update(key).await,
                86..88 => self.add(key).await,
                88..90 => self.take(key).await,
                90..92 => self.touch(key).await,
                _ => self.count().await,
            }
        }
    }

    fn key(&self) -> usize {
        self.sim.below(self.plan.keys as u64) as usize
    }

    fn ttl(&self) -> Ttl {
        match self.sim.below(4) {
            0 => Duration::from_millis(300).into(),
            1 => Duration::from_secs(2).into(),
            _ => Ttl::NEVER,
        }
    }

    /// Where calls are dropped, some are.
    async fn unless_dropped<T>(&self, call: impl Future<Output = Result<T>>) -> Option<Result<T>> {
        if self.plan.drops && self.sim.chance(120) {
            let patience = Duration::from_millis(self.sim.below(60));
            return tokio::time::timeout(patience, call).await.ok();
        }
        Some(call.await)
    }

    /// What the loader of a key gives, in its own time.
    async fn loaded(&self, call: Reading, key: usize) -> io::Result<Stamped> {
        let _running = self.oracle.load(call, key);
        self.sim.note("loads", self.process, "", key as u64, 0);
        if self.sim.chance(300) {
            self.sim.pause(self.sim.below(10)).await;
        }
        let value = self.oracle.read(key);
        let time = match self.sim.below(20) {
            0..6 => 0,
            6..19 => self.sim.below(40),
            _ => self.sim.below(3_000),
        };
        self.sim.pause(time).await;
        if self.sim.chance(60) { Err(io::Error::other("the database is away")) } else { Ok(value) }
    }

    pub async fn load(&self, key: usize) {
        let reading = self.oracle.begin("get_or_compute", self.process, key);
        let load = async || self.loaded(reading, key).await;
        let answer = self.unless_dropped(self.cache.get_or_compute(name(key), self.ttl(), load)).await;
        self.oracle.end(reading, outcome(&answer), STALL);
        match answer {
            Some(Ok(value)) => self.judge(reading, &value),
            Some(Err(error)) => self.judge_error("get_or_compute", &error),
            None => {}
        }
    }

    async fn load_many(&self, key: usize) {
        let keys = [key, (key + 1) % self.plan.keys];
        let readings = keys.map(|key| self.oracle.begin("get_or_compute_many", self.process, key));
        let load = async |missing: &[String]| {
            let keys: Vec<usize> = missing.iter().map(|name| key_of(name)).collect();
            let _running: Vec<_> = keys.iter().map(|key| self.oracle.load(readings[0], *key)).collect();
            let values: HashMap<String, Stamped> =
                missing.iter().cloned().zip(keys.iter().map(|key| self.oracle.read(*key))).collect();
            self.sim.pause(self.sim.below(40)).await;
            if self.sim.chance(60) { Err(io::Error::other("the database is away")) } else { Ok(values) }
        };
        let names = keys.map(name);
        let answer = self.unless_dropped(self.cache.get_or_compute_many(&names, self.ttl(), load)).await;
        for reading in readings {
            self.oracle.end(reading, outcome(&answer), STALL);
            match &answer {
                Some(Ok(values)) => match values.get(&name(reading.key)) {
                    Some(value) => self.judge(reading, value),
                    None => self.oracle.violate(format!("a batch lacks k{}", reading.key)),
                },
                Some(Err(error)) => self.judge_error("get_or_compute_many", error),
                None => {}
            }
        }
    }

    pub async fn get(&self, key: usize) {
        let reading = self.oracle.begin("get", self.process, key);
        let answer = self.unless_dropped(self.cache.get::<Stamped>(name(key))).await;
        self.oracle.end(reading, outcome(&answer), self.plan.most());
        match answer {
            Some(Ok(Some(value))) => self.judge(reading, &value),
            Some(Err(error)) => self.judge_error("get", &error),
            Some(Ok(None)) | None => {}
        }
    }

    async fn get_many(&self, key: usize) {
        let keys = [key, (key + 1) % self.plan.keys];
        let readings = keys.map(|key| self.oracle.begin("get_many", self.process, key));
        let answer = self.unless_dropped(self.cache.get_many::<Stamped>(keys.map(name))).await;
        for reading in readings {
            self.oracle.end(reading, outcome(&answer), self.plan.most());
            match &answer {
                Some(Ok(values)) => {
                    values.get(&name(reading.key)).into_iter().for_each(|value| self.judge(reading, value));
                }
                Some(Err(error)) => self.judge_error("get_many", error),
                None => {}
            }
        }
    }

    async fn remove(&self, key: usize) {
        let _turn = self.oracle.turns[key].read().await;
        let change = self.oracle.change(key);
        let reading = self.oracle.begin("delete", self.process, key);
        let answer = match self.sim.below(3) {
            0 => self.unless_dropped(self.cache.delete_many([name(key)])).await.map(|done| done.map(drop)),
            _ => self.unless_dropped(self.cache.delete(name(key))).await.map(|done| done.map(drop)),
        };
        self.oracle.end(reading, outcome(&answer), self.plan.most());
        self.removed("delete", change, &answer);
    }

    async fn take(&self, key: usize) {
        let _turn = self.oracle.turns[key].read().await;
        let change = self.oracle.change(key);
        let reading = self.oracle.begin("take", self.process, key);
        let answer = self.unless_dropped(self.cache.take::<Stamped>(name(key))).await;
        self.oracle.end(reading, outcome(&answer), self.plan.most());
        if let Some(Ok(Some(value))) = &answer {
            self.judge(reading, value);
        }
        self.removed("take", change, &answer);
    }

    fn removed<T>(&self, verb: &'static str, change: Change, answer: &Option<Result<T>>) {
        let is_known = matches!(answer, Some(Ok(_))) && !self.degrades();
        self.oracle.changed(change, is_known);
        if let Some(Err(error)) = answer {
            self.judge_error(verb, error);
        }
    }

    async fn set(&self, key: usize) {
        let _turn = self.oracle.turns[key].write().await;
        let (change, value) = self.begin_write(key);
        let reading = self.oracle.begin("set", self.process, key);
        let answer = self.unless_dropped(self.cache.set(name(key), &value, self.ttl())).await;
        self.oracle.end(reading, outcome(&answer), self.plan.most());
        self.written("set", change, &value, answer.map(|answer| answer.map(|()| true)));
    }

    async fn add(&self, key: usize) {
        let _turn = self.oracle.turns[key].write().await;
        let (change, value) = self.begin_write(key);
        let reading = self.oracle.begin("add", self.process, key);
        let answer = self.unless_dropped(self.cache.add(name(key), &value, self.ttl())).await;
        self.oracle.end(reading, outcome(&answer), self.plan.most());
        self.written("add", change, &value, answer);
    }

    async fn update(&self, key: usize) {
        let _turn = self.oracle.turns[key].write().await;
        let (change, value) = self.begin_write(key);
        let reading = self.oracle.begin("update", self.process, key);
        let update = self.cache.update(name(key), self.ttl(), |_: Option<Stamped>| value.clone());
        let answer = self.unless_dropped(update).await;
        self.oracle.end(reading, outcome(&answer), self.plan.most());
        self.written("update", change, &value, answer.map(|answer| answer.map(|_| true)));
    }

    fn begin_write(&self, key: usize) -> (Change, Stamped) {
        let change = self.oracle.change(key);
        (change, self.oracle.source(key, change.version, Fate::Unknown))
    }

    fn written(&self, verb: &'static str, change: Change, value: &Stamped, answer: Option<Result<bool>>) {
        let fate = match &answer {
            Some(Ok(true)) if !self.degrades() => Fate::Written,
            Some(Ok(false)) => Fate::Never,
            Some(Err(error)) if !error.is_ambiguous() => Fate::Never,
            _ => Fate::Unknown,
        };
        self.oracle.settle(value, fate);
        self.oracle.changed(change, fate == Fate::Written);
        if let Some(Err(error)) = &answer {
            self.judge_error(verb, error);
        }
    }

    async fn touch(&self, key: usize) {
        let reading = self.oracle.begin("touch", self.process, key);
        let answer = self.unless_dropped(self.cache.touch(name(key), self.ttl())).await;
        self.oracle.end(reading, outcome(&answer), self.plan.most());
        if let Some(Err(error)) = answer {
            self.judge_error("touch", &error);
        }
    }

    async fn count(&self) {
        let reading = self.oracle.begin("incr", self.process, COUNTER);
        self.oracle.count(true, None, false);
        let answer = self.unless_dropped(self.cache.incr("c", 1, Ttl::NEVER)).await;
        self.oracle.end(reading, outcome(&answer), self.plan.most());
        match answer {
            Some(Ok(sum)) => self.oracle.count(false, Some(sum), false),
            Some(Err(error)) => {
                self.oracle.count(false, None, error.is_ambiguous());
                self.judge_error("incr", &error);
            }
            None => self.oracle.count(false, None, true),
        }
    }

    fn judge(&self, reading: Reading, value: &Stamped) {
        self.oracle.judge(reading, value, self.degrades());
    }

    /// Where nothing fails, only loaders do; else what may fail is the network.
    fn judge_error(&self, verb: &str, error: &lexigram_cache::Error) {
        use ErrorKind::{Ambiguous, Conflict, Loader, Timeout, Unavailable};
        let expected = match self.plan.calm {
            true => error.kind() == Loader,
            false => matches!(error.kind(), Ambiguous | Conflict | Loader | Timeout | Unavailable),
        };
        if !expected {
            self.oracle.violate(format!("{verb} in process {} failed: {error:?}", self.process));
        }
    }

    /// A cache that degrades says that a write is done also where it was dropped.
    fn degrades(&self) -> bool {
        self.plan.degrades(self.process)
    }
}

fn outcome<T>(answer: &Option<Result<T>>) -> u64 {
    match answer {
        None => 0,
        Some(Ok(_)) => 1,
        Some(Err(error)) => 2 + error.kind() as u64,
    }
}

pub fn name(key: usize) -> String {
    format!("k{key}")
}

fn key_of(name: &str) -> usize {
    name[1..].parse().unwrap()
}

/// How long a load may take, in milliseconds: a few leases that nobody can give back, and no more.
const STALL: u64 = 60_000;
const COUNTER: usize = 9;
