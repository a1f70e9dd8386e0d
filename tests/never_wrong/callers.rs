//! Calls at random, and the account of what they came to.

use std::fmt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use lexigram_cache::{BoxError, Error, ErrorKind, Ttl};

use crate::support::{Random, World, block_on, call};

const KEYS: usize = 100;

/// How many reads there are to be, and what became of those that were.
pub struct Account {
    wanted: u64,
    right: AtomicU64,
    missing: AtomicU64,
    failed: AtomicU64,
    dropped: AtomicU64,
    wrong: AtomicU64,
    /// An error that neither says that nothing was applied nor that this is unknown.
    dishonest: Mutex<Option<Error>>,
}

impl Account {
    pub fn new(wanted: u64) -> Account {
        let [right, missing, failed, dropped, wrong] = Default::default();
        Account { wanted, right, missing, failed, dropped, wrong, dishonest: Mutex::default() }
    }

    pub fn is_full(&self) -> bool {
        load(&self.right) + load(&self.wrong) >= self.wanted
    }

    /// Takes down what was read under this key.
    fn read(&self, key: usize, value: Option<&str>) {
        let count = match value {
            None => &self.missing,
            Some(value) if value.starts_with(&name_in(key)) => &self.right,
            Some(value) => {
                eprintln!("{value:?} under {:?}", name(key));
                &self.wrong
            }
        };
        count.fetch_add(1, Ordering::Relaxed);
    }

    fn failed(&self, error: &Error) {
        self.failed.fetch_add(1, Ordering::Relaxed);
        // A write may also have given way to others until its deadline.
        if !error.is_retryable() && !error.is_ambiguous() && error.kind() != ErrorKind::Conflict {
            *self.dishonest.lock().unwrap() = Some(error.clone());
        }
    }

    pub fn assert_right(&self) {
        assert_eq!(load(&self.wrong), 0, "wrong values: {self:?}");
        assert!(self.is_full(), "{self:?}");
        assert!(load(&self.failed) > 0, "nothing went wrong, so nothing is shown: {self:?}");
    }

    pub fn assert_honest(&self) {
        let dishonest = self.dishonest.lock().unwrap();
        assert!(dishonest.is_none(), "{dishonest:?}");
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Account { right, missing, failed, dropped, wrong, .. } = self;
        let [right, missing, failed] = [right, missing, failed].map(load);
        let [dropped, wrong] = [dropped, wrong].map(load);
        write!(f, "{right} right, {missing} missing, {failed} failed, {dropped} dropped, {wrong} wrong")
    }
}

fn load(count: &AtomicU64) -> u64 {
    count.load(Ordering::Relaxed)
}

fn name(key: usize) -> String {
    format!("key {key}")
}

/// What every value of a key begins with.
fn name_in(key: usize) -> String {
    format!("of {key}: ")
}

fn value(key: usize, random: &mut Random) -> String {
    format!("{}{}", name_in(key), "x".repeat(random.below(60)))
}

/// Calls until there have been as many reads as are wanted.
pub fn call_at_random(world: &World, account: &Account) {
    let mut random = Random::default();
    while !account.is_full() {
        let key = random.below(KEYS);
        match random.below(20) {
            0 => change(world, account, key, &mut random),
            1 | 2 => load_one(world, account, key, &mut random),
            3 => load_many(world, account, key, &mut random),
            4..8 => read_many(world, account, key),
            8 => drop_half_way(world, account, key, &mut random),
            _ => match call!(world, cache => cache.get::<String>(name(key))) {
                Ok(read) => account.read(key, read.as_deref()),
                Err(error) => account.failed(&error),
            },
        }
    }
}

fn change(world: &World, account: &Account, key: usize, random: &mut Random) {
    let (name, value) = (name(key), value(key, random));
    let changed = match random.below(4) {
        0 => call!(world, cache => cache.take::<String>(&name))
            .map(|taken| account.read(key, taken.as_deref())),
        1 => call!(world, cache => cache.add(&name, &value, Ttl::NEVER)).map(drop),
        2 => {
            call!(world, cache => cache.set_many(batch(key).map(|k| (self::name(k), name_in(k))), Ttl::NEVER))
        }
        _ => call!(world, cache => cache.set(&name, &value, Ttl::NEVER)),
    };
    changed.unwrap_or_else(|error| account.failed(&error));
}

fn load_one(world: &World, account: &Account, key: usize, random: &mut Random) {
    let loaded = value(key, random);
    match world.load(&name(key), || Ok::<_, BoxError>(loaded)) {
        Ok(read) => account.read(key, Some(&read)),
        Err(error) => account.failed(&error),
    }
}

fn load_many(world: &World, account: &Account, key: usize, random: &mut Random) {
    let all: Vec<_> = batch(key).map(|key| (key, value(key, random))).collect();
    let load = |missing: &[String]| {
        let wanted = |(key, value): &(usize, String)| (name(*key), value.clone());
        Ok::<_, BoxError>(all.iter().map(wanted).filter(|(name, _)| missing.contains(name)).collect())
    };
    match world.load_many(batch(key).map(name), load) {
        Ok(read) => batch(key).for_each(|key| account.read(key, read.get(&name(key)).map(String::as_str))),
        Err(error) => account.failed(&error),
    }
}

fn read_many(world: &World, account: &Account, key: usize) {
    match call!(world, cache => cache.get_many::<String>(batch(key).map(name))) {
        Ok(read) => batch(key).for_each(|key| account.read(key, read.get(&name(key)).map(String::as_str))),
        Err(error) => account.failed(&error),
    }
}

fn batch(key: usize) -> impl Iterator<Item = usize> {
    (key..key + 5).map(|key| key % KEYS)
}

/// A thread cannot be stopped half way; it gives little time.
fn drop_half_way(world: &World, account: &Account, key: usize, random: &mut Random) {
    let patience = Duration::from_micros(random.below(2_000) as u64);
    let read = match world {
        World::Threads(cache) => Some(cache.with_timeout(patience).get::<String>(name(key))),
        World::Tasks(cache) => {
            let call = cache.get::<String>(name(key));
            block_on(async { tokio::time::timeout(patience, call).await.ok() })
        }
    };
    match read {
        Some(Ok(read)) => account.read(key, read.as_deref()),
        Some(Err(error)) => account.failed(&error),
        None => drop(account.dropped.fetch_add(1, Ordering::Relaxed)),
    }
}
