//! Replies that nobody asked for must answer nobody's question.
#![cfg(all(feature = "redis", feature = "memcached", feature = "async"))]

mod support;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use lexigram_cache::{ErrorKind, Memcached, Redis, Ttl};
use support::{call, worlds};

/// A server that answers the first `GET` of a connection with this, and whatever else comes properly enough.
fn server(answer: &'static [u8]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    thread::spawn(move || {
        listener.incoming().flatten().for_each(|client| drop(thread::spawn(move || serve(client, answer))));
    });
    addr
}

fn serve(mut client: TcpStream, answer: &[u8]) {
    let mut request = [0; 4096];
    let mut answer = Some(answer);
    while let Ok(read @ 1..) = client.read(&mut request) {
        let is_get = request[..read].windows(3).any(|bytes| bytes == b"GET");
        let reply = if is_get { answer.take().unwrap_or(b"$-1\r\n") } else { b"+OK\r\n" };
        if client.write_all(reply).is_err() {
            return;
        }
    }
}

#[test]
fn a_reply_too_many_is_never_the_answer_to_the_next_question() {
    let addr = server(b"$1\r\n1\r\n$1\r\n2\r\n$1\r\n3\r\n");
    let redis = Redis::builder(format!("redis://{addr}")).build().unwrap();
    for world in worlds!(redis, timeout(Duration::from_secs(2))) {
        // The first may have its answer before the others come.
        if let Ok(value) = call!(&world, cache => cache.get::<u64>("a")) {
            assert_eq!(value, Some(1));
        }
        for _ in 0..3 {
            match call!(&world, cache => cache.get::<u64>("b")) {
                Ok(value) => assert!(matches!(value, None | Some(1)), "{value:?} in {world:?}"),
                Err(error) => assert_eq!(error.kind(), ErrorKind::Protocol, "{error:?}"),
            }
        }
    }
}

#[test]
fn a_reply_that_says_it_is_huge_is_refused_at_once() {
    for answer in [&b"$70000000\r\n"[..], b"$99999999999\r\n"] {
        let redis = Redis::builder(format!("redis://{}", server(answer))).build().unwrap();
        for world in worlds!(redis, timeout(Duration::from_secs(5))) {
            let error = call!(&world, cache => cache.get::<u64>("a")).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Protocol, "{error:?}");
            assert!(error.to_string().contains("MiB"), "{error}");
            assert_eq!(
                call!(&world, cache => cache.get::<u64>("a")).err().map(|e| e.kind()),
                Some(ErrorKind::Protocol)
            );
        }
    }
}

#[test]
fn a_reply_may_be_as_large_as_the_handle_says() {
    const LARGE: usize = 3_000_000;
    let (redis, memcached) = (support::redis().addr(), support::memcached().addr());
    let redis = |limit| Redis::builder(format!("redis://{redis}/0")).max_reply_size(limit).build().unwrap();
    let memcached = |limit| {
        let builder = Memcached::builder([memcached.to_string()]).max_value_size(1_000_000);
        builder.max_reply_size(limit).build().unwrap()
    };
    // Three values of a reply, each of which Memcached takes.
    let part = "x".repeat(LARGE / 3 - 2_000);
    let names = ["large:1", "large:2", "large:3"];
    for (tight, wide) in [
        (worlds!(redis(LARGE - 10_000)), worlds!(redis(LARGE + 10_000))),
        (worlds!(memcached(LARGE - 10_000)), worlds!(memcached(LARGE + 10_000))),
    ] {
        for (tight, wide) in tight.iter().zip(&wide) {
            call!(wide, cache => cache.set_many(names.map(|name| (name, part.clone())), Ttl::NEVER)).unwrap();
            let read = call!(wide, cache => cache.get_many::<String>(names)).unwrap();
            assert_eq!(read.len(), 3, "{wide:?}");
            let read = call!(tight, cache => cache.get_many::<String>(names)).map(|read| read.len());
            let error = read.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Protocol, "{error:?}");
            assert!(error.to_string().contains("max_reply_size"), "{error}");
        }
    }
}

#[test]
fn a_limit_that_no_reply_could_keep_is_refused() {
    let redis = Redis::builder("redis://127.0.0.1").max_reply_size(1_000).build().unwrap_err();
    let memcached = Memcached::builder(["a"]).max_reply_size(1_000).build().unwrap_err();
    let small = Memcached::builder(["a"]).max_reply_size(1_000_000).build().unwrap_err();
    for error in [redis, memcached, small] {
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains("max_reply_size"), "{error}");
    }
}
