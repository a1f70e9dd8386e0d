//! The right to store what was loaded, where sharing is off, where loaders fail, hang or call themselves.
#![cfg(feature = "async")]

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use lexigram_cache::{Cache, ErrorKind, Memory, Ttl, aio};

#[test]
fn a_loader_cannot_wait_for_itself_where_loads_are_not_shared_either() {
    let cache = Cache::builder().protection(false).build().unwrap();
    let inner = || cache.get_or_compute("k", Ttl::NEVER, || Ok::<_, io::Error>(1));
    let error = cache.get_or_compute("k", Ttl::NEVER, inner).unwrap_err();
    let cause = error.loader::<lexigram_cache::Error>().map(lexigram_cache::Error::kind);
    assert_eq!(cause, Some(ErrorKind::RecursiveLoad), "{error}");
}

#[test]
fn a_write_beats_a_load_where_loads_are_not_shared_either() {
    let cache = Cache::builder().protection(false).build().unwrap();
    let load = || {
        cache.set("k", &2, Ttl::NEVER)?;
        Ok::<_, lexigram_cache::Error>(1)
    };
    assert_eq!(cache.get_or_compute("k", Ttl::NEVER, load).unwrap(), 1);
    assert_eq!(cache.get::<i32>("k").unwrap(), Some(2));
}

/// Two lines' worth of room is left for what the allocator keeps.
#[test]
fn loaders_that_panic_leave_nothing_behind() {
    let cache = Cache::builder().backend(Memory::builder().max_entries(1).build().unwrap()).build().unwrap();
    std::panic::set_hook(Box::new(|_| {}));
    let fail = |name: String| {
        let load = || -> Result<i32, io::Error> { std::panic::resume_unwind(Box::new(())) };
        assert!(catch_unwind(AssertUnwindSafe(|| cache.get_or_compute(&name, Ttl::NEVER, load))).is_err());
    };
    fail("warm".into());
    let held = resident_kib();
    (0..100_000).for_each(|n| fail(n.to_string()));
    let grown = resident_kib().saturating_sub(held);
    assert!(grown < 1_024, "{grown} KiB more after 100,000 failed loads");
}

/// What the kernel says this process holds; 0 where it does not say.
fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

#[test]
fn a_loader_that_hangs_keeps_the_key_from_nobody_for_long() {
    let patience = Duration::from_millis(100);
    let cache = Cache::builder().max_wait(patience).build().unwrap();
    let (hang, hung) = mpsc::channel::<()>();
    let (begin, begun) = mpsc::channel();
    std::thread::scope(|scope| {
        let leader = &cache;
        scope.spawn(move || {
            let load = || {
                begin.send(()).unwrap();
                hung.recv().map(|()| 0).or(Ok::<_, io::Error>(0))
            };
            leader.get_or_compute("k", Ttl::NEVER, load).unwrap()
        });
        begun.recv().unwrap();
        let load = |value| cache.get_or_compute("k", Ttl::NEVER, move || Ok::<_, io::Error>(value)).unwrap();
        assert_eq!(load(1), 1, "the first waits in vain and loads for itself");
        let start = Instant::now();
        assert_eq!(load(2), 2, "the next leads");
        assert!(start.elapsed() < patience, "{:?}", start.elapsed());
        assert_eq!(cache.get::<i32>("k").unwrap(), Some(2));
        drop(hang);
    });
    assert_eq!(cache.get::<i32>("k").unwrap(), Some(2), "what hung is not stored over it");
}

#[tokio::test]
async fn a_dropped_load_gives_its_right_back() {
    let cache = aio::Cache::memory();
    let never = || async { std::future::pending::<Result<i32, io::Error>>().await };
    let dropped =
        tokio::time::timeout(Duration::from_millis(5), cache.get_or_compute("k", Ttl::NEVER, never)).await;
    assert!(dropped.is_err());
    let load = async || Ok::<_, io::Error>(1);
    assert_eq!(cache.get_or_compute("k", Ttl::NEVER, load).await.unwrap(), 1);
    assert_eq!(cache.get::<i32>("k").await.unwrap(), Some(1));
}
