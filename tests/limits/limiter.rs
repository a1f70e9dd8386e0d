//! A limiter of either world, and the backends to have one on.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use lexigram_cache::{
    BackendHandle, Clock, Decision, Memcached, Memory, Outage, Quota, RateLimiter, Redis, Result, Stats,
    StoreBase, aio,
};

use crate::shelf::Shelf;
use crate::support::{Heard, block_on, memcached, redis};

/// One call on a limiter of either world.
macro_rules! ask {
    ($limiter:expr, $threads:ident => $call:expr) => {
        match $limiter {
            Limiter::Threads($threads) => $call,
            Limiter::Tasks($threads) => block_on($call),
        }
    };
}

#[derive(Clone, Debug)]
pub enum Limiter {
    Threads(RateLimiter),
    Tasks(aio::RateLimiter),
}

impl Limiter {
    pub fn check(&self, subject: &str) -> Result<Decision> {
        ask!(self, limiter => limiter.check(subject))
    }

    pub fn check_n(&self, subject: &str, n: u64) -> Result<Decision> {
        ask!(self, limiter => limiter.check_n(subject, n))
    }

    pub fn acquire(&self, subject: &str, wait: Duration) -> Result<Decision> {
        ask!(self, limiter => limiter.acquire(subject, wait))
    }

    pub fn peek(&self, subject: &str) -> Result<Decision> {
        ask!(self, limiter => limiter.peek(subject))
    }

    pub fn reset(&self, subject: &str) -> Result<bool> {
        ask!(self, limiter => limiter.reset(subject))
    }

    pub fn stats(&self) -> Stats {
        match self {
            Limiter::Threads(limiter) => limiter.stats(),
            Limiter::Tasks(limiter) => limiter.stats(),
        }
    }

    /// How many of so many checks are allowed.
    pub fn admitted(&self, subject: &str, checks: usize) -> usize {
        (0..checks).filter(|_| self.check(subject).unwrap().allowed).count()
    }
}

/// What limiters are built on, in both worlds.
#[derive(Clone, Debug)]
pub struct Ground {
    pub name: &'static str,
    threads: StoreBase,
    tasks: aio::StoreBase,
}

impl Ground {
    pub fn on<B>(name: &'static str, backend: &B) -> Ground
    where
        for<'a> &'a B: Into<StoreBase> + Into<aio::StoreBase>,
    {
        Ground { name, threads: backend.into(), tasks: backend.into() }
    }

    pub fn memory() -> Ground {
        Ground::on("memory", &Memory::default())
    }

    pub fn redis(url: impl AsRef<str>) -> Ground {
        Ground::on("redis", &Redis::builder(url.as_ref()).breaker(None).build().unwrap())
    }

    pub fn memcached(url: impl Into<String>) -> Ground {
        Ground::on("memcached", &Memcached::builder([url.into()]).breaker(None).build().unwrap())
    }

    /// A backend that implements no more than it must. Each world has its own.
    pub fn custom() -> Ground {
        let threads = BackendHandle::from(Shelf::default());
        let tasks = aio::BackendHandle::from(Shelf::default());
        Ground { name: "custom", threads: (&threads).into(), tasks: (&tasks).into() }
    }

    /// Every backend, the servers shared by the tests of this process.
    pub fn all() -> Vec<Ground> {
        vec![
            Ground::memory(),
            Ground::redis(redis().url()),
            Ground::memcached(memcached().url()),
            Ground::custom(),
        ]
    }

    pub fn timeout(self, timeout: Duration) -> Ground {
        Ground { threads: self.threads.timeout(timeout), tasks: self.tasks.timeout(timeout), ..self }
    }

    /// In a namespace that is named, so that other processes find it.
    pub fn namespace(self, namespace: &str) -> Ground {
        Ground { threads: self.threads.namespace(namespace), tasks: self.tasks.namespace(namespace), ..self }
    }

    /// In a namespace that no other test uses, nor the other limiters of this one.
    pub fn apart(&self) -> Ground {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        self.clone().namespace(&format!("apart{}", NEXT.fetch_add(1, Ordering::Relaxed)))
    }

    /// One in each world, which count together where the backend is one.
    pub fn limiters(&self, quota: Quota, setting: &Setting) -> [Limiter; 2] {
        let Setting { outage, lease, clock, heard } = setting;
        macro_rules! built {
            ($builder:expr) => {{
                let mut builder = $builder.observer(heard.observer());
                if let Some(permits) = lease {
                    builder = builder.lease(*permits);
                }
                if let Some(clock) = clock {
                    builder = builder.clock(clock.clone());
                }
                builder.build().unwrap()
            }};
        }
        [
            Limiter::Threads(built!(RateLimiter::builder(self.threads.clone(), "l", quota, *outage))),
            Limiter::Tasks(built!(aio::RateLimiter::builder(self.tasks.clone(), "l", quota, *outage))),
        ]
    }

    /// The same, each in a namespace of its own.
    pub fn separate(&self, quota: Quota, setting: &Setting) -> [Limiter; 2] {
        let [[threads, _], [_, tasks]] = [(); 2].map(|()| self.apart().limiters(quota, setting));
        [threads, tasks]
    }
}

#[derive(Clone, Debug)]
pub struct Setting {
    pub outage: Outage,
    pub lease: Option<u64>,
    pub clock: Option<Clock>,
    pub heard: Heard,
}

impl Default for Setting {
    fn default() -> Setting {
        Setting { outage: Outage::Error, lease: None, clock: None, heard: Heard::default() }
    }
}

/// One quota under each algorithm.
pub fn kinds(quota: Quota) -> [Quota; 3] {
    [quota, quota.fixed_window(), quota.sliding_window()]
}
