//! The recipe of `examples/session.rs`, on every backend, with requests that race with the revocation.

#[allow(dead_code, reason = "its main is for people")]
#[path = "../../examples/session.rs"]
mod session;

use std::sync::Barrier;
use std::thread;

use lexigram_cache::{BackendHandle, Memcached, Memory, Redis, StateStore, StoreBase};
use session::Sessions;

use crate::bench::new_namespace;
use crate::shelf::Shelf;
use crate::support::{memcached, redis};

const REQUESTS: usize = 8;

fn each(test: impl Fn(&Sessions) + Sync) {
    let handles: [BackendHandle; 4] = [
        Memory::default().into(),
        Redis::builder(redis().url()).build().unwrap().into(),
        Memcached::builder([memcached().url()]).build().unwrap().into(),
        Shelf::default().into(),
    ];
    let test = &test;
    thread::scope(|scope| {
        for handle in handles {
            scope.spawn(move || {
                let base = StoreBase::from(handle).namespace(&new_namespace());
                test(&Sessions(StateStore::new(base).unwrap()));
            });
        }
    });
}

#[test]
fn a_session_lives_while_it_is_used() {
    each(|sessions| {
        sessions.open("t", "ada").unwrap();
        assert_eq!(sessions.turn_page("t").unwrap().unwrap().pages, 1);
        let session = sessions.read("t").unwrap().unwrap();
        assert_eq!((&*session.user, session.pages), ("ada", 1));
        assert!(sessions.save("t", &session).unwrap());
        assert!(sessions.revoke("t").unwrap());
        assert!(!sessions.revoke("t").unwrap());
        assert!(sessions.read("t").unwrap().is_none());
    });
}

#[test]
fn no_request_that_races_with_a_revocation_brings_the_session_back() {
    each(|sessions| {
        for round in 0..20 {
            let token = format!("t{round}");
            sessions.open(&token, "ada").unwrap();
            let together = Barrier::new(REQUESTS + 1);
            thread::scope(|scope| {
                for request in 0..REQUESTS {
                    let (token, together) = (&token, &together);
                    scope.spawn(move || {
                        let seen = sessions.read(token).unwrap();
                        together.wait();
                        for _ in 0..5 {
                            match (request % 3, &seen) {
                                (0, Some(session)) => drop(sessions.save(token, session).unwrap()),
                                (1, _) => drop(sessions.read(token).unwrap()),
                                _ => drop(sessions.turn_page(token).unwrap()),
                            }
                        }
                    });
                }
                together.wait();
                assert!(sessions.revoke(&token).unwrap());
                assert!(sessions.read(&token).unwrap().is_none(), "read after it was revoked");
            });
            assert!(sessions.read(&token).unwrap().is_none(), "written after it was revoked");
        }
    });
}

#[test]
fn no_page_is_counted_twice_or_lost() {
    each(|sessions| {
        sessions.open("t", "ada").unwrap();
        thread::scope(|scope| {
            for _ in 0..REQUESTS {
                scope.spawn(|| (0..10).for_each(|_| drop(sessions.turn_page("t").unwrap().unwrap())));
            }
        });
        assert_eq!(sessions.read("t").unwrap().unwrap().pages, 10 * REQUESTS as u32);
    });
}
