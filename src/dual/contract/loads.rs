//! Loading what is missing.

use super::{CROWD, Subject, done, equal, holds, maybe_async, refused, rt};

use std::collections::HashMap;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::error::ErrorKind;
use crate::ttl::{Remaining, Ttl};

/// A miss loads and stores with the lifetime that was given; a hit does not load.
#[maybe_async]
pub async fn a_miss_loads_and_a_hit_does_not(subject: &Subject) {
    let cache = subject.cache();
    let minute = Duration::from_secs(60);
    let load = || async { Ok::<_, io::Error>("loaded".to_owned()) };
    equal(done(cache.get_or_compute("k", minute, load).await), "loaded");
    equal(done(cache.get::<String>("k").await).as_deref(), Some("loaded"));
    let left = done(cache.ttl("k").await);
    assert!(matches!(left, Some(Remaining::For(left)) if left <= minute), "{left:?}");
    let never = || async { Err::<String, _>(io::Error::other("a hit must not load")) };
    equal(done(cache.get_or_compute("k", minute, never).await), "loaded");
    assert_eq!(cache.stats().loads, 1);
}

/// `get_or_compute_arc` loads and reads as `get_or_compute` does, also what was stored as a kindred type.
#[maybe_async]
pub async fn a_shared_value_is_loaded_and_read_as_any_other(subject: &Subject) {
    let cache = subject.cache();
    let load = || async { Ok::<_, io::Error>(7_u64) };
    equal(*done(cache.get_or_compute_arc("k", Ttl::NEVER, load).await), 7);
    equal(done(cache.get::<u64>("k").await), Some(7));
    let never = || async { Err::<u64, _>(io::Error::other("a hit must not load")) };
    equal(*done(cache.get_or_compute_arc("k", Ttl::NEVER, never).await), 7);
    done(cache.set("small", &5_u8, Ttl::NEVER).await);
    equal(*done(cache.get_or_compute_arc("small", Ttl::NEVER, never).await), 5);
    assert_eq!(cache.stats().loads, 1);
    let failed = cache.get_or_compute_arc("other", Ttl::NEVER, never).await;
    refused(failed, ErrorKind::Loader);
}

/// Of many callers that miss one key at once, one loads and all get its value.
#[maybe_async]
pub async fn many_callers_share_one_load(subject: &Subject) {
    let cache = subject.cache();
    let loads = Arc::new(AtomicUsize::new(0));
    let call = |_| {
        let (cache, loads) = (cache.clone(), Arc::clone(&loads));
        async move {
            let load = || async {
                rt::sleep(Duration::from_millis(20)).await;
                Ok::<_, io::Error>(loads.fetch_add(1, Ordering::SeqCst))
            };
            done(cache.get_or_compute("k", Ttl::NEVER, load).await)
        }
    };
    let values = rt::crowd(CROWD, call).await;
    assert_eq!(loads.load(Ordering::SeqCst), 1, "loads");
    assert_eq!(values, [0; CROWD]);
}

/// What is loaded while its key is removed is given to its caller and not kept.
#[maybe_async]
pub async fn a_removal_beats_a_load_that_began_before(subject: &Subject) {
    let cache = subject.cache();
    let (single, batch) = (cache.clone(), cache.clone());
    let load = move || async move {
        single.delete("k").await?;
        Ok::<_, crate::Error>("old".to_owned())
    };
    equal(done(cache.get_or_compute("k", Ttl::NEVER, load).await), "old");
    equal(done(cache.get::<String>("k").await), None);
    let load = move |missing: &[String]| {
        let (cache, values) = (batch.clone(), missing.iter().map(|name| (name.clone(), 1)).collect());
        async move {
            cache.delete("a").await?;
            Ok::<HashMap<String, i32>, crate::Error>(values)
        }
    };
    equal(done(cache.get_or_compute_many(["a", "b"], Ttl::NEVER, load).await).len(), 2);
    equal(done(cache.get::<i32>("a").await), None);
    equal(done(cache.get::<i32>("b").await), Some(1));
}

/// A loader's error comes back as itself and is not cached.
#[maybe_async]
pub async fn a_loaders_error_is_returned_and_not_cached(subject: &Subject) {
    let cache = subject.cache();
    let fail = || async { Err::<i32, _>(io::Error::other("disk")) };
    let error = match cache.get_or_compute("k", Ttl::NEVER, fail).await {
        Ok(value) => panic!("a failed load gave {value}"),
        Err(error) => error,
    };
    assert_eq!(error.kind(), ErrorKind::Loader);
    assert!(error.loader::<io::Error>().is_some(), "the loader's own error is lost: {error}");
    holds(!done(cache.exists("k").await));
    let load = || async { Ok::<i32, io::Error>(1) };
    equal(done(cache.get_or_compute("k", Ttl::NEVER, load).await), 1);
}

/// A loader that asks for its own key is told so; other keys nest.
#[maybe_async]
pub async fn a_loader_cannot_wait_for_itself(subject: &Subject) {
    let cache = subject.cache();
    let (inner, other) = (cache.clone(), cache.clone());
    let recursive = move || async move {
        let again = || async { Ok::<i32, io::Error>(1) };
        inner.get_or_compute("k", Ttl::NEVER, again).await
    };
    match cache.get_or_compute("k", Ttl::NEVER, recursive).await {
        Ok(value) => panic!("a recursive load gave {value}"),
        Err(error) => {
            let cause = error.loader::<crate::Error>().map(crate::Error::kind);
            assert_eq!(cause, Some(ErrorKind::RecursiveLoad), "{error}");
        }
    }
    let nested = move || async move {
        let load = || async { Ok::<i32, io::Error>(1) };
        other.get_or_compute("inner", Ttl::NEVER, load).await
    };
    equal(done(cache.get_or_compute("outer", Ttl::NEVER, nested).await), 1);
}

/// A batch loads exactly what is missing, with one loader call.
#[maybe_async]
pub async fn a_batch_loads_exactly_what_is_missing(subject: &Subject) {
    let cache = subject.cache();
    done(cache.set("a", &1, Ttl::NEVER).await);
    let calls = Mutex::new(Vec::new());
    let load = |missing: &[String]| {
        let names: Vec<String> = missing.to_vec();
        let values = names.iter().filter(|name| *name != "d").map(|name| (name.clone(), 2)).collect();
        calls.lock().unwrap_or_else(PoisonError::into_inner).push(names);
        async move { Ok::<HashMap<String, i32>, io::Error>(values) }
    };
    let values = done(cache.get_or_compute_many(["a", "b", "c", "b", "d"], Ttl::NEVER, load).await);
    let calls = calls.into_inner().unwrap_or_else(PoisonError::into_inner);
    assert_eq!(calls, [["b", "c", "d"]], "the loader calls");
    let expected = [("a", 1), ("b", 2), ("c", 2)].map(|(name, n)| (name.to_owned(), n));
    assert_eq!(values, HashMap::from(expected));
    equal(done(cache.get::<i32>("b").await), Some(2));
    holds(!done(cache.exists("d").await));
}

/// A batch's loader error fails the call and caches nothing.
#[maybe_async]
pub async fn a_batchs_error_is_not_cached(subject: &Subject) {
    let cache = subject.cache();
    let fail = |_: &[String]| async { Err::<HashMap<String, i32>, _>(io::Error::other("disk")) };
    refused(cache.get_or_compute_many(["a", "b"], Ttl::NEVER, fail).await, ErrorKind::Loader);
    holds(!done(cache.exists("a").await));
}
