//! Loaders that load: other keys to a depth, themselves never, each other in a circle not for ever.

mod support;

use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use lexigram_cache::{BoxError, Cache, Error, ErrorKind, Memory, Result, Ttl};

const MOMENT: Duration = Duration::from_millis(100);
const MAX_WAIT: Duration = Duration::from_millis(200);

fn assert_recursive(error: &Error, start: Instant) {
    assert!(start.elapsed() < MOMENT, "{:?}", start.elapsed());
    // The outer loader passes the inner call's error on as its own.
    let inner = error.loader::<Error>().expect("the loader failed");
    assert_eq!(inner.kind(), ErrorKind::RecursiveLoad);
    assert_eq!((inner.operation(), inner.backend()), (Some("get_or_compute"), Some("memory")));
    assert!(inner.to_string().contains("load it under another key"), "{inner}");
}

/// `key`, loaded by asking for `next`, and so on; the last one is at hand.
fn chain(cache: &Cache, keys: &[String]) -> Result<u64> {
    let [key, rest @ ..] = keys else { return Ok(0) };
    cache.get_or_compute(key, Ttl::NEVER, || chain(cache, rest).map(|n| n + 1))
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}

fn depths() -> Vec<String> {
    (0..16).map(|depth| format!("depth {depth}")).collect()
}

#[test]
fn a_loader_that_asks_for_its_own_key_is_told_at_once() {
    let cache = Cache::memory();
    let start = Instant::now();
    assert_recursive(&chain(&cache, &names(&["k", "k"])).unwrap_err(), start);
    assert_eq!(chain(&cache, &names(&["k"])).unwrap(), 1, "the key is not poisoned");
}

#[test]
fn a_loader_that_asks_for_its_own_key_through_another_is_told_at_once() {
    let start = Instant::now();
    let error = chain(&Cache::memory(), &names(&["a", "b", "a"])).unwrap_err();
    assert_recursive(error.loader::<Error>().unwrap(), start);
}

#[test]
fn a_batch_that_asks_for_one_of_its_keys_is_told_at_once() {
    let cache = Cache::memory();
    let load = |_: &[String]| chain(&cache, &names(&["b"])).map(|n| [("a".to_owned(), n)].into());
    let start = Instant::now();
    assert_recursive(&cache.get_or_compute_many(["a", "b"], Ttl::NEVER, load).unwrap_err(), start);
}

#[test]
fn loaders_of_other_keys_nest() {
    assert_eq!(chain(&Cache::memory(), &depths()).unwrap(), 16);
}

/// The one that gave up waiting loads alone and has 2; the other may have waited long enough for that: 3.
fn assert_loaded(value: u64) {
    assert!((2..=3).contains(&value), "{value}");
}

#[test]
fn loaders_that_wait_for_each_other_in_two_threads_both_end() {
    let memory = Memory::default();
    let cache = Cache::builder().backend(memory).max_wait(MAX_WAIT).build().unwrap();
    let both_lead = Barrier::new(2);
    let call = |own: &str, other: &str| {
        let start = Instant::now();
        let load = || {
            both_lead.wait();
            cache.get_or_compute(other, Ttl::NEVER, || Ok::<u64, BoxError>(1)).map(|n| n + 1)
        };
        assert_loaded(cache.get_or_compute(own, Ttl::NEVER, load).unwrap());
        assert!(start.elapsed() < MAX_WAIT + MOMENT, "{:?}", start.elapsed());
    };
    thread::scope(|scope| {
        scope.spawn(|| call("a", "b"));
        scope.spawn(|| call("b", "a"));
    });
}

#[cfg(feature = "async")]
mod tasks {
    use std::pin::Pin;

    use lexigram_cache::aio;

    use super::support::block_on;
    use super::*;

    fn chain<'a>(
        cache: &'a aio::Cache,
        keys: &'a [String],
    ) -> Pin<Box<dyn Future<Output = Result<u64>> + 'a>> {
        Box::pin(async move {
            let [key, rest @ ..] = keys else { return Ok(0) };
            cache
                .get_or_compute(key, Ttl::NEVER, async || Ok::<_, Error>(chain(cache, rest).await? + 1))
                .await
        })
    }

    #[test]
    fn a_loader_that_asks_for_its_own_key_is_told_at_once() {
        let cache = aio::Cache::memory();
        let start = Instant::now();
        assert_recursive(&block_on(chain(&cache, &names(&["k", "k"]))).unwrap_err(), start);
        assert_eq!(block_on(chain(&cache, &names(&["k"]))).unwrap(), 1, "the key is not poisoned");
        let error = block_on(chain(&cache, &names(&["a", "b", "a"]))).unwrap_err();
        assert_recursive(error.loader::<Error>().unwrap(), start);
    }

    #[test]
    fn loaders_of_other_keys_nest() {
        assert_eq!(block_on(chain(&aio::Cache::memory(), &depths())).unwrap(), 16);
    }

    #[test]
    fn loaders_that_wait_for_each_other_in_two_tasks_both_end() {
        let cache = aio::Cache::builder().max_wait(MAX_WAIT).build().unwrap();
        let both_lead = tokio::sync::Barrier::new(2);
        let call = async |own: &str, other: &str| {
            let load = async || {
                both_lead.wait().await;
                let inner = async || Ok::<u64, BoxError>(1);
                cache.get_or_compute(other, Ttl::NEVER, inner).await.map(|n| n + 1)
            };
            cache.get_or_compute(own, Ttl::NEVER, load).await.unwrap()
        };
        let start = Instant::now();
        let (a, b) = block_on(async { tokio::join!(call("a", "b"), call("b", "a")) });
        [a, b].into_iter().for_each(assert_loaded);
        assert!(start.elapsed() < MAX_WAIT + MOMENT, "{:?}", start.elapsed());
    }
}
