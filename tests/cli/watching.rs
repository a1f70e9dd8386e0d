//! What tells of servers: ping, doctor, stats, bench.

#[cfg(feature = "async")]
use lexigram_cache::{Cache, Memcached, Memory, Redis};

use crate::support::{MemcachedServer, RedisServer, ask_raw, closed_port};
#[cfg(feature = "async")]
use crate::support::{call, worlds};
use crate::tool::Tool;

#[test]
fn a_doctor_tells_version_memory_and_latency_and_what_to_do() {
    let redis = RedisServer::start_with(&["--maxmemory", "100mb", "--maxmemory-policy", "noeviction"]);
    let memcached = MemcachedServer::start();
    let tool = Tool::with(&format!(
        "backends:\n  - {{name: r, type: redis, redis_url: \"{}\", default: true}}\n  - {{name: m, type: memcached, memcached_servers: [\"{}\"]}}\n",
        redis.url(),
        memcached.url()
    ));
    let ran = tool.run(&["doctor", "--json"]);
    let findings = ran.objects();
    let find = |backend: &str, what: &str| {
        let found = findings.iter().find(|one| one["backend"] == backend && one["what"] == what);
        found.unwrap_or_else(|| panic!("{backend} {what}: {ran:?}"))
    };
    for backend in ["r", "m"] {
        assert_eq!(find(backend, "connection")["state"], "good");
        assert_eq!(find(backend, "version")["state"], "good");
        assert!(find(backend, "latency")["detail"].as_str().unwrap().contains("p99"));
    }
    let memory = find("r", "memory");
    assert_eq!(memory["state"], "look");
    assert!(memory["advice"].as_str().unwrap().contains("allkeys-lfu"), "{memory}");
    assert_eq!(find("m", "memory")["state"], "good");
    ran.ended(1);
}

#[test]
fn a_doctor_judges_what_a_full_server_does_and_who_can_read_along() {
    let server = |policy| RedisServer::start_with(&["--maxmemory", "100mb", "--maxmemory-policy", policy]);
    let (volatile, all) = (server("volatile-lru"), server("allkeys-lfu"));
    let user = b"ACL SETUSER guest on >secret ~* +@all -info\r\n";
    assert_eq!(ask_raw(all.addr(), user), "+OK\r\n");
    let table = [
        (
            format!("redis_url: \"{}\"", volatile.url()),
            1,
            "look memory",
            "values without a lifetime never leave",
        ),
        (format!("redis_url: \"{}\"", all.url()), 0, "good memory", "maxmemory-policy allkeys-lfu"),
        (
            format!("redis_url: \"redis://guest:secret@{}\"", all.addr()),
            1,
            "look server",
            "let the user ask INFO",
        ),
        // An address that is nobody's.
        ("redis_url: \"redis://192.0.2.1\", timeout: 50ms".to_owned(), 4, "look transport", "use rediss://"),
        ("redis_url: \"rediss://192.0.2.1\", timeout: 50ms".to_owned(), 4, "good transport", "by TLS"),
    ];
    for (backend, code, finding, text) in table {
        let out = Tool::on(&format!("type: redis, {backend}")).run(&["doctor"]).ended(code);
        let line = out.lines().find(|line| line.starts_with(&format!("it: {finding}: ")));
        assert!(line.is_some_and(|line| line.contains(text)), "{backend}: {out}");
        assert!(!out.contains("secret"), "{out}");
    }
}

/// Which has no server to be looked at.
#[test]
fn memory_is_healthy_and_counts_by_itself() {
    let tool = Tool::on("type: memory");
    assert!(tool.run(&["doctor"]).ended(0).contains("memory of this process, no server"));
    let counted = tool.run(&["stats", "--json"]).objects().remove(0);
    assert_eq!((&counted["server"], &counted["keys"]), (&"this process".into(), &0.into()));
}

#[test]
fn a_server_that_is_away_is_told_with_what_to_do() {
    let alive = RedisServer::start();
    let tool = Tool::with(&format!(
        "backends:\n  - {{name: a, type: redis, redis_url: \"{}\", default: true}}\n  - {{name: z, type: redis, redis_port: {}}}\n",
        alive.url(),
        closed_port()
    ));
    let ran = tool.run(&["ping", "--json"]);
    let up: Vec<_> = ran.objects().iter().map(|one| one["up"].as_bool().unwrap()).collect();
    assert_eq!(up, [true, false]);
    ran.ended(4);
    tool.run(&["ping", "--backend", "a"]).ended(0);
    let ran = tool.run(&["doctor", "--backend", "z"]);
    assert!(ran.out.contains("start the server"), "{ran:?}");
    ran.ended(4);
}

#[test]
fn statistics_are_those_of_the_servers_and_of_what_came_since() {
    let (redis, memcached) = (RedisServer::start(), MemcachedServer::start());
    for backend in [
        format!("type: redis, redis_url: \"{}\"", redis.url()),
        format!("type: memcached, memcached_servers: [\"{}\"]", memcached.url()),
    ] {
        let tool = Tool::on(&backend);
        tool.run(&["set", "k", "1"]).ended(0);
        tool.run(&["get", "k"]).ended(0);
        tool.run(&["get", "none"]).ended(1);
        let ran = tool.run(&["stats", "--watch", "10ms", "--rounds", "2", "--json"]);
        let rounds = ran.objects();
        assert_eq!(
            (&rounds[0]["hits"], &rounds[0]["misses"], &rounds[0]["keys"]),
            (&1.into(), &1.into(), &1.into())
        );
        assert_eq!((&rounds[1]["hits"], &rounds[1]["misses"]), (&0.into(), &0.into()));
        assert!(tool.run(&["stats"]).ended(0).contains("50.0 %"));
    }
}

#[test]
fn a_measurement_is_a_table_and_a_picture_and_leaves_nothing() {
    let redis = RedisServer::start();
    let tool = Tool::on(&format!("type: redis, redis_url: \"{}\"", redis.url()));
    let ran = tool.run(&["bench", "--requests", "400", "--threads", "2", "--svg", "b.svg", "--json"]);
    for measured in ran.objects() {
        assert_eq!(measured["count"], 400);
        assert!(measured["p50_us"].as_f64().unwrap() > 0.0, "{measured}");
        assert!(measured["p50_us"].as_f64() <= measured["max_us"].as_f64(), "{measured}");
    }
    let svg = std::fs::read_to_string(tool.path("b.svg")).unwrap();
    assert!(
        svg.starts_with("<svg") && svg.ends_with("</svg>\n") && svg.matches("<rect").count() == 11,
        "{svg}"
    );
    tool.run(&["keys"]).ended(1);
    assert!(tool.run(&["bench", "--requests", "20"]).ended(0).contains("P99.9"));
}

#[cfg(feature = "async")]
#[test]
fn servers_tell_of_themselves_to_threads_and_tasks() {
    let (redis, memcached) = (RedisServer::start(), MemcachedServer::start());
    let resp3 = Redis::builder(redis.url()).resp3(true).build().unwrap();
    let each = [
        (worlds!(Redis::builder(redis.url()).build().unwrap()), redis.addr(), "redis_version"),
        (worlds!(resp3), redis.addr(), "redis_version"),
        (worlds!(Memcached::builder([memcached.url()]).build().unwrap()), memcached.addr(), "version"),
    ];
    for (worlds, addr, version) in each {
        for world in worlds {
            let servers = call!(&world, cache => cache.servers()).unwrap();
            assert_eq!(servers.len(), 1);
            assert_eq!(servers[0].address, addr.to_string());
            assert!(servers[0].facts[version].contains('.'), "{servers:?}");
        }
    }
    let memory = Cache::builder().backend(Memory::default()).build().unwrap();
    assert!(memory.servers().unwrap().is_empty());
}
