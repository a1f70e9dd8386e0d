//! Batches of two processes that share a server: each key is loaded by one of them, and nobody is kept for long.
#![cfg(all(feature = "redis", feature = "memcached", feature = "async", feature = "json"))]

mod support;

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Mutex;
use std::sync::mpsc;
use std::thread::scope;
use std::time::{Duration, Instant};

use lexigram_cache::{BoxError, ErrorKind, Result};
use support::{Pair, call, elsewhere, eventually, pairs, side_by_side};

const SECOND: Duration = Duration::from_secs(1);
/// For machines that are busy.
const PATIENCE: Duration = Duration::from_secs(10);

fn each(test: impl Fn(&Pair) + Sync) {
    side_by_side(pairs!(timeout(PATIENCE), max_wait(3 * PATIENCE)), test);
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}

/// Each of these keys with the same value.
fn all(keys: &[String], value: u64) -> HashMap<String, u64> {
    keys.iter().map(|key| (key.clone(), value)).collect()
}

/// The other process has these at once, by loads of its own: more than one where they are freed one by one.
fn assert_free(pair: &Pair, keys: &[String]) {
    let (start, mut loaded) = (Instant::now(), Vec::new());
    let load = |missing: &[String]| {
        loaded.extend_from_slice(missing);
        Ok::<_, BoxError>(all(missing, 2))
    };
    assert_eq!(pair.there.load_many(keys.to_vec(), load).unwrap(), all(keys, 2));
    assert!(start.elapsed() < 2 * SECOND, "{:?}", start.elapsed());
    loaded.sort();
    assert_eq!(loaded, keys);
}

#[test]
fn a_batch_loads_what_nobody_holds_and_waits_for_the_rest() {
    each(|pair| {
        let ((begin, begun), (loaded, theirs)) = (mpsc::channel(), mpsc::channel());
        scope(|scope| {
            let here = scope.spawn(move || {
                let load = |missing: &[String]| {
                    begin.send(()).unwrap();
                    // It ends after the other batch has loaded its part, which thus waits for nobody.
                    let part: Vec<String> = theirs.recv_timeout(PATIENCE).unwrap();
                    assert_eq!(part, ["c", "d"]);
                    Ok::<_, BoxError>(all(missing, 1))
                };
                pair.here.load_many(names(&["a", "b"]), load).unwrap()
            });
            begun.recv_timeout(PATIENCE).unwrap();
            let load = |missing: &[String]| {
                loaded.send(missing.to_vec()).unwrap();
                Ok::<_, BoxError>(all(missing, 2))
            };
            let there = pair.there.load_many(names(&["b", "c", "d"]), load).unwrap();
            assert_eq!(there, HashMap::from([("b".into(), 1), ("c".into(), 2), ("d".into(), 2)]));
            assert_eq!(here.join().unwrap(), all(&names(&["a", "b"]), 1));
        });
    });
}

#[test]
fn a_batch_waits_for_a_single_load_of_the_other_process() {
    each(|pair| {
        scope(|scope| {
            scope.spawn(|| {
                let load = || {
                    eventually("the batch has missed", PATIENCE, || pair.there.stats().misses > 0);
                    Ok::<u64, BoxError>(1)
                };
                assert_eq!(pair.here.load("k", load).unwrap(), 1);
            });
            eventually("it is being loaded", PATIENCE, || pair.text("k").is_some());
            let load = |_: &[String]| -> Result<_, BoxError> { panic!("it is being loaded") };
            assert_eq!(pair.there.load_many(names(&["k"]), load).unwrap(), all(&names(&["k"]), 1));
        });
    });
}

#[test]
fn a_single_load_waits_for_a_batch_of_the_other_process() {
    each(|pair| {
        scope(|scope| {
            scope.spawn(|| {
                let load = |missing: &[String]| {
                    eventually("the other has missed", PATIENCE, || pair.there.stats().misses > 0);
                    Ok::<_, BoxError>(all(missing, 1))
                };
                assert_eq!(pair.here.load_many(names(&["k", "l"]), load).unwrap().len(), 2);
            });
            eventually("it is being loaded", PATIENCE, || pair.text("k").is_some());
            let load = || -> Result<u64, BoxError> { panic!("it is being loaded") };
            assert_eq!(pair.there.load("k", load).unwrap(), 1);
        });
    });
}

#[test]
fn batches_that_cross_load_each_key_once_and_do_not_wait_for_each_other_for_ever() {
    each(|pair| {
        let loads = Mutex::new(HashMap::<String, u32>::new());
        let load = |missing: &[String]| {
            let mut loads = loads.lock().unwrap();
            missing.iter().for_each(|key| *loads.entry(key.clone()).or_default() += 1);
            Ok::<_, BoxError>(all(missing, 1))
        };
        let keys = |n: usize| -> Vec<String> { (n * 3..n * 3 + 10).map(|n| format!("{n}")).collect() };
        let load = &load;
        scope(|scope| {
            for n in 0..8 {
                let world = if n % 2 == 0 { &pair.here } else { &pair.there };
                // Every other batch goes the other way round.
                let mut keys = keys(n);
                if n % 4 < 2 {
                    keys.reverse();
                }
                scope.spawn(move || assert_eq!(world.load_many(keys.clone(), load).unwrap(), all(&keys, 1)));
            }
        });
        let loads = loads.into_inner().unwrap();
        assert!(loads.values().all(|count| *count == 1), "{loads:?}");
        assert_eq!(loads.len(), 31);
    });
}

#[test]
fn a_batch_that_fails_or_panics_frees_its_keys_at_once() {
    each(|pair| {
        let fails = |_: &[String]| "x".parse::<u64>().map(|_| HashMap::<String, u64>::new());
        let error = pair.here.load_many(names(&["a", "b"]), fails).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Loader);
        assert_free(pair, &names(&["a", "b"]));
        let panics = |_: &[String]| -> Result<HashMap<String, u64>, BoxError> { resume_unwind(Box::new(())) };
        let panicked = catch_unwind(AssertUnwindSafe(|| pair.here.load_many(names(&["c", "d"]), panics)));
        assert!(panicked.is_err());
        assert_free(pair, &names(&["c", "d"]));
    });
}

#[test]
fn a_key_that_a_batch_does_not_bring_is_free_at_once() {
    each(|pair| {
        let some = |_: &[String]| Ok::<_, BoxError>(HashMap::from([("a".to_owned(), 1_u64)]));
        assert_eq!(pair.here.load_many(names(&["a", "b"]), some).unwrap(), all(&names(&["a"]), 1));
        assert_free(pair, &names(&["b"]));
        assert_eq!(pair.text("a").as_deref(), Some("1"));
    });
}

#[test]
fn what_another_client_removes_or_writes_during_a_batch_is_not_stored_over() {
    each(|pair| {
        let load = |missing: &[String]| {
            pair.remove("b");
            pair.put("c", "9", 100);
            Ok::<_, BoxError>(all(missing, 1))
        };
        let keys = names(&["a", "b", "c", "d"]);
        assert_eq!(
            pair.here.load_many(keys.clone(), load).unwrap(),
            all(&keys, 1),
            "its own caller gets all"
        );
        let held = ["a", "b", "c", "d"].map(|key| pair.text(key));
        assert_eq!(held.each_ref().map(Option::as_deref), [Some("1"), None, Some("9"), Some("1")]);
    });
}

#[test]
fn a_write_of_the_other_process_during_a_batch_stands() {
    each(|pair| {
        let load = |missing: &[String]| {
            elsewhere(|| call!(&pair.there, cache => cache.set("b", &9_u64, 60 * SECOND))).unwrap();
            Ok::<_, BoxError>(all(missing, 1))
        };
        pair.here.load_many(names(&["a", "b"]), load).unwrap();
        assert_eq!(call!(&pair.here, cache => cache.get::<u64>("b")).unwrap(), Some(9));
    });
}

#[test]
fn a_batch_that_shares_no_loads_stores_only_what_nobody_else_is_loading() {
    side_by_side(pairs!(timeout(PATIENCE), protection(false)), |pair| {
        let ((begin, begun), (end, ended)) = (mpsc::channel(), mpsc::channel::<()>());
        scope(|scope| {
            let here = scope.spawn(move || {
                let load = |missing: &[String]| {
                    begin.send(()).unwrap();
                    let _ = ended.recv_timeout(PATIENCE);
                    Ok::<_, BoxError>(all(missing, 1))
                };
                pair.here.load_many(names(&["a"]), load).unwrap()
            });
            begun.recv_timeout(PATIENCE).unwrap();
            let load = |missing: &[String]| Ok::<_, BoxError>(all(missing, 2));
            let there = pair.there.load_many(names(&["a", "b"]), load).unwrap();
            assert_eq!(there, all(&names(&["a", "b"]), 2), "nobody is waited for");
            assert!(!call!(&pair.there, cache => cache.exists("a")).unwrap(), "who has the lease stores");
            drop(end);
            assert_eq!(here.join().unwrap(), all(&names(&["a"]), 1));
        });
        let stored = call!(&pair.there, cache => cache.get_many::<u64>(["a", "b"])).unwrap();
        assert_eq!(stored, HashMap::from([("a".into(), 1), ("b".into(), 2)]));
    });
}
