//! What a seed stands for: who does how much, over which server, and what goes wrong meanwhile.

use std::time::Duration;

use lexigram_cache::{Memcached, OnWaitTimeout, Redis, aio};

use crate::net::Knobs;
use crate::random::Random;

#[derive(Clone, Copy, Debug)]
pub struct Plan {
    pub kind: Kind,
    pub processes: usize,
    pub tasks: usize,
    pub steps: usize,
    pub keys: usize,
    /// The longest time between two calls of a task.
    pub think: u64,
    pub knobs: Knobs,
    /// Whether nothing goes wrong at all.
    pub calm: bool,
    /// Whether calls are dropped.
    pub drops: bool,
    pub restarts: bool,
    pub jumps: bool,
    /// The process that degrades.
    degrades: Option<usize>,
    timeout: u64,
    lock_ttl: u64,
    max_wait: u64,
    pool_size: u32,
    /// Whether values are kept past their time, and reloaded before it is over; processes may then do so beside each
    /// other.
    pub ages: bool,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    Redis,
    Memcached,
    Clearable,
}

impl Plan {
    pub fn of(seed: u64) -> Plan {
        let random = &mut Random::seeded(seed ^ 0x5eed);
        let mut pick = |from: &[u64]| from[random.below(from.len())];
        let kind = [Kind::Redis, Kind::Redis, Kind::Memcached, Kind::Clearable][pick(&[0, 1, 2, 3]) as usize];
        let calm = pick(&[0, 0, 0, 1]) == 1;
        let rate = if calm { 0 } else { pick(&[0, 3, 10, 30, 80]) };
        let mut some = |chance: u64| if calm { 0 } else { pick(&[0, 0, 1]) * chance };
        let knobs = Knobs {
            delay: 0,
            late: some(rate),
            latest: 500,
            lost: some(rate / 2),
            cut: some(rate),
            stuck: some(rate / 3),
            refused: some(rate),
        };
        let (drops, restarts, jumps) = (some(1) == 1, some(1) == 1, some(1) == 1);
        let degrades = (some(1) == 1).then_some(1);
        Plan {
            kind,
            processes: pick(&[1, 2, 2, 3]) as usize,
            tasks: pick(&[1, 2, 3, 4]) as usize,
            steps: pick(&[4, 8, 12]) as usize,
            keys: pick(&[1, 2, 3]) as usize,
            think: pick(&[1, 10, 60]),
            knobs: Knobs { delay: pick(&[0, 1, 3]), ..knobs },
            calm,
            drops,
            restarts,
            jumps,
            degrades,
            timeout: pick(&[100, 250]),
            lock_ttl: pick(&[200, 2_000]),
            max_wait: if calm { FOR_EVER } else { pick(&[20, 300, FOR_EVER, FOR_EVER]) },
            pool_size: pick(&[2, 8]) as u32,
            ages: pick(&[0, 0, 0, 1]) == 1,
        }
    }

    /// The same, with every call seen to its end.
    pub fn without_drops(self) -> Plan {
        Plan { drops: false, ..self }
    }

    pub fn degrades(&self, process: usize) -> bool {
        self.degrades == Some(process)
    }

    /// How long a call may take that does not load: its timeout, and 100 ms.
    pub fn most(&self) -> u64 {
        self.timeout + 100
    }

    /// The cache of one process, which knows the server by a name of its own: a breaker belongs to a process.
    pub fn cache(&self, seed: u64, process: usize) -> aio::Cache {
        let at = format!("{process}.{seed}.test:1");
        let builder = aio::Cache::builder();
        let builder = match self.kind {
            Kind::Redis => builder.backend(Redis::builder(format!("redis://{at}")).build().unwrap()),
            kind => {
                let memcached = Memcached::builder([at]).clearable(kind == Kind::Clearable);
                builder.backend(memcached.pool_size(self.pool_size).build().unwrap())
            }
        };
        let millis = Duration::from_millis;
        let mut builder = builder
            .timeout(millis(self.timeout))
            .lock_ttl(millis(self.lock_ttl))
            .max_wait(millis(self.max_wait))
            .degrade(self.degrades(process));
        if self.ages {
            let ageing = |policy: lexigram_cache::PolicyBuilder| {
                policy.refresh_ahead(0.5).on_wait_timeout(OnWaitTimeout::Stale).backoff(millis(50))
            };
            builder = builder.stale_for(Duration::from_secs(1)).policy(ageing);
        }
        builder.build().unwrap()
    }
}

/// Longer than any call may take.
const FOR_EVER: u64 = 600_000;
