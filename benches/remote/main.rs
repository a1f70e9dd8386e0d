//! Throughput of Redis and Memcached on this machine, beside clients that keep a connection for each thread: values of 100
//! bytes, by one key at a time and by a hundred. Ours is a cache with its defaults that all threads share.
//!
//! `cargo bench --features redis,memcached,async --bench remote -- --csv FILE --svg FILE`, with `--threads 1,8`,
//! `--rounds N`, `--only WORKLOAD`. Starts a `redis-server` and a `memcached` of its own. In the table a row is WORKLOAD/THREADS,
//! and each figure the thousands of keys per second of all threads together.

mod on_memcached;
mod on_redis;
#[path = "../support/mod.rs"]
mod support;
mod tasks;
mod workload;

use std::time::Duration;

use support::{Bound, Relation, goal_against, numbers, report};

fn main() {
    let plan = Plan::told();
    let mut rows = Vec::new();
    on_redis::measure(&plan, &mut rows);
    tasks::measure(&plan, &mut rows);
    on_memcached::measure(&plan, &mut rows);
    report("Remote calls on loopback, thousand keys per second", &rows, Relation::OursToIt);
    for (row, peer, least) in GOALS {
        goal_against(&rows, row, peer, Bound::AtLeast(*least));
    }
}

const OURS: &str = "lexigram-cache";
const GOALS: &[(&str, &str, f64)] = &[
    ("redis_get/1", on_redis::PEER, 0.97),
    ("redis_get/8", on_redis::PEER, 1.0),
    ("redis_get/32", on_redis::PEER, 1.6),
    ("redis_get/64", on_redis::PEER, 2.0),
    ("redis_set/1", on_redis::PEER, 0.97),
    ("redis_set/8", on_redis::PEER, 1.0),
    ("redis_get_many/1", on_redis::PEER, 0.9),
    ("redis_set_many/1", on_redis::PEER, 0.9),
    ("redis_tasks/64", tasks::PEER, 0.9),
    ("memcached_get/1", on_memcached::PEER, 0.97),
    ("memcached_get/8", on_memcached::PEER, 1.0),
    ("memcached_get_many/1", on_memcached::PEER, 1.0),
];

/// What every peer is asked for.
const KEYS: usize = 1_000;
/// Whose keys are whose.
const OUR_KEYS: &str = "our";
const THEIR_KEYS: &str = "raw";
const BATCH: usize = 100;
const LIFETIME: Duration = Duration::from_secs(600);

struct Plan {
    threads: Vec<usize>,
    rounds: usize,
}

impl Plan {
    fn told() -> Plan {
        Plan {
            threads: numbers("--threads").unwrap_or_else(|| vec![1, 8, 32, 64]),
            rounds: numbers("--rounds").map_or(15, |rounds| rounds[0]),
        }
    }
}

/// Of one's own: what clients store under a key is not the same.
fn keys(owner: &str) -> Vec<String> {
    (0..KEYS).map(|number| format!("{owner}:{number:012}")).collect()
}

/// A hundred characters.
fn text() -> String {
    "0123456789".repeat(10)
}
