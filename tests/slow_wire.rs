//! Bytes that come one by one, requests larger than any buffer, and timeouts longer than the system's are exact.
#![cfg(all(feature = "redis", feature = "memcached", feature = "async"))]

mod support;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::time::{Duration, Instant};

use lexigram_cache::{BoxError, Cache, ErrorKind, Memcached, Redis, Result, Ttl, aio};
use support::{Remote, Wire, World, call, in_time};

/// A listener that answers whatever comes with one byte of this reply now and then.
fn trickling(reply: &'static [u8], pause: Duration) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().take(4) {
            let mut stream = stream.unwrap();
            std::thread::spawn(move || {
                let _ = stream.read(&mut [0; 1024]);
                for byte in reply {
                    std::thread::sleep(pause);
                    if stream.write_all(&[*byte]).is_err() {
                        return;
                    }
                }
            });
        }
    });
    address
}

fn ends_in_time(limit: Duration, call: impl FnOnce() -> ErrorKind) {
    let start = Instant::now();
    assert_eq!(call(), ErrorKind::Timeout);
    let took = start.elapsed();
    assert!(took >= limit && took <= limit + Duration::from_millis(100), "{took:?} for {limit:?}");
}

#[test]
fn a_reply_that_trickles_does_not_stretch_the_deadline() {
    let limit = Duration::from_millis(600);
    let address = trickling(b"+OK                                      \r\n", Duration::from_millis(150));
    let redis = Redis::builder(format!("redis://{address}")).build().unwrap();
    let cache = Cache::builder().backend(redis).timeout(limit).build().unwrap();
    ends_in_time(limit, || cache.get::<String>("k").unwrap_err().kind());
    let address = trickling(b"VA 40 f0 c1 O0.0                         ", Duration::from_millis(150));
    let memcached = Memcached::builder([address.to_string()]).build().unwrap();
    let cache = Cache::builder().backend(memcached).timeout(limit).build().unwrap();
    ends_in_time(limit, || cache.get::<String>("k").unwrap_err().kind());
}

#[cfg(feature = "tls")]
#[test]
fn a_handshake_that_trickles_does_not_stretch_the_deadline() {
    let limit = Duration::from_millis(600);
    // The head of a TLS record of 512 bytes, whose body comes a byte at a time.
    let address = trickling(b"\x16\x03\x03\x02\x00\x02\x00\x01\xfc\x03\x03", Duration::from_millis(150));
    let redis = Redis::builder(format!("rediss://{address}")).build().unwrap();
    let cache = Cache::builder().backend(redis).timeout(limit).build().unwrap();
    ends_in_time(limit, || cache.get::<String>("k").unwrap_err().kind());
}

#[test]
fn a_long_timeout_is_as_exact_as_a_short_one() {
    let limit = Duration::from_secs(5);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let redis = Redis::builder(format!("redis://{}", listener.local_addr().unwrap())).build().unwrap();
    let cache = Cache::builder().backend(redis).timeout(limit).build().unwrap();
    ends_in_time(limit, || cache.get::<String>("k").unwrap_err().kind());
}

#[test]
fn a_batch_larger_than_all_buffers_does_not_choke_memcached() {
    let server = support::MemcachedServer::start_with(&["-m", "256"]);
    let memcached = Memcached::builder([server.url()]).build().unwrap();
    let patience = Duration::from_secs(30);
    let cache = Cache::builder().backend(memcached.clone()).timeout(patience).build().unwrap();
    let keys: Vec<String> = (0..40_000).map(|n| format!("{n:0225}")).collect();
    let value = "x".repeat(500);
    for keys in keys.chunks(1_000) {
        cache.set_many(keys.iter().map(|key| (key, value.clone())), Ttl::NEVER).unwrap();
    }
    assert_eq!(cache.get_many::<String>(&keys).unwrap().len(), keys.len());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let cache = aio::Cache::builder().backend(memcached).timeout(patience).build().unwrap();
    assert_eq!(runtime.block_on(cache.get_many::<String>(&keys)).unwrap().len(), keys.len());
}

type Batch = (&'static str, fn(&World) -> Result<()>);

const BATCHES: &[Batch] = &[
    ("get_many", |w| call!(w, c => c.get_many::<u64>(names())).map(drop)),
    ("set_many", |w| call!(w, c => c.set_many(names().zip(0_u64..), Ttl::NEVER))),
    ("delete_many", |w| call!(w, c => c.delete_many(names())).map(drop)),
    ("get_or_compute_many", |w| {
        let load =
            |missing: &[String]| Ok::<_, BoxError>(missing.iter().map(|k| (k.clone(), 1_u64)).collect());
        w.load_many(names(), load).map(drop)
    }),
];

fn names() -> impl Iterator<Item = String> {
    (0..1_000).map(|n| format!("key {n}"))
}

#[test]
fn a_batch_whose_replies_trickle_ends_in_time_and_leaves_nothing_for_the_next_call() {
    let limit = Duration::from_millis(400);
    Remote::each(|remote| {
        let wire = Wire::prompt(remote.addr());
        for world in remote.worlds_at(wire.addr(), 2, limit) {
            let patient = world.with_timeout(Duration::from_secs(30));
            for (name, batch) in BATCHES {
                call!(&patient, cache => cache.set_many(names().zip(0_u64..), Ttl::NEVER)).unwrap();
                if *name == "get_or_compute_many" {
                    call!(&patient, cache => cache.delete("key 7")).unwrap();
                }
                let what = format!("{name} of 1,000, {} {world:?}", remote.name());
                in_time(&what, limit + Duration::from_millis(100), || {
                    wire.trickle(1, limit / 3);
                    let start = Instant::now();
                    let error = batch(&world).unwrap_err();
                    let took = start.elapsed();
                    wire.trickle(0, Duration::ZERO);
                    assert!(error.is_timeout(), "{name}: {error:?}");
                    took
                });
                call!(&patient, cache => cache.set("key 5", &5_u64, Ttl::NEVER)).unwrap();
                assert_eq!(call!(&patient, cache => cache.get::<u64>("key 5")).unwrap(), Some(5));
            }
        }
    });
}
