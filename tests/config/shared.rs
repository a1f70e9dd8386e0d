//! What the caches of one configuration share, and how they end.

use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use lexigram_cache::{BoxError, Caches, ErrorKind, Ttl, aio};

use super::both::{config, tasks, threads};
use super::support::{Wire, block_on, memcached, redis};

const NAMES: [&str; 4] = ["a", "b", "c", "d"];

fn read_all(caches: &Caches) {
    for name in caches.names() {
        caches.get(name).unwrap().get::<u8>("shared").unwrap();
    }
}

fn read_all_as_task(caches: &aio::Caches) {
    block_on(async {
        for name in caches.names() {
            caches.get(name).unwrap().get::<u8>("shared").await.unwrap();
        }
    });
}

/// How many connections the caches of each world make to a server, one call after the other.
fn connections(to: std::net::SocketAddr, backends: impl Fn(u16) -> [String; 4]) -> [usize; 2] {
    let yaml = |wire: &Wire| {
        let backends = backends(wire.addr().port());
        let each = NAMES
            .iter()
            .zip(backends)
            .map(|(name, keys)| format!("  - {{name: {name}, default: {}, {keys}}}\n", *name == "a"));
        format!("backends:\n{}", each.collect::<String>())
    };
    let wires = [Wire::before(to), Wire::before(to)];
    let (threads, tasks) = (threads(&yaml(&wires[0])), tasks(&yaml(&wires[1])));
    read_all(&threads);
    read_all_as_task(&tasks);
    wires.each_ref().map(Wire::connections)
}

#[test]
fn caches_on_one_server_share_its_connections() {
    let same = |port: u16| {
        [
            format!("type: redis, redis_host: 127.0.0.1, redis_port: {port}"),
            format!("type: redis, redis_host: 127.0.0.1, redis_port: {port}, key_prefix: b, default_ttl: 5"),
            format!("type: redis, redis_url: \"redis://127.0.0.1:{port}\", serializer: postcard"),
            format!("type: redis, redis_url: \"redis://127.0.0.1:{port}/0\", timeout: 3, degrade: true"),
        ]
    };
    assert_eq!(connections(redis().addr(), same), [1, 1]);
    let servers = |port: u16| {
        NAMES.map(|name| {
            format!("type: memcached, memcached_servers: [\"127.0.0.1:{port}\"], key_prefix: {name}")
        })
    };
    assert_eq!(connections(memcached().addr(), servers), [1, 1]);
}

#[test]
fn caches_with_other_connection_settings_have_connections_of_their_own() {
    let other = |port: u16| {
        ["", ", redis_pool_size: 3", ", redis_db: 1", ", redis_db: 2"]
            .map(|keys| format!("type: redis, redis_host: 127.0.0.1, redis_port: {port}{keys}"))
    };
    assert_eq!(connections(redis().addr(), other), [4, 4]);
    let other = |port: u16| {
        [5, 6, 7, 7].map(|size| {
            format!("type: memcached, memcached_host: 127.0.0.1, memcached_port: {port}, memcached_pool_size: {size}")
        })
    };
    assert_eq!(connections(memcached().addr(), other), [3, 3]);
}

#[test]
fn caches_are_closed_in_the_order_of_the_configuration() {
    let yaml = "backends:
  - {name: z, type: memory, default: true, timeout: 20}
  - {name: a, type: memory}
service: {stale_for: 1h, refresh_ahead: 0.9999}
";
    let caches = threads(yaml);
    let (z, a) = (caches.get("z").unwrap(), caches.get("a").unwrap());
    let (begun, beginning) = channel();
    let (end, ends) = channel::<()>();
    let policy = z.policy().ttl(Duration::from_secs(1_000)).build().unwrap();
    z.set("k", &1, Duration::from_secs(1)).unwrap();
    z.fetch_in_background("k", &policy, move || {
        begun.send(()).unwrap();
        let _ = ends.recv_timeout(Duration::from_secs(20));
        Ok::<i32, BoxError>(2)
    })
    .unwrap();
    beginning.recv_timeout(Duration::from_secs(20)).unwrap();
    thread::scope(|scope| {
        let closing = scope.spawn(|| caches.close());
        super::support::eventually("the first is closed", Duration::from_secs(20), || {
            z.get::<i32>("k").is_err()
        });
        a.set("k", &1, Ttl::NEVER).unwrap();
        drop(end);
        closing.join().unwrap();
    });
    assert_eq!(a.get::<i32>("k").unwrap_err().kind(), ErrorKind::Closed);
    assert_eq!(caches.health()["a"].status, lexigram_cache::Status::Down);
}

#[test]
fn a_configuration_is_kept_as_it_was_given() {
    let config = config("backends: [{name: a, type: redis, redis_password: S3CR3T-7f2a}]");
    let caches = Caches::from_config(config.clone()).unwrap();
    assert!(caches.config() == config && !format!("{caches:?}").contains("S3CR3T"));
}

#[test]
fn caches_come_from_a_file_as_they_come_from_its_text() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/samples/memory.yaml");
    let threads = Caches::from_yaml_file(file).unwrap();
    let tasks = block_on(async { aio::Caches::from_yaml_file(file).unwrap() });
    assert!(threads.names().eq(tasks.names()) && threads.names().count() > 0);
    threads.default().set("k", &1, Ttl::NEVER).unwrap();
    let nowhere = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/samples/nowhere.yaml");
    for error in
        [Caches::from_yaml_file(nowhere).unwrap_err(), aio::Caches::from_yaml_file(nowhere).unwrap_err()]
    {
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains("nowhere.yaml"), "{error}");
    }
}

#[test]
fn the_caches_of_tasks_are_named_kept_and_closed_as_those_of_threads() {
    let yaml = "backends: [{name: z, type: memory, default: true}, {name: a, type: memory}, {name: spare, type: memory, enabled: false}]";
    let (kept, caches) = (config(yaml), tasks(yaml));
    assert!(caches.config() == kept && caches.names().eq(["a", "z"]));
    let known = caches.get("b").unwrap_err();
    assert!(known.to_string().contains("no cache is named `b`; there are: a, z"), "{known}");
    let spare = caches.get("spare").unwrap_err();
    assert!(spare.to_string().contains("`spare` is configured with `enabled: false`"), "{spare}");
    let all = [caches.get("a").unwrap(), caches.get("z").unwrap(), caches.default()];
    block_on(async {
        for cache in &all {
            cache.set("k", &1, Ttl::NEVER).await.unwrap();
        }
        caches.close().await;
        for cache in &all {
            assert_eq!(cache.get::<i32>("k").await.unwrap_err().kind(), ErrorKind::Closed);
        }
        assert_eq!(caches.health().await["z"].status, aio::Status::Down);
    });
}
