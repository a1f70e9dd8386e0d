//! Redis through a Unix socket.
#![cfg(all(unix, feature = "redis", feature = "memcached", feature = "async"))]

mod support;

use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use std::{env, fs, process};

use lexigram_cache::{Caches, ErrorKind, Redis, Ttl};
use support::{RedisServer, call, eventually, worlds};

const TIMEOUT: Duration = Duration::from_millis(300);

/// A server that listens on a socket in the folder of temporary files, which goes with it.
struct Socket {
    path: PathBuf,
    server: RedisServer,
}

impl Socket {
    fn start(name: &str, extra: &[&str]) -> Socket {
        let path = env::temp_dir().join(format!("lexigram-{name}-{}.sock", process::id()));
        let _ = fs::remove_file(&path);
        let text = path.display().to_string();
        let server = RedisServer::start_with(&[&["--unixsocket", &text], extra].concat());
        eventually("the socket is there", Duration::from_secs(5), || path.exists());
        Socket { path, server }
    }

    fn url(&self) -> String {
        format!("unix://{}", self.path.display())
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

#[test]
fn a_unix_socket_serves_threads_and_tasks() {
    let socket = Socket::start("serves", &["--requirepass", "S3CR3T-7f2a"]);
    let redis = Redis::builder(socket.url() + "?db=2&pass=S3CR3T-7f2a").build().unwrap();
    assert!(!format!("{redis:?}").contains("S3CR3T"));
    for world in worlds!(redis, timeout(Duration::from_secs(2))) {
        let large = "x".repeat(300_000);
        call!(&world, cache => cache.set("k", &large, Ttl::NEVER)).unwrap();
        assert_eq!(call!(&world, cache => cache.get::<String>("k")).unwrap(), Some(large));
        assert!(world.health().0);
        let count = call!(&world, cache => cache.incr("n", 1, Ttl::NEVER)).unwrap();
        assert!(count > 0);
    }
}

#[test]
fn a_configuration_may_name_a_socket_in_place_of_a_host() {
    let socket = Socket::start("config", &[]);
    let yaml =
        format!("backends: [{{name: c, type: redis, redis_host: {}, redis_db: 1}}]", socket.path.display());
    let cache = Caches::from_yaml_str(&yaml).unwrap().default();
    cache.set("k", "v", Ttl::NEVER).unwrap();
    assert_eq!(cache.get::<String>("k").unwrap().as_deref(), Some("v"));
}

#[test]
fn a_socket_that_is_not_there_is_unavailable_and_named() {
    let redis = Redis::builder("unix:///nowhere/redis.sock").build().unwrap();
    for world in worlds!(redis, timeout(TIMEOUT)) {
        let error = call!(&world, cache => cache.get::<String>("k")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert!(error.to_string().contains("/nowhere/redis.sock"), "{error}");
    }
}

#[test]
fn a_socket_whose_server_hangs_takes_no_longer_than_the_call_has() {
    let socket = Socket::start("hangs", &["--tcp-backlog", "1"]);
    let redis = Redis::builder(socket.url()).breaker(None).build().unwrap();
    for world in worlds!(redis, timeout(TIMEOUT)) {
        socket.server.stop();
        // What the kernel still takes in; the next one would wait for ever.
        let mut full = Vec::new();
        for _ in 0..2 {
            full.push(UnixStream::connect(&socket.path).unwrap());
        }
        for _ in 0..2 {
            let start = Instant::now();
            let error = call!(&world, cache => cache.get::<String>("k")).unwrap_err();
            assert!(start.elapsed() < TIMEOUT + Duration::from_millis(100), "{:?}", start.elapsed());
            assert_eq!(error.kind(), ErrorKind::Timeout, "{error:?}");
            let error = call!(&world, cache => cache.set("k", "v", Ttl::NEVER)).unwrap_err();
            assert!(error.is_retryable(), "nothing was sent: {error:?}");
        }
        drop(full);
        socket.server.cont();
        let works = || call!(&world, cache => cache.get::<String>("k")).is_ok();
        eventually("it goes on", Duration::from_secs(5), works);
    }
}
