//! Servers that do not answer, and others that keep writing.

use std::thread;
use std::time::{Duration, Instant};

use lexigram_cache::{ErrorKind, Memcached, Redis, Ttl};

use crate::bench::{Bench, Kind, Vault, everywhere, secrets, state};
use crate::support::{MemcachedServer, RedisServer, Remote, World, call};

const TIMEOUT: Duration = Duration::from_millis(200);
/// For machines that are busy.
const PATIENCE: Duration = Duration::from_secs(10);

/// Every verb that needs the server.
type Verb = fn(&Vault) -> lexigram_cache::Result<()>;

const VERBS: &[Verb] = &[
    |v| state!(v, s => s.get::<u64>("k")).map(drop),
    |v| state!(v, s => s.get_many::<u64>(["k", "l"])).map(drop),
    |v| state!(v, s => s.exists("k")).map(drop),
    |v| state!(v, s => s.ttl("k")).map(drop),
    |v| state!(v, s => s.set("k", &1, Ttl::NEVER)),
    |v| state!(v, s => s.set_many([("k", 1), ("l", 2)], Ttl::NEVER)),
    |v| state!(v, s => s.replace("k", &1, Ttl::NEVER)).map(drop),
    |v| state!(v, s => s.expire("k", Ttl::NEVER)).map(drop),
    |v| state!(v, s => s.delete("k")).map(drop),
    |v| state!(v, s => s.compare_and_set("k", None, &1, Ttl::NEVER)).map(drop),
    |v| state!(v, s => s.update("k", Ttl::NEVER, |old: Option<u64>| old)).map(drop),
    |v| secrets!(v, s => s.get_secret("k")).map(drop),
    |v| secrets!(v, s => s.set_secret("k", "x", Ttl::NEVER)),
    |v| secrets!(v, s => s.has_secret("k")).map(drop),
    |v| secrets!(v, s => s.delete_secret("k")).map(drop),
    |v| secrets!(v, s => s.rewrap("k")).map(drop),
];

#[test]
fn nothing_is_absorbed_and_every_call_ends_in_time() {
    let (redis, memcached) = (RedisServer::start(), MemcachedServer::start());
    let on_redis = Redis::builder(redis.url()).breaker(None).build().unwrap();
    let on_memcached = Memcached::builder([memcached.url()]).breaker(None).build().unwrap();
    redis.stop();
    memcached.stop();
    let benches = [Bench::on(Kind::Redis, &on_redis), Bench::on(Kind::Memcached, &on_memcached)];
    thread::scope(|scope| {
        for bench in benches.as_flattened() {
            scope.spawn(|| {
                let vault = bench.hurried(TIMEOUT);
                VERBS.iter().enumerate().for_each(|(at, verb)| fails_in_time(at, || verb(&vault)));
            });
        }
    });
}

fn fails_in_time(at: usize, call: impl FnOnce() -> lexigram_cache::Result<()>) {
    let begun = Instant::now();
    let error = call().unwrap_err();
    assert!(error.is_timeout(), "verb {at}: {error}");
    assert!(error.operation().is_some() && error.backend().is_some(), "{error}");
    // What the promise leaves to a machine that does other things as well.
    assert!(begun.elapsed() < TIMEOUT + Duration::from_millis(500), "verb {at}: {:?}", begun.elapsed());
}

#[test]
fn who_keeps_losing_is_told_at_the_deadline() {
    everywhere(|bench| {
        // Memory never waits, so it has no deadline either.
        if bench.kind == Kind::Memory {
            return;
        }
        let hurried = bench.hurried(TIMEOUT);
        assert!((0..20).any(|_| loses(bench, &hurried) == ErrorKind::Conflict));
    });
}

/// Somebody else writes after each look of ours, by a way that may block within a task.
fn loses(bench: &Bench, hurried: &Vault) -> ErrorKind {
    let (mut writes, begun) = (0_u64, Instant::now());
    let interfere = |_: Option<u64>| {
        writes += 1;
        bench.write("state", "k", writes.to_string().as_bytes());
        Some(0)
    };
    let error = state!(hurried, s => s.update("k", Ttl::NEVER, interfere)).unwrap_err();
    // The deadline may come while a write is under way, which will lose as well.
    assert!(matches!(error.kind(), ErrorKind::Conflict | ErrorKind::Ambiguous), "{error}");
    assert!(writes > 1 && begun.elapsed() < TIMEOUT + Duration::from_secs(1), "{:?}", begun.elapsed());
    assert_eq!(state!(&bench.vault, s => s.get::<u64>("k")).unwrap(), Some(writes));
    error.kind()
}

/// What an update comes to whose `change` takes longer than the call may, once it has lost so often.
fn late_after(losses: u64, remote: &Remote, world: &World) -> ErrorKind {
    let other = &remote.worlds(PATIENCE)[0];
    let mut asked = 0_u64;
    let change = |_: Option<u64>| {
        asked += 1;
        match asked > losses {
            true => thread::sleep(2 * TIMEOUT),
            false => call!(other, cache => cache.set("k", &asked, Ttl::NEVER)).unwrap(),
        }
        0
    };
    let error = call!(world, cache => cache.update("k", Ttl::NEVER, change)).unwrap_err();
    assert_eq!(asked, losses + 1, "{error}");
    assert_eq!(call!(other, cache => cache.get::<u64>("k")).unwrap(), (losses > 0).then_some(losses));
    call!(other, cache => cache.delete("k")).unwrap();
    error.kind()
}

#[test]
fn an_update_in_a_cache_that_has_lost_and_runs_out_of_time_ran_into_the_others() {
    Remote::each(|remote| {
        for world in remote.worlds(TIMEOUT) {
            assert_eq!(late_after(0, remote, &world), ErrorKind::Timeout, "{world:?}");
            assert_eq!(late_after(1, remote, &world), ErrorKind::Conflict, "{world:?}");
        }
    });
}

/// A list under the name of state is told, and not taken for nothing.
#[test]
fn another_type_of_the_server_is_no_miss() {
    let redis = RedisServer::start();
    for bench in Bench::on(Kind::Redis, &Redis::builder(redis.url()).build().unwrap()) {
        for kind in ["state", "secret"] {
            let key = crate::bench::joined(kind, &bench.namespace, "k");
            assert_eq!(
                crate::support::ask_raw(redis.addr(), format!("RPUSH {key} x\r\n").as_bytes()),
                ":1\r\n"
            );
        }
        let told = [
            state!(&bench.vault, s => s.get::<u64>("k")).map(drop),
            state!(&bench.vault, s => s.compare_and_set("k", Some(&1), &2, Ttl::NEVER)).map(drop),
            state!(&bench.vault, s => s.update("k", Ttl::NEVER, |old: Option<u64>| old)).map(drop),
            secrets!(&bench.vault, s => s.get_secret("k")).map(drop),
        ];
        for result in told {
            assert_eq!(result.unwrap_err().kind(), ErrorKind::Decode);
        }
    }
}
