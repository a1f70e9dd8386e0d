//! Replies that nobody asked for must answer nobody's question.
#![cfg(all(feature = "redis", feature = "memcached", feature = "async"))]

mod support;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use lexigram_cache::{ErrorKind, Redis};
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
