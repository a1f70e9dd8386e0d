//! A server that does not want us, or is none of the kind we take it for.
#![cfg(all(feature = "redis", feature = "memcached", feature = "async"))]

mod support;

use std::error::Error as _;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use lexigram_cache::{Error, ErrorKind, Memcached, Redis, Ttl};
use support::{MemcachedServer, RedisServer, World, ask_raw, call, worlds};

const TIMEOUT: Duration = Duration::from_millis(500);
const CANARY: &str = "S3CR3T-7f2a";

fn redis_at(credentials: &str, addr: SocketAddr) -> [World; 2] {
    let redis = Redis::builder(format!("redis://{credentials}{addr}/0")).build().unwrap();
    worlds!(redis, timeout(TIMEOUT))
}

fn memcached_at(addr: SocketAddr) -> [World; 2] {
    let memcached = Memcached::builder([addr.to_string()]).build().unwrap();
    worlds!(memcached, timeout(TIMEOUT))
}

/// What a read and a write come to, each in time, with all that is printed of them free of secrets.
fn errors(world: &World) -> [Error; 2] {
    let start = Instant::now();
    let read = call!(world, cache => cache.get::<String>("k")).unwrap_err();
    let write = call!(world, cache => cache.set("k", "v", Ttl::NEVER)).unwrap_err();
    assert!(start.elapsed() < 2 * (TIMEOUT + Duration::from_millis(100)), "{:?}", start.elapsed());
    let (_, health) = world.health();
    let said = format!("{read} {read:?} {write} {write:?} {health} {world:?}");
    assert!(!said.contains(CANARY), "{said}");
    [read, write]
}

#[test]
fn credentials_that_are_not_accepted_are_an_auth_error_without_the_credentials() {
    let server = RedisServer::start_with(&["--requirepass", "right"]);
    let wrong = [
        (String::new(), "NOAUTH"),
        (format!(":{CANARY}@"), "WRONGPASS"),
        (format!("{CANARY}:{CANARY}@"), "WRONGPASS"),
    ];
    for (credentials, code) in wrong {
        for world in redis_at(&credentials, server.addr()) {
            for error in errors(&world) {
                assert_eq!((error.kind(), error.code()), (ErrorKind::Auth, Some(code)), "{error}");
                assert!(!error.is_retryable());
            }
        }
    }
    for world in redis_at(":right@", server.addr()) {
        call!(&world, cache => cache.set("k", "v", Ttl::NEVER)).unwrap();
    }
}

#[test]
fn a_user_without_the_right_is_an_auth_error() {
    let server = RedisServer::start();
    let user = format!("ACL SETUSER {CANARY} on >{CANARY} ~* +get +client\r\n");
    assert_eq!(ask_raw(server.addr(), user.as_bytes()), "+OK\r\n");
    for world in redis_at(&format!("{CANARY}:{CANARY}@"), server.addr()) {
        assert_eq!(call!(&world, cache => cache.get::<String>("k")).unwrap(), None);
        let error = call!(&world, cache => cache.set("k", "v", Ttl::NEVER)).unwrap_err();
        assert_eq!((error.kind(), error.code()), (ErrorKind::Auth, Some("NOPERM")), "{error}");
        assert!(!format!("{error} {error:?}").contains(CANARY), "{error:?}");
    }
}

/// Clients that greet the server, until it takes no more.
fn fill(addr: SocketAddr, greeting: &[u8]) -> Vec<TcpStream> {
    let greeted = |mut client: TcpStream| {
        let mut answer = [0; 64];
        let read = client.write_all(greeting).and_then(|()| client.read(&mut answer)).unwrap_or(0);
        let is_in = answer[..read].starts_with(b"+PONG") || answer[..read].starts_with(b"VERSION");
        is_in.then_some(client)
    };
    let clients = (0..100).map_while(|_| greeted(TcpStream::connect(addr).unwrap()));
    clients.collect()
}

/// Holds both worlds to a server whose clients fill it, until they leave.
fn is_unavailable_while_full(worlds: &[World], others: Vec<TcpStream>) {
    assert!((2..100).contains(&others.len()), "{} clients", others.len());
    for world in worlds {
        for error in errors(world) {
            assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
        }
    }
    drop(others);
    for world in worlds {
        let works = || call!(world, cache => cache.get::<String>("k")).is_ok();
        support::eventually("it works once they left", Duration::from_secs(5), works);
    }
}

#[test]
fn a_server_with_too_many_clients_is_unavailable_until_some_leave() {
    let redis = RedisServer::start_with(&["--maxclients", "3"]);
    is_unavailable_while_full(&redis_at("", redis.addr()), fill(redis.addr(), b"PING\r\n"));
    let memcached = MemcachedServer::start_with(&["-c", "30"]);
    is_unavailable_while_full(&memcached_at(memcached.addr()), fill(memcached.addr(), b"version\r\n"));
}

#[test]
fn another_protocol_on_the_port_is_a_protocol_error_in_time() {
    let (redis, memcached, http) = (RedisServer::start(), MemcachedServer::start(), WebServer::start());
    let strangers = [
        redis_at("", memcached.addr()),
        memcached_at(redis.addr()),
        redis_at("", http.addr),
        memcached_at(http.addr),
        redis_at(&format!("{CANARY}:{CANARY}@"), memcached.addr()),
        redis_at(&format!("{CANARY}:{CANARY}@"), http.addr),
    ];
    for (case, worlds) in strangers.iter().enumerate() {
        for world in worlds {
            let [read, write] = errors(world);
            assert_eq!(read.kind(), ErrorKind::Protocol, "case {case} in {world:?}: {read:?}");
            // Without a handshake, the write itself was what the stranger answered.
            let cause = write.source().and_then(|source| source.downcast_ref()).unwrap_or(&write);
            assert_eq!(cause.kind(), ErrorKind::Protocol, "case {case} in {world:?}: {write:?}");
            assert!(!read.is_retryable() && !write.is_retryable());
        }
    }
}

/// Answers whatever comes as web servers answer what they do not understand, and keeps the connection open.
struct WebServer {
    addr: SocketAddr,
}

impl WebServer {
    fn start() -> WebServer {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        thread::spawn(move || {
            listener.incoming().flatten().for_each(|client| drop(thread::spawn(|| serve(client))));
        });
        WebServer { addr }
    }
}

fn serve(mut client: TcpStream) {
    while client.read(&mut [0; 4096]).is_ok_and(|read| read > 0) {
        let _ = client.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 3\r\n\r\nno\n");
    }
}
