//! A lock store of either world, so that one test speaks to both.

use std::thread;
use std::time::Duration;

use lexigram_cache::{
    BackendHandle, LockGuard, LockStore, LockStoreBuilder, Memcached, Memory, Redis, Released, Result,
    StoreBase, aio,
};

use super::shelf::Shelf;
use super::support::{self, block_on};

#[derive(Clone, Debug)]
pub enum Locks {
    Threads(LockStore),
    Tasks(aio::LockStore),
}

/// Its drop has a runtime around it, as that of a task's guard has.
#[derive(Debug)]
pub struct Guard(Option<Held>);

#[derive(Debug)]
pub enum Held {
    Threads(LockGuard),
    Tasks(aio::LockGuard),
}

/// Lock stores of both worlds over clones of one backend: `both!(backend, namespace("a"), renewal(false))`.
macro_rules! both {
    ($backend:expr $(, $setter:ident($($argument:expr),*))* $(,)?) => {{
        let backend = &$backend;
        [
            $crate::side::Locks::Threads(lexigram_cache::LockStore::builder(backend)$(.$setter($($argument),*))*.build().unwrap()),
            $crate::side::Locks::Tasks(lexigram_cache::aio::LockStore::builder(backend)$(.$setter($($argument),*))*.build().unwrap()),
        ]
    }};
}

pub(crate) use both;

/// Runs a test on every backend and in both worlds, side by side; each has a namespace of its own.
pub fn everywhere(namespace: &str, test: impl Fn(&Locks) + Sync) {
    let redis = Redis::builder(support::redis().url()).build().unwrap();
    let memcached = Memcached::builder([support::memcached().url()]).build().unwrap();
    let clearable = Memcached::builder([support::memcached().url()]).clearable(true).build().unwrap();
    let (threads, tasks) = (format!("{namespace} of threads"), format!("{namespace} of tasks"));
    let mut subjects = Vec::new();
    for (name, base) in [("redis", StoreBase::from(&redis)), ("memcached", (&memcached).into())] {
        subjects.push((name, Locks::of_threads(base, &threads)));
    }
    for (name, base) in [("redis", aio::StoreBase::from(&redis)), ("memcached", (&memcached).into())] {
        subjects.push((name, Locks::of_tasks(base, &tasks)));
    }
    let clearable_name = "clearable memcached";
    subjects.push((clearable_name, Locks::of_threads(&clearable, &format!("{threads}, clearable"))));
    subjects.push((clearable_name, Locks::of_tasks(&clearable, &format!("{tasks}, clearable"))));
    subjects.push(("memory", Locks::of_threads(&Memory::default(), "")));
    subjects.push(("memory", Locks::of_tasks(&Memory::default(), "")));
    subjects.push(("custom", Locks::of_threads(BackendHandle::from(Shelf::default()), "")));
    subjects.push(("custom", Locks::of_tasks(aio::BackendHandle::from(Shelf::default()), "")));
    thread::scope(|scope| {
        let test = &test;
        for (name, locks) in subjects {
            let world = if matches!(locks, Locks::Threads(_)) { "threads" } else { "tasks" };
            let run = move || test(&locks);
            thread::Builder::new().name(format!("{name}, {world}")).spawn_scoped(scope, run).unwrap();
        }
    });
}

impl Locks {
    fn of_threads(base: impl Into<StoreBase>, namespace: &str) -> Locks {
        let builder: LockStoreBuilder = LockStore::builder(base);
        Locks::Threads(builder.namespace(namespace).timeout(super::SOON).build().unwrap())
    }

    fn of_tasks(base: impl Into<aio::StoreBase>, namespace: &str) -> Locks {
        Locks::Tasks(aio::LockStore::builder(base).namespace(namespace).timeout(super::SOON).build().unwrap())
    }

    pub fn attempt(&self, name: &str, ttl: Duration) -> Result<Option<Guard>> {
        match self {
            Locks::Threads(locks) => Ok(locks.try_acquire(name, ttl)?.map(Held::Threads).map(Guard::new)),
            Locks::Tasks(locks) => {
                Ok(block_on(locks.try_acquire(name, ttl))?.map(Held::Tasks).map(Guard::new))
            }
        }
    }

    /// A lock that nobody holds.
    pub fn take(&self, name: &str, ttl: Duration) -> Guard {
        self.attempt(name, ttl).unwrap().unwrap_or_else(|| panic!("somebody holds {name}"))
    }

    pub fn is_free(&self, name: &str) -> bool {
        !match self {
            Locks::Threads(locks) => locks.is_locked(name),
            Locks::Tasks(locks) => block_on(locks.is_locked(name)),
        }
        .unwrap()
    }

    pub fn acquire(&self, name: &str, ttl: Duration, wait: Duration) -> Result<Guard> {
        match self {
            Locks::Threads(locks) => Ok(Guard::new(Held::Threads(locks.acquire(name, ttl, wait)?))),
            Locks::Tasks(locks) => Ok(Guard::new(Held::Tasks(block_on(locks.acquire(name, ttl, wait))?))),
        }
    }

    pub fn resume(&self, name: &str, token: &str, ttl: Duration) -> Result<Guard> {
        match self {
            Locks::Threads(locks) => Ok(Guard::new(Held::Threads(locks.resume(name, token, ttl)?))),
            Locks::Tasks(locks) => Ok(Guard::new(Held::Tasks(block_on(locks.resume(name, token, ttl))?))),
        }
    }

    pub fn once_per(&self, name: &str, period: Duration) -> Result<bool> {
        match self {
            Locks::Threads(locks) => locks.once_per(name, period),
            Locks::Tasks(locks) => block_on(locks.once_per(name, period)),
        }
    }

    pub fn check(&self) -> Result<Vec<String>> {
        match self {
            Locks::Threads(locks) => locks.check(),
            Locks::Tasks(locks) => block_on(locks.check()),
        }
    }
}

/// A question that waits for nobody.
macro_rules! told {
    ($self:expr, $guard:ident => $answer:expr) => {
        match $self.0.as_ref().expect("it is there until it is dropped") {
            Held::Threads($guard) => $answer,
            Held::Tasks($guard) => $answer,
        }
    };
}

impl Guard {
    fn new(held: Held) -> Guard {
        Guard(Some(held))
    }

    pub fn token(&self) -> String {
        told!(self, guard => guard.token().to_owned())
    }

    pub fn fencing(&self) -> u64 {
        told!(self, guard => guard.fencing())
    }

    pub fn is_valid(&self) -> bool {
        told!(self, guard => guard.is_valid())
    }

    pub fn remaining(&self) -> Duration {
        told!(self, guard => guard.remaining())
    }

    pub fn extend(&self, ttl: Duration) -> Result<()> {
        match self.0.as_ref().expect("it is there until it is dropped") {
            Held::Threads(guard) => guard.extend(ttl),
            Held::Tasks(guard) => block_on(guard.extend(ttl)),
        }
    }

    pub fn release(mut self) -> Result<Released> {
        match self.0.take().expect("it is there until it is dropped") {
            Held::Threads(guard) => guard.release(),
            Held::Tasks(guard) => block_on(guard.release()),
        }
    }

    pub fn into_token(mut self) -> String {
        match self.0.take().expect("it is there until it is dropped") {
            Held::Threads(guard) => guard.into_token(),
            Held::Tasks(guard) => block_on(async { guard.into_token() }),
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(Held::Tasks(guard)) = self.0.take() {
            block_on(async move { drop(guard) });
        }
    }
}
