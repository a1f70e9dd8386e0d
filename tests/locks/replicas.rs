//! Locks that replicas have before they count.

use std::thread;
use std::time::{Duration, Instant};

use lexigram_cache::{ErrorKind, Redis, Released, Strength};

use super::shown::ask;
use super::side::both;
use super::support::{RedisServer, eventually};
use super::{LONG, SOON};

fn master_and_replica() -> (RedisServer, RedisServer) {
    let master = RedisServer::start_with(&["--repl-diskless-sync-delay", "0"]);
    let replica = RedisServer::start_with(&["--replicaof", "127.0.0.1", &master.port().to_string()]);
    let is_online = || ask(&master, "INFO replication").contains("state=online");
    eventually("the replica has all its master has", SOON * 2, is_online);
    (master, replica)
}

#[test]
fn a_lock_is_on_its_replica_when_it_is_given() {
    let (master, replica) = master_and_replica();
    let redis = Redis::builder(master.url()).build().unwrap();
    for locks in both!(redis, strength(Strength::Replicated(1)), timeout(SOON)) {
        for _ in 0..20 {
            let guard = locks.take("k", LONG);
            assert!(ask(&replica, "GET lexigram%lock::{k}").starts_with(&guard.token()));
            assert!(locks.attempt("k", LONG).unwrap().is_none());
            assert_eq!(guard.release().unwrap(), Released::Released);
        }
    }
}

#[test]
fn a_lock_that_too_few_replicas_have_is_given_back() {
    let (master, replica) = master_and_replica();
    let redis = Redis::builder(master.url()).build().unwrap();
    let timeout = Duration::from_secs(1);
    for locks in both!(redis, strength(Strength::Replicated(1)), timeout(timeout)) {
        // Its master calls it online up to a second before it sends on what it takes in.
        let follows = || locks.attempt("warm", LONG).is_ok_and(|guard| guard.is_some());
        eventually("the replica follows its master", SOON, follows);
        replica.stop();
        thread::scope(|scope| {
            let begun = Instant::now();
            let attempt = scope.spawn(|| locks.attempt("k", LONG));
            // Whoever else is on the handle does not wait for the replica.
            eventually("the lock is being taken", SOON, || !locks.is_free("k"));
            for _ in 0..20 {
                let begun = Instant::now();
                locks.is_free("other");
                assert!(begun.elapsed() < timeout / 4, "{:?}", begun.elapsed());
            }
            let error = attempt.join().unwrap().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
            assert!(error.to_string().contains("0 of 1 replicas"), "{error}");
            assert!(begun.elapsed() < timeout + Duration::from_millis(100), "{:?}", begun.elapsed());
        });
        assert!(locks.is_free("k"), "it was given back before the error came");
        replica.cont();
        eventually("the replica answers again", SOON, || {
            locks.attempt("k", LONG).is_ok_and(|guard| guard.is_some())
        });
        eventually("it is given back", SOON, || locks.is_free("k"));
    }
}
