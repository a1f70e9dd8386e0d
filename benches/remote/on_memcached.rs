//! Memcached, beside a client of the memcache crate's `exp` for each thread.

use lexigram_cache::{Cache, Memcached};
use memcache::exp::{Memcache, Ttl};

use super::support::{Row, Server};
use super::workload::Workload;
use super::{BATCH, LIFETIME, OUR_KEYS, Plan, THEIR_KEYS, keys, text};

pub const PEER: &str = "exp::Memcache";

pub fn measure(plan: &Plan, rows: &mut Vec<Row>) {
    let server = Server::memcached();
    let with_values = |owner| keys(owner).into_iter().map(|key| (key, text()));
    cache(&server).set_many(with_values(OUR_KEYS), LIFETIME).expect("it stores");
    let connect = |_| Memcache::connect([server.address()]).expect("the address is valid");
    connect(0).set_many(with_values(THEIR_KEYS), TTL).expect("it stores");
    for workload in &WORKLOADS {
        let pair = |threads| (cache(&server), (0..threads).map(connect).collect());
        workload.measure(plan, rows, PEER, pair);
    }
}

static WORKLOADS: [Workload<Memcache>; 4] = [
    Workload {
        name: "memcached_get",
        width: 1,
        ours: |cache, keys| assert!(cache.get::<String>(&keys[0]).expect("it answers").is_some()),
        theirs: |client, keys| assert!(client.get::<String>(&keys[0]).expect("it answers").is_some()),
    },
    Workload {
        name: "memcached_set",
        width: 1,
        ours: |cache, keys| cache.set(&keys[0], &text(), LIFETIME).expect("it stores"),
        theirs: |client, keys| client.set(&keys[0], text(), TTL).expect("it stores"),
    },
    Workload {
        name: "memcached_get_many",
        width: BATCH,
        ours: |cache, keys| {
            assert_eq!(cache.get_many::<String>(keys).expect("it answers").len(), BATCH);
        },
        theirs: |client, keys| {
            assert_eq!(client.get_many::<String, _>(keys).expect("it answers").len(), BATCH);
        },
    },
    Workload {
        name: "memcached_set_many",
        width: BATCH,
        ours: |cache, keys| {
            cache.set_many(keys.iter().map(|key| (key, text())), LIFETIME).expect("it stores");
        },
        theirs: |client, keys| {
            client.set_many(keys.iter().map(|key| (key, text())), TTL).expect("it stores");
        },
    },
];

const TTL: Ttl = Ttl::secs(LIFETIME.as_secs() as u32);

fn cache(server: &Server) -> Cache {
    let memcached = Memcached::builder([server.address()]).build().expect("the address is valid");
    Cache::builder().backend(memcached).build().expect("the defaults are valid")
}
