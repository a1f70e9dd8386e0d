//! What a call costs while its server is away: refused by the breaker, or absorbed by a cache that degrades.
//!
//! `cargo bench --features redis,async --bench outage -- --csv FILE`. Nothing listens; one call in a second tries, and is
//! part of the figures.

mod support;

use std::hint::black_box;
use std::net::TcpListener;
use std::time::Instant;

use lexigram_cache::{Cache, Redis, Ttl, aio};
use support::{Bound, Relation, contender, goal, interleaved, report};

const THREADS: &str = "threads";
const TASKS: &str = "tasks";
const DEGRADED: &str = "threads, degraded";
const CALLS: u32 = 200_000;
const ROUNDS: usize = 11;

fn main() {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime starts");
    let redis = away();
    let threads = Cache::builder().backend(redis.clone()).build().expect("the defaults are valid");
    let tasks = aio::Cache::builder().backend(redis.clone()).build().expect("the defaults are valid");
    let degraded = Cache::builder().backend(redis).degrade(true).build().expect("the defaults are valid");
    (0..5).for_each(|_| drop(threads.get::<u64>("k").expect_err("nobody listens")));
    let get = interleaved(
        "get",
        "ns",
        ROUNDS,
        vec![
            contender(THREADS, || nanos(|| threads.get::<u64>("k").is_err())),
            contender(DEGRADED, || nanos(|| degraded.get::<u64>("k").is_ok())),
            contender(TASKS, || {
                runtime.block_on(async {
                    let start = Instant::now();
                    for _ in 0..CALLS {
                        assert!(black_box(tasks.get::<u64>("k").await).is_err());
                    }
                    each(start)
                })
            }),
        ],
    );
    let set = interleaved(
        "set",
        "ns",
        ROUNDS,
        vec![
            contender(THREADS, || nanos(|| threads.set("k", &1_u64, Ttl::NEVER).is_err())),
            contender(DEGRADED, || nanos(|| degraded.set("k", &1_u64, Ttl::NEVER).is_ok())),
        ],
    );
    let rows = [get, set];
    report("A call while its server is left alone", &rows, Relation::Alone);
    for (peer, _) in &rows[0].figures {
        goal(
            &format!("refused get {peer}"),
            rows[0].figure(peer).expect("it was measured"),
            Bound::AtMost(1_000.0),
        );
    }
}

/// A server at a port that nobody listens at.
fn away() -> Redis {
    let port =
        TcpListener::bind("127.0.0.1:0").and_then(|bound| bound.local_addr()).expect("loopback works").port();
    Redis::builder(format!("redis://127.0.0.1:{port}")).build().expect("the URL is valid")
}

fn nanos(call: impl Fn() -> bool) -> f64 {
    let start = Instant::now();
    for _ in 0..CALLS {
        assert!(black_box(call()));
    }
    each(start)
}

fn each(start: Instant) -> f64 {
    start.elapsed().as_secs_f64() * 1e9 / f64::from(CALLS)
}
