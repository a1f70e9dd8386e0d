//! Redis from tasks, beside the multiplexed connection of redis-rs.

use std::time::Instant;

use lexigram_cache::{Redis, aio};
use redis::aio::MultiplexedConnection;
use tokio::runtime::{Builder, Runtime};

use super::on_redis::url;
use super::support::{Row, Server, contender, interleaved, wanted};
use super::workload::{calls, rate};
use super::{KEYS, LIFETIME, OUR_KEYS, OURS, Plan, keys, text};

pub const PEER: &str = "redis-rs multiplexed";

pub fn measure(plan: &Plan, rows: &mut Vec<Row>) {
    if !wanted("redis_tasks") {
        return;
    }
    let server = Server::redis();
    let runtime =
        Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime starts");
    let redis = Redis::builder(url(&server)).build().expect("the address is valid");
    let ours = aio::Cache::builder().backend(redis).build().expect("the defaults are valid");
    let client = redis::Client::open(url(&server)).expect("the address is valid");
    let theirs = runtime.block_on(client.get_multiplexed_async_connection()).expect("the server is up");
    runtime
        .block_on(ours.set_many(keys(OUR_KEYS).iter().map(|key| (key, text())), LIFETIME))
        .expect("it stores");
    for tasks in [1, 8, 64] {
        let contenders = vec![
            contender(OURS, || thousands(&runtime, tasks, |calls| get(ours.clone(), calls))),
            contender(PEER, || thousands(&runtime, tasks, |calls| get_raw(theirs.clone(), calls))),
        ];
        rows.push(interleaved(format!("redis_tasks/{tasks}"), "k/s", plan.rounds, contenders));
    }
}

async fn get(cache: aio::Cache, calls: usize) {
    let keys = keys(OUR_KEYS);
    for number in 0..calls {
        let found = cache.get::<String>(&keys[number * 389 % KEYS]).await.expect("it answers");
        assert!(found.is_some());
    }
}

async fn get_raw(mut connection: MultiplexedConnection, calls: usize) {
    let keys = keys(OUR_KEYS);
    for number in 0..calls {
        let mut get = redis::cmd("GET");
        get.arg(&keys[number * 389 % KEYS]);
        let found: Option<String> = get.query_async(&mut connection).await.expect("it answers");
        assert!(found.is_some());
    }
}

/// Thousands of calls per second that so many tasks make together.
fn thousands<F>(runtime: &Runtime, tasks: usize, run: impl Fn(usize) -> F) -> f64
where
    F: Future<Output = ()> + Send + 'static,
{
    let calls = calls(tasks, 1);
    let start = Instant::now();
    let running: Vec<_> = (0..tasks).map(|_| runtime.spawn(run(calls))).collect();
    runtime.block_on(async {
        for task in running {
            task.await.expect("a task returns");
        }
    });
    rate(start.elapsed(), tasks * calls)
}
