//! Servers that say no, and why: told at once, by its own word, without a storm of new connections.
#![cfg(all(feature = "redis", feature = "memcached", feature = "async"))]

mod support;

use std::time::{Duration, Instant};

use lexigram_cache::{Error, ErrorKind, Memcached, Redis, Ttl};
use support::{MemcachedServer, RedisServer, Wire, World, ask_raw, call, closed_port, eventually, worlds};

const TIMEOUT: Duration = Duration::from_millis(500);
const SOON: Duration = Duration::from_secs(10);
/// What is no wait, on a machine that is busy.
const AT_ONCE: Duration = Duration::from_millis(200);

/// Tells the server so, as a foreign client.
fn tell(server: &RedisServer, command: &str) -> String {
    ask_raw(server.addr(), format!("{command}\r\n").as_bytes())
}

fn set(world: &World) -> Result<(), Error> {
    call!(world, cache => cache.set("k", &7_u64, Ttl::NEVER))
}

fn get(world: &World) -> Result<Option<u64>, Error> {
    call!(world, cache => cache.get::<u64>("k"))
}

/// Twenty writes that are refused at once by this word, between reads that work, all on one connection.
fn refuses_writes(wire: &Wire, world: &World, code: &str) {
    assert_eq!(get(world).unwrap(), Some(7));
    let before = wire.connections();
    for _ in 0..20 {
        let start = Instant::now();
        let error = set(world).unwrap_err();
        assert!(start.elapsed() < AT_ONCE, "{:?}", start.elapsed());
        assert_eq!((error.kind(), error.code()), (ErrorKind::Refused, Some(code)), "{error:?}");
        assert!(!error.is_retryable() && !error.is_ambiguous());
        assert_eq!(get(world).unwrap(), Some(7), "reads still work");
    }
    assert_eq!(wire.connections(), before, "the connection is kept");
}

fn each_redis(server: &RedisServer, test: impl Fn(&Wire, &World)) {
    let wire = Wire::prompt(server.addr());
    let redis = Redis::builder(format!("redis://{}/0", wire.addr())).pool_size(2).build().unwrap();
    worlds!(redis, timeout(TIMEOUT)).iter().for_each(|world| test(&wire, world));
}

#[test]
fn a_redis_without_memory_refuses_writes_by_its_word() {
    let server = RedisServer::start_with(&["--maxmemory-policy", "noeviction"]);
    each_redis(&server, |wire, world| {
        set(world).unwrap();
        assert_eq!(tell(&server, "CONFIG SET maxmemory 1"), "+OK\r\n");
        refuses_writes(wire, world, "OOM");
        // A script is refused as well, and reads in a batch are not.
        let error = call!(world, cache => cache.incr("n", 1, Ttl::NEVER)).unwrap_err();
        assert_eq!((error.kind(), error.code()), (ErrorKind::Refused, Some("OOM")), "{error:?}");
        assert_eq!(call!(world, cache => cache.get_many::<u64>(["k"])).unwrap()["k"], 7);
        assert_eq!(tell(&server, "CONFIG SET maxmemory 0"), "+OK\r\n");
        set(world).unwrap();
    });
}

#[test]
fn a_redis_that_cannot_save_refuses_writes_by_its_word() {
    let server = RedisServer::start();
    each_redis(&server, |wire, world| {
        set(world).unwrap();
        // A folder lies where the file is to be, so a save fails, and writes are refused until one works.
        let folder = tell(&server, "CONFIG GET dir");
        std::fs::create_dir_all(format!("{}/dump.rdb/in-it", folder.lines().nth(4).unwrap())).unwrap();
        assert_eq!(tell(&server, "CONFIG SET save \"3600 1\""), "+OK\r\n");
        tell(&server, "BGSAVE");
        eventually("the save fails", SOON, || {
            tell(&server, "INFO persistence").contains("rdb_last_bgsave_status:err")
        });
        refuses_writes(wire, world, "MISCONF");
        assert_eq!(tell(&server, "CONFIG SET save \"\""), "+OK\r\n");
        set(world).unwrap();
    });
}

#[test]
fn a_redis_without_its_replicas_refuses_writes_by_its_word() {
    let server = RedisServer::start();
    each_redis(&server, |wire, world| {
        set(world).unwrap();
        assert_eq!(tell(&server, "CONFIG SET min-replicas-to-write 1"), "+OK\r\n");
        refuses_writes(wire, world, "NOREPLICAS");
        assert_eq!(tell(&server, "CONFIG SET min-replicas-to-write 0"), "+OK\r\n");
        set(world).unwrap();
    });
}

#[test]
fn a_memcached_without_memory_refuses_writes_by_its_word() {
    let server = MemcachedServer::start_with(&["-M", "-m", "2"]);
    let wire = Wire::prompt(server.addr());
    let memcached = Memcached::builder([wire.addr().to_string()]).pool_size(2).build().unwrap();
    for world in worlds!(memcached, timeout(TIMEOUT)) {
        set(&world).unwrap();
        let large = "x".repeat(100_000);
        let fill = |n| call!(&world, cache => cache.set(format!("large {n}"), large.as_str(), Ttl::NEVER));
        let refused = (0..100).find_map(|n| fill(n).err()).expect("two megabytes are soon full");
        assert_eq!(
            (refused.kind(), refused.code()),
            (ErrorKind::Refused, Some("SERVER_ERROR")),
            "{refused:?}"
        );
        assert!(!refused.is_retryable() && !refused.is_ambiguous() && refused.to_string().contains("memory"));
        let before = wire.connections();
        for n in 0..20 {
            let start = Instant::now();
            assert_eq!(fill(1_000 + n).unwrap_err().kind(), ErrorKind::Refused);
            assert!(start.elapsed() < AT_ONCE, "{:?}", start.elapsed());
            assert_eq!(get(&world).unwrap(), Some(7), "reads still work");
        }
        assert_eq!(wire.connections(), before, "the connection is kept");
        (0..100).for_each(|n| drop(call!(&world, cache => cache.delete(format!("large {n}")))));
    }
}

/// Two servers that share the slots of one cluster.
fn cluster() -> [RedisServer; 2] {
    let server = || {
        let bus = closed_port().to_string();
        RedisServer::start_with(&["--cluster-enabled", "yes", "--cluster-port", &bus])
    };
    let [here, there] = [server(), server()];
    let (bus, port) = (tell(&there, "CONFIG GET cluster-port"), there.port());
    let bus = bus.lines().nth(4).unwrap();
    assert_eq!(tell(&here, &format!("CLUSTER MEET 127.0.0.1 {port} {bus}")), "+OK\r\n");
    assert_eq!(tell(&here, "CLUSTER ADDSLOTSRANGE 0 8191"), "+OK\r\n");
    assert_eq!(tell(&there, "CLUSTER ADDSLOTSRANGE 8192 16383"), "+OK\r\n");
    for server in [&here, &there] {
        let joined = || tell(server, "CLUSTER INFO").contains("cluster_state:ok");
        eventually("the cluster is whole", 2 * SOON, joined);
    }
    [here, there]
}

#[test]
fn a_cluster_under_a_standalone_configuration_is_a_misconfiguration() {
    let [here, there] = cluster();
    // `k` is of slot 7629, `n` of slot 13 and more beyond 8191: each of the two has some of them.
    let keys: Vec<String> = (0..50).map(|n| format!("key {n}")).collect();
    for server in [&here, &there] {
        each_redis(server, |wire, world| {
            let mut moved = 0;
            for key in &keys {
                let before = wire.round_trips();
                let start = Instant::now();
                let answers = [
                    call!(world, cache => cache.get::<u64>(key)).err(),
                    call!(world, cache => cache.set(key, &7_u64, Ttl::NEVER)).err(),
                    call!(world, cache => cache.incr(key, 1, Ttl::NEVER)).err(),
                ];
                assert!(start.elapsed() < 3 * AT_ONCE, "{:?}", start.elapsed());
                // The connection's handshake, and a script by its digest and in full.
                assert!(wire.round_trips() - before <= 5, "{} round trips", wire.round_trips() - before);
                for error in answers.into_iter().flatten() {
                    assert_eq!(
                        (error.kind(), error.code()),
                        (ErrorKind::Misconfigured, Some("MOVED")),
                        "{error:?}"
                    );
                    assert!(!error.is_retryable() && error.to_string().contains("cluster"), "{error}");
                    moved += 1;
                }
            }
            assert!((30..=120).contains(&moved), "{moved} of 150 calls were for the other server");
            let error = call!(world, cache => cache.get_many::<u64>(&keys)).unwrap_err();
            assert_eq!(
                (error.kind(), error.code()),
                (ErrorKind::Misconfigured, Some("CROSSSLOT")),
                "{error:?}"
            );
            assert!(wire.connections() <= 2, "{} connections", wire.connections());
        });
    }
}

/// Calls without rights: how many, what they say, and how many connections they cost.
fn refuses_us(wire: &Wire, credentials: &str, code: &str, works: bool) {
    let redis =
        Redis::builder(format!("redis://{credentials}{}/0", wire.addr())).pool_size(2).build().unwrap();
    for world in worlds!(redis, timeout(TIMEOUT)) {
        let before = wire.connections();
        for _ in 0..10 {
            let start = Instant::now();
            let error = set(&world).unwrap_err();
            assert!(start.elapsed() < TIMEOUT, "{:?}", start.elapsed());
            assert_eq!((error.kind(), error.code()), (ErrorKind::Auth, Some(code)), "{error:?}");
            assert!(!error.is_retryable() && !error.is_ambiguous());
            assert_eq!(get(&world).is_ok(), works);
        }
        // A handshake that failed costs a connection each; a storm would try again within a call.
        let made = wire.connections() - before;
        println!("{code} as {credentials:?} in {world:?}: {made} connections for 20 calls");
        assert!(made <= if works { 1 } else { 20 }, "{made} connections for 20 calls");
    }
}

#[test]
fn who_is_not_let_in_is_told_so_and_makes_no_storm() {
    let server = RedisServer::start();
    for user in ["reader on >secret ~* +get +client", "off off >secret ~* +@all"] {
        assert_eq!(tell(&server, &format!("ACL SETUSER {user}")), "+OK\r\n");
    }
    let wire = Wire::prompt(server.addr());
    refuses_us(&wire, "reader:secret@", "NOPERM", true);
    refuses_us(&wire, "reader:wrong@", "WRONGPASS", false);
    refuses_us(&wire, "nobody:secret@", "WRONGPASS", false);
    refuses_us(&wire, "off:secret@", "WRONGPASS", false);
    assert_eq!(tell(&server, "ACL SETUSER default >secret"), "+OK\r\n");
    refuses_us(&wire, "", "NOAUTH", false);
}

#[test]
fn a_password_that_is_changed_meanwhile_is_told_and_the_right_one_works_again() {
    let server = RedisServer::start();
    each_redis(&server, |_, world| {
        set(world).unwrap();
        assert_eq!(tell(&server, "CONFIG SET requirepass other"), "+OK\r\n");
        tell(&server, "CLIENT KILL TYPE normal SKIPME yes");
        let kill = b"*2\r\n$4\r\nAUTH\r\n$5\r\nother\r\nCLIENT KILL TYPE normal\r\n";
        ask_raw(server.addr(), kill);
        eventually("it is told", SOON, || get(world).is_err_and(|error| error.kind() == ErrorKind::Auth));
        ask_raw(server.addr(), b"AUTH other\r\nCONFIG SET requirepass \"\"\r\n");
        eventually("it works again", SOON, || get(world).is_ok_and(|value| value == Some(7)));
    });
}
