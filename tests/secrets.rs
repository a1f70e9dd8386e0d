//! One text as user, password, key and value, and every kind of failure there is: it is in no error, event or metric.
#![cfg(all(
    feature = "redis",
    feature = "memcached",
    feature = "async-tls",
    feature = "yaml",
    feature = "postcard",
    feature = "tracing",
    feature = "metrics"
))]

#[path = "secrets/ears.rs"]
mod ears;
mod support;

use std::net::SocketAddr;
use std::thread;
use std::time::Duration;

use ears::Ears;
use lexigram_cache::{
    BackendHandle, BoxError, Cache, Caches, Error, ErrorKind, Format, LockStore, Memcached, Memory, Outage,
    Quota, RateLimiter, Redis, Result, StateStore, StoreBase, Ttl, Weighing, aio,
};
use serde::{Deserialize, Serialize, Serializer, ser};
use support::{MemcachedServer, RedisServer, Wire, World, ask_raw, call, closed_port, worlds};

const CANARY: &str = "S3CR3T-7f2a";
const TIMEOUT: Duration = Duration::from_millis(300);

/// A value that cannot be written, and says why.
#[derive(Clone, Debug, Deserialize)]
struct Unwritable;

impl Serialize for Unwritable {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(ser::Error::custom(format!("{CANARY} cannot be written")))
    }
}

type Verb = fn(&World) -> Result<()>;

const VERBS: &[Verb] = &[
    |w| call!(w, c => c.get::<u64>(CANARY)).map(drop),
    |w| call!(w, c => c.get_with(CANARY, |_: &Vec<u64>| ())).map(drop),
    |w| call!(w, c => c.get_many::<u64>([CANARY, "other"])).map(drop),
    |w| call!(w, c => c.exists(CANARY)).map(drop),
    |w| call!(w, c => c.ttl(CANARY)).map(drop),
    |w| call!(w, c => c.set(CANARY, CANARY, Ttl::NEVER)),
    |w| call!(w, c => c.add(CANARY, CANARY, Ttl::NEVER)).map(drop),
    |w| call!(w, c => c.replace(CANARY, CANARY, Ttl::NEVER)).map(drop),
    |w| call!(w, c => c.touch(CANARY, Duration::from_secs(60))).map(drop),
    |w| call!(w, c => c.set_many([(CANARY, CANARY.to_owned()), ("b", CANARY.to_owned())], Ttl::NEVER)),
    |w| call!(w, c => c.incr(CANARY, 1, Ttl::NEVER)).map(drop),
    |w| call!(w, c => c.decr(CANARY, 1, Ttl::NEVER)).map(drop),
    |w| call!(w, c => c.update(CANARY, Ttl::NEVER, |_: Option<u64>| 1)).map(drop),
    |w| w.compute(CANARY, 7_u64).map(drop),
    |w| {
        let load = |keys: &[String]| Ok::<_, BoxError>(keys.iter().map(|key| (key.clone(), 7_u64)).collect());
        w.load_many([CANARY.to_owned(), "other".to_owned()], load).map(drop)
    },
    |w| call!(w, c => c.set(CANARY, CANARY, Ttl::NEVER)),
    |w| call!(w, c => c.take::<u64>(CANARY)).map(drop),
    |w| call!(w, c => c.set(CANARY, &Unwritable, Ttl::NEVER)),
    |w| call!(w, c => c.set(CANARY, CANARY, Duration::ZERO)),
    |w| call!(w, c => c.delete_many([CANARY, "other"])).map(drop),
    |w| call!(w, c => c.delete_prefix(CANARY)).map(drop),
    |w| call!(w, c => c.delete_pattern(format!("{CANARY}*"))).map(drop),
    |w| call!(w, c => c.keys(format!("{CANARY}*")).next_key()).map(drop),
    |w| call!(w, c => c.delete(CANARY)).map(drop),
    |w| call!(w, c => c.clear()),
];

/// What a cache is made on, in both worlds.
trait Backing: Clone + Into<BackendHandle> + Into<aio::BackendHandle> {}

impl<B: Clone + Into<BackendHandle> + Into<aio::BackendHandle>> Backing for B {}

impl Ears {
    /// Every verb in both worlds, each format, lenient and strict, with all that is said of it.
    fn hear(&self, backend: impl Backing) {
        for format in [Format::Json, Format::Postcard] {
            for strict in [false, true] {
                self.hear_as(&backend, &format, strict, TIMEOUT);
            }
        }
    }

    fn hear_as(&self, backend: &impl Backing, format: &Format, strict: bool, timeout: Duration) {
        let worlds = worlds!(
            backend.clone(),
            prefix("app"),
            timeout(timeout),
            format(format.clone()),
            strict_decode(strict),
            max_wait(timeout),
            observer(self.observer()),
        );
        thread::scope(|scope| {
            for world in &worlds {
                scope
                    .spawn(|| VERBS.iter().filter_map(|verb| verb(world).err()).for_each(|e| self.error(&e)));
            }
        });
        for world in &worlds {
            self.text(&format!("{world:?} {world:#?} {:?} {:?}", world.health(), world.stats()));
        }
    }

    fn hear_redis(&self, credentials: &str, addr: SocketAddr) {
        let builder = Redis::builder(format!("redis://{credentials}{addr}/0")).pool_size(2).breaker(None);
        self.text(&format!("{builder:?}"));
        let redis = builder.build().unwrap();
        self.text(&format!("{redis:?}"));
        self.hear(redis);
    }

    fn hear_memcached(&self, addr: SocketAddr) {
        let memcached = Memcached::builder([addr.to_string()]).pool_size(2).breaker(None).build().unwrap();
        self.text(&format!("{memcached:?}"));
        self.hear(memcached);
    }
}

fn credentials() -> String {
    format!("{CANARY}:{CANARY}@")
}

#[test]
fn the_ears_hear_what_is_told() {
    let ears = Ears::open();
    let cause = Error::custom(ErrorKind::Protocol, CANARY);
    ears.error(&Error::custom(ErrorKind::Ambiguous, "no more").with_source(cause));
    assert!(ears.leaks() > 0);
}

#[test]
fn nothing_is_told_of_a_server_that_is_down() {
    let ears = Ears::open();
    ears.hear_redis(&credentials(), ([127, 0, 0, 1], closed_port()).into());
    ears.hear_memcached(([127, 0, 0, 1], closed_port()).into());
    ears.heard(&[ErrorKind::Unavailable, ErrorKind::Encode, ErrorKind::InvalidTtl]);
}

#[test]
fn nothing_is_told_of_a_server_that_does_not_answer() {
    let ears = Ears::open();
    let (redis, memcached) = (RedisServer::start(), MemcachedServer::start());
    redis.stop();
    memcached.stop();
    let timeout = Duration::from_millis(40);
    let silent = format!("redis://{}{}/0", credentials(), redis.addr());
    let silent = Redis::builder(silent).breaker(None).build().unwrap();
    ears.hear_as(&silent, &Format::Json, false, timeout);
    let silent = Memcached::builder([memcached.url()]).breaker(None).build().unwrap();
    ears.hear_as(&silent, &Format::Json, false, timeout);
    // A server that let us in before.
    redis.cont();
    let stopping = Redis::builder(redis.url()).breaker(None).build().unwrap();
    ears.hear_as(&stopping, &Format::Postcard, false, TIMEOUT);
    redis.stop();
    ears.hear_as(&stopping, &Format::Postcard, false, timeout);
    redis.cont();
    let cache = Cache::builder().backend(stopping).observer(ears.observer()).build().unwrap();
    cache.set(CANARY, CANARY, Ttl::NEVER).unwrap();
    redis.stop();
    ears.error(&cache.with_timeout(timeout).set(CANARY, CANARY, Ttl::NEVER).unwrap_err());
    ears.heard(&[ErrorKind::Timeout, ErrorKind::Ambiguous]);
}

#[test]
fn nothing_is_told_of_credentials_that_are_refused() {
    let ears = Ears::open();
    let server = RedisServer::start();
    let user = format!("ACL SETUSER {CANARY} on >{CANARY} ~* +client +exists\r\n");
    assert_eq!(ask_raw(server.addr(), user.as_bytes()), "+OK\r\n");
    ears.hear_redis(&credentials(), server.addr());
    ears.hear_redis(&format!("{CANARY}:x{CANARY}@"), server.addr());
    ears.hear_redis(&format!(":{CANARY}@"), server.addr());
    assert_eq!(ask_raw(server.addr(), b"ACL SETUSER default >other\r\n"), "+OK\r\n");
    ears.hear_redis("", server.addr());
    ears.heard(&[ErrorKind::Auth]);
}

#[test]
fn nothing_is_told_of_values_that_are_none() {
    let ears = Ears::open();
    let (redis, memcached) = (RedisServer::start(), MemcachedServer::start());
    ears.hear_redis("", redis.addr());
    ears.hear_memcached(memcached.addr());
    ears.hear(Memory::default());
    // Under the key is a list, and then a text that only looks like a value.
    for write in [
        format!("RPUSH app:{CANARY} {CANARY}\r\n"),
        format!("SET app:{CANARY} {CANARY}\r\n"),
        format!("SET app:{CANARY} {{\"{CANARY}\":[\"{CANARY}\"\r\n"),
    ] {
        ask_raw(redis.addr(), format!("DEL app:{CANARY}\r\n").as_bytes());
        ask_raw(redis.addr(), write.as_bytes());
        ears.hear_redis("", redis.addr());
    }
    ears.heard(&[ErrorKind::Decode, ErrorKind::Encode, ErrorKind::Unsupported, ErrorKind::InvalidTtl]);
}

#[test]
fn nothing_is_told_of_what_a_server_refuses() {
    let ears = Ears::open();
    let poor = RedisServer::start_with(&["--maxmemory", "1"]);
    ears.hear_redis("", poor.addr());
    // A server repeats the arguments of a command that it does not know.
    let renamed = ["GET", "SET", "DEL", "UNLINK", "MGET", "EVAL", "EVALSHA", "PTTL", "EXISTS"];
    let renamed: Vec<_> = renamed.iter().flat_map(|name| ["--rename-command", name, ""]).collect();
    let ignorant = RedisServer::start_with(&renamed);
    let echo = ask_raw(ignorant.addr(), format!("GET {CANARY}\r\n").as_bytes());
    assert!(echo.starts_with("-ERR") && echo.contains(CANARY), "the server no longer repeats it: {echo}");
    ears.hear_redis("", ignorant.addr());
    ears.heard(&[ErrorKind::Refused]);
}

#[test]
fn nothing_is_told_of_what_is_no_reply() {
    let ears = Ears::open();
    let (redis, memcached) = (RedisServer::start(), MemcachedServer::start());
    ears.hear_redis(&credentials(), memcached.addr());
    ears.hear_redis("", memcached.addr());
    ears.hear_memcached(redis.addr());
    let (before_redis, before_memcached) = (Wire::prompt(redis.addr()), Wire::prompt(memcached.addr()));
    for reply in
        [format!("{CANARY} {CANARY}\r\n"), format!("-ERR {CANARY}\r\n"), format!("SERVER_ERROR {CANARY}\r\n")]
    {
        before_redis.replace_after(0, reply.as_bytes());
        ears.hear_redis("", before_redis.addr());
        before_memcached.replace_after(0, reply.as_bytes());
        ears.hear_memcached(before_memcached.addr());
    }
    ears.heard(&[ErrorKind::Protocol]);
}

#[test]
fn nothing_is_told_where_tls_comes_to_nothing() {
    let ears = Ears::open();
    let server = RedisServer::start();
    for addr in [server.addr(), ([127, 0, 0, 1], closed_port()).into()] {
        let redis = Redis::builder(format!("rediss://{}{addr}/0", credentials()));
        hear_some(&ears, redis.danger_accept_invalid_certs(true).build().unwrap());
    }
    ears.heard(&[ErrorKind::Timeout, ErrorKind::Unavailable]);
}

/// A read and a write, where each call waits its whole time.
fn hear_some(ears: &Ears, redis: Redis) {
    ears.text(&format!("{redis:?}"));
    for world in worlds!(redis, timeout(TIMEOUT), observer(ears.observer())) {
        ears.error(&VERBS[0](&world).unwrap_err());
        ears.error(&VERBS[5](&world).unwrap_err());
    }
}

#[test]
fn nothing_is_told_of_settings_that_are_wrong() {
    let ears = Ears::open();
    for url in [
        format!("redis://{CANARY}:{CANARY}@h:99999"),
        format!("redis://:{CANARY}@h/{CANARY}"),
        format!("http://{CANARY}:{CANARY}@h"),
        format!("redis://{CANARY}:{CANARY}@"),
        format!("unix:///x?pass={CANARY}&db={CANARY}"),
        format!("redis://[{CANARY}"),
        format!("rediss://:{CANARY}@h/0?{CANARY}"),
        CANARY.to_owned(),
    ] {
        if let Err(error) = Redis::builder(&url).build() {
            ears.error(&error);
        }
        let yaml =
            format!("cache:\n  backends:\n    - name: a\n      type: redis\n      redis_url: '{url}'\n");
        match Caches::from_yaml_str(&yaml) {
            Ok(caches) => ears.text(&format!("{caches:?}")),
            Err(error) => ears.error(&error),
        }
    }
    for key in ["redis_password", "redis_username", "redis_port", "redis_db", "redis_ssl", "timeout"] {
        for value in [
            CANARY.to_owned(),
            format!("[{CANARY}]"),
            format!("{{{CANARY}: {CANARY}}}"),
            format!("'{CANARY}"),
        ] {
            let yaml = format!(
                "cache:\n  backends:\n    - name: a\n      type: redis\n      redis_password: {CANARY}\n      {key}: {value}\n"
            );
            if let Err(error) = Caches::from_yaml_str(&yaml) {
                ears.error(&error);
            }
        }
    }
    ears.heard(&[ErrorKind::Config]);
}

#[test]
fn nothing_is_told_of_memcached_servers_that_are_wrong() {
    let ears = Ears::open();
    for server in [format!("{CANARY}:{CANARY}@h:11211"), format!("memcache://:{CANARY}@h")] {
        ears.error(&Memcached::builder([server]).build().unwrap_err());
    }
    ears.heard(&[ErrorKind::Config]);
}

#[test]
fn nothing_is_told_by_what_a_program_holds() {
    let ears = Ears::open();
    let shown = |name: &str, text: String| {
        assert!(text.starts_with(name), "{text}");
        ears.text(&text);
    };
    let url = format!("redis://{}127.0.0.1:{}/0", credentials(), closed_port());
    let redis = Redis::builder(url).build().unwrap();
    let memory = Memory::builder().max_bytes(1 << 20).weigher(|entry: &Weighing<'_>| entry.key_len());
    shown("MemoryBuilder", format!("{memory:?}"));
    let memory = memory.build().unwrap();
    let in_memory = Cache::builder().backend(memory.clone()).build().unwrap();
    in_memory.set(CANARY, CANARY, Ttl::NEVER).unwrap();
    shown("Memory", format!("{memory:?}"));
    let builder = Cache::builder().backend(redis.clone()).prefix("app");
    shown("CacheBuilder", format!("{builder:?}"));
    for cache in [in_memory, builder.build().unwrap()] {
        shown("Cache", format!("{cache:?}"));
        shown("Keys", format!("{:?}", cache.keys(CANARY)));
        shown("StoreBase", format!("{:?}", StoreBase::from(&cache)));
        shown("StateStore", format!("{:?}", StateStore::new(&cache).unwrap()));
        shown("LockStoreBuilder", format!("{:?}", LockStore::builder(&cache)));
        shown("LockStore", format!("{:?}", LockStore::new(&cache).unwrap()));
        let limiter = RateLimiter::builder(&cache, "logins", Quota::per_minute(9), Outage::Error);
        shown("RateLimiterBuilder", format!("{limiter:?}"));
        shown("RateLimiter", format!("{:?}", limiter.build().unwrap()));
    }
    shown("BackendHandle", format!("{:?}", BackendHandle::from(redis)));
    assert_eq!(ears.leaks(), 0);
}
