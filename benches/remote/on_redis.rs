//! Redis, beside a connection of redis-rs for each thread.

use lexigram_cache::{Cache, Redis};

use super::support::{Row, Server};
use super::workload::Workload;
use super::{BATCH, LIFETIME, OUR_KEYS, Plan, THEIR_KEYS, keys, text};

pub const PEER: &str = "redis-rs";

pub fn measure(plan: &Plan, rows: &mut Vec<Row>) {
    let server = Server::redis();
    cache(&server).set_many(keys(OUR_KEYS).iter().map(|key| (key, text())), LIFETIME).expect("it stores");
    let client = redis::Client::open(url(&server)).expect("the address is valid");
    let connect = |_| client.get_connection().expect("the server is up");
    let mut storing = connect(0);
    keys(THEIR_KEYS).iter().for_each(|key| set(key).exec(&mut storing).expect("it stores"));
    for workload in &WORKLOADS {
        let pair = |threads| (cache(&server), (0..threads).map(connect).collect());
        workload.measure(plan, rows, PEER, pair);
    }
}

static WORKLOADS: [Workload<redis::Connection>; 4] = [
    Workload {
        name: "redis_get",
        width: 1,
        ours: |cache, keys| assert!(cache.get::<String>(&keys[0]).expect("it answers").is_some()),
        theirs: |connection, keys| {
            let found: Option<String> =
                redis::cmd("GET").arg(&keys[0]).query(connection).expect("it answers");
            assert!(found.is_some());
        },
    },
    Workload {
        name: "redis_set",
        width: 1,
        ours: |cache, keys| cache.set(&keys[0], &text(), LIFETIME).expect("it stores"),
        theirs: |connection, keys| set(&keys[0]).exec(connection).expect("it stores"),
    },
    Workload {
        name: "redis_get_many",
        width: BATCH,
        ours: |cache, keys| {
            assert_eq!(cache.get_many::<String>(keys).expect("it answers").len(), BATCH);
        },
        theirs: |connection, keys| {
            let found: Vec<Option<String>> =
                redis::cmd("MGET").arg(keys).query(connection).expect("it answers");
            assert_eq!(found.len(), BATCH);
        },
    },
    Workload {
        name: "redis_set_many",
        width: BATCH,
        ours: |cache, keys| {
            cache.set_many(keys.iter().map(|key| (key, text())), LIFETIME).expect("it stores");
        },
        theirs: |connection, keys| {
            let mut pipeline = redis::pipe();
            for key in keys {
                pipeline.add_command(set(key)).ignore();
            }
            pipeline.exec(connection).expect("it stores");
        },
    },
];

fn set(key: &str) -> redis::Cmd {
    let mut command = redis::cmd("SET");
    command.arg(key).arg(text()).arg("PX").arg(LIFETIME.as_millis() as u64);
    command
}

fn cache(server: &Server) -> Cache {
    let redis = Redis::builder(url(server)).build().expect("the address is valid");
    Cache::builder().backend(redis).build().expect("the defaults are valid")
}

pub fn url(server: &Server) -> String {
    format!("redis://{}", server.address())
}
