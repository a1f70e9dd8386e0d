//! A cache whose server is not there: what a test of a program that uses caches can do with it.
#![cfg(all(feature = "testing", feature = "async", feature = "json", feature = "postcard"))]

mod support;

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use lexigram_cache::testing::{FakeCache, Op};
use lexigram_cache::{
    BoxError, ErrorKind, Event, EventKind, Fetched, Format, Loaded, LockStore, Origin, Quota, RateLimiter,
    Ttl, aio,
};
use support::eventually;

const MINUTE: Duration = Duration::from_secs(60);
const PATIENCE: Duration = Duration::from_secs(10);

fn seven() -> Result<u32, BoxError> {
    Ok(7)
}

fn fails() -> Result<u32, BoxError> {
    Err("no".into())
}

#[test]
fn values_end_by_the_clock_of_the_test() {
    let fake = FakeCache::new();
    fake.cache().set("k", "v", MINUTE).unwrap();
    fake.clock().advance(MINUTE - Duration::from_nanos(1));
    fake.assert_value("k", &"v".to_owned());
    fake.clock().advance(Duration::from_nanos(1));
    fake.assert_absent("k");
    assert_eq!(fake.cache().get::<String>("k").unwrap(), None);
}

#[test]
fn a_fault_meets_as_many_requests_as_it_was_meant_for_and_none_of_another_kind() {
    let fake = FakeCache::new();
    let cache = fake.cache();
    fake.faults().fail_next("get", 2);
    cache.set("k", &1, Ttl::NEVER).unwrap();
    for _ in 0..2 {
        assert_eq!(cache.get::<i32>("k").unwrap_err().kind(), ErrorKind::Unavailable);
    }
    assert_eq!(cache.get::<i32>("k").unwrap(), Some(1));
    fake.faults().fail_next_with(Op::Any, 1, ErrorKind::Auth);
    assert_eq!(cache.delete("k").unwrap_err().kind(), ErrorKind::Auth);
    fake.assert_has("k");
    assert_eq!(fake.faults().left(), 0);
}

#[test]
fn a_server_that_is_down_is_down_until_it_comes_up() {
    let fake = FakeCache::new();
    let cache = fake.builder().degrade(true).build().unwrap();
    fake.faults().go_down();
    for _ in 0..3 {
        assert_eq!(cache.get_or_compute("k", MINUTE, seven).unwrap(), 7);
    }
    assert_eq!(cache.health().status, aio::Status::Down);
    fake.assert_loaded("k", 3);
    fake.faults().come_up();
    assert_eq!(cache.get_or_compute("k", MINUTE, seven).unwrap(), 7);
    fake.assert_has("k");
}

#[test]
fn a_lost_reply_is_of_a_request_that_was_done() {
    let fake = FakeCache::new();
    let cache = fake.cache();
    fake.faults().drop_replies(Op::Any, 2);
    assert_eq!(cache.set("k", &1, Ttl::NEVER).unwrap_err().kind(), ErrorKind::Ambiguous);
    assert_eq!(cache.get::<i32>("k").unwrap_err().kind(), ErrorKind::Timeout);
    assert_eq!(cache.get::<i32>("k").unwrap(), Some(1));
}

#[test]
fn a_delay_moves_the_clock_and_keeps_nobody() {
    let (fake, start) = (FakeCache::new(), Instant::now());
    let cache = fake.builder().timeout(MINUTE).build().unwrap();
    cache.set("k", &1, 10 * MINUTE).unwrap();
    fake.faults().delay_next("get", 1, MINUTE / 2);
    assert_eq!(cache.get::<i32>("k").unwrap(), Some(1));
    fake.faults().delay_next("set", 1, 2 * MINUTE);
    assert_eq!(cache.set("k", &2, 10 * MINUTE).unwrap_err().kind(), ErrorKind::Ambiguous);
    fake.faults().delay_next("get", 1, 2 * MINUTE);
    assert_eq!(cache.get::<i32>("k").unwrap_err().kind(), ErrorKind::Timeout);
    fake.assert_value("k", &2);
    fake.clock().advance(8 * MINUTE);
    fake.assert_absent("k");
    assert!(start.elapsed() < MINUTE / 2);
}

#[test]
fn a_thread_hangs_until_the_server_goes_on() {
    let fake = FakeCache::new();
    let cache = fake.builder().timeout(PATIENCE).build().unwrap();
    fake.faults().hang_next("set", 2);
    std::thread::scope(|scope| {
        let write = scope.spawn(|| cache.set("k", &1, Ttl::NEVER));
        eventually("the request comes", PATIENCE, || fake.count("set") == 1);
        assert!(!write.is_finished());
        fake.assert_absent("k");
        fake.faults().go_on();
        write.join().unwrap().unwrap();
    });
    fake.assert_has("k");
    cache.set("k", &2, Ttl::NEVER).unwrap();
}

#[test]
fn a_task_hangs_until_the_server_goes_on() {
    support::block_on(async {
        let fake = aio::FakeCache::new();
        let cache = fake.builder().timeout(PATIENCE).build().unwrap();
        fake.faults().hang_next("get", 1);
        let read = tokio::spawn(async move { cache.get::<i32>("k").await });
        while fake.count("get") == 0 {
            tokio::task::yield_now().await;
        }
        assert!(!read.is_finished());
        fake.faults().go_on();
        assert_eq!(read.await.unwrap().unwrap(), None);
    });
}

#[test]
fn who_hangs_for_longer_than_it_may_has_done_nothing() {
    let fake = FakeCache::new();
    let cache = fake.cache().with_timeout(Duration::from_millis(20));
    fake.faults().hang_next("set", 1);
    assert_eq!(cache.set("k", &1, Ttl::NEVER).unwrap_err().kind(), ErrorKind::Timeout);
    fake.assert_absent("k");
}

#[test]
fn loaders_are_counted_by_key_whatever_they_come_to() {
    let fake = FakeCache::new();
    let cache = fake.builder().prefix("app").build().unwrap();
    assert!(cache.get_or_compute("a", MINUTE, fails).is_err());
    for _ in 0..3 {
        cache.get_or_compute("a", MINUTE, seven).unwrap();
    }
    let load = |missing: &[String]| Ok::<_, BoxError>(missing.iter().map(|key| (key.clone(), 1)).collect());
    cache.get_or_compute_many(["a", "b", "c"], MINUTE, load).unwrap();
    fake.assert_loaded("app:a", 2);
    fake.assert_loaded("app:b", 1);
    fake.assert_loaded("app:z", 0);
    assert_eq!(fake.loads("app:c"), 1);
    fake.forget_calls();
    fake.assert_loaded("app:a", 0);
    fake.assert_has("app:a");
}

#[test]
fn requests_are_logged_in_order_with_their_keys() {
    let fake = FakeCache::new();
    let cache = fake.builder().prefix("app").build().unwrap();
    cache.get_or_compute("k", MINUTE, seven).unwrap();
    cache.delete_many(["k", "l"]).unwrap();
    let told: Vec<String> =
        fake.calls().iter().map(|call| format!("{} {}", call.op, call.keys.join(" "))).collect();
    assert_eq!(told, ["get app:k", "lease app:k", "fill app:k", "delete app:k app:l"]);
    fake.assert_called("fill", 1);
    fake.assert_called(Op::Any, 4);
}

#[test]
fn a_stale_value_is_served_where_the_load_fails() {
    let fake = FakeCache::new();
    let cache = fake.builder().stale_for(10 * MINUTE).build().unwrap();
    let policy = cache.policy().ttl(MINUTE).build().unwrap();
    let fetch = |load: fn() -> Result<u32, BoxError>| -> Fetched<u32> {
        cache.fetch("k", &policy, || load().map(Loaded::new)).unwrap()
    };
    assert!(matches!(fetch(seven).source, Origin::Loaded));
    fake.clock().advance(2 * MINUTE);
    let stale = fetch(fails);
    assert!(matches!(stale.source, Origin::Stale(_)), "{:?}", stale.source);
    assert_eq!(cache.get::<u32>("k").unwrap(), None);
}

#[test]
fn processes_share_what_the_server_holds_and_one_load() {
    let here = FakeCache::new();
    let there = here.elsewhere();
    let value = here.cache().get_or_compute("k", MINUTE, || {
        // Another process that asks meanwhile sees that somebody is at it, and may remove the key.
        let busy = there.cache().policy().max_wait(Duration::from_millis(20)).ttl(MINUTE).build()?;
        let other = there.cache().fetch("k", &busy, || Ok::<_, BoxError>(8))?;
        assert!(matches!(other.source, Origin::Loaded));
        there.assert_absent("k");
        there.cache().delete("k")?;
        Ok::<_, BoxError>(7)
    });
    assert_eq!(value.unwrap(), 7);
    here.assert_absent("k");
    here.assert_loaded("k", 2);
}

#[test]
fn a_server_that_loses_its_data_loses_the_rights_to_fill_too() {
    let fake = FakeCache::new();
    fake.cache().set("old", &1, Ttl::NEVER).unwrap();
    let load = || {
        fake.lose_all_data();
        seven()
    };
    assert_eq!(fake.cache().get_or_compute("k", MINUTE, load).unwrap(), 7);
    assert!(fake.keys().is_empty());
}

#[test]
fn a_value_is_compared_in_whatever_format_it_was_written() {
    let fake = FakeCache::new();
    for (key, format) in [("json", Format::Json), ("postcard", Format::Postcard)] {
        let cache = fake.builder().format(format).build().unwrap();
        cache.set(key, &vec![1_u8, 2], Ttl::NEVER).unwrap();
        fake.assert_value(key, &vec![1_u8, 2]);
    }
    assert_eq!(fake.keys(), ["json", "postcard"]);
}

#[test]
fn locks_and_limits_go_by_the_clock_of_the_test() {
    let fake = FakeCache::new();
    let locks = LockStore::builder(fake.backend()).renewal(false).build().unwrap();
    let _held = locks.try_acquire("report", MINUTE).unwrap().unwrap();
    let limiter = RateLimiter::new(fake.backend(), "logins", Quota::per_minute(1)).unwrap();
    assert!(limiter.check("me").unwrap().allowed);
    fake.clock().advance(MINUTE / 2);
    assert!(locks.try_acquire("report", MINUTE).unwrap().is_none());
    assert!(!limiter.check("me").unwrap().allowed);
    fake.clock().advance(MINUTE / 2 + Duration::from_secs(1));
    assert!(locks.try_acquire("report", MINUTE).unwrap().is_some());
    assert!(limiter.check("me").unwrap().allowed);
}

/// What a broken expectation says.
fn complaint(check: impl FnOnce(&FakeCache) + std::panic::UnwindSafe) -> String {
    let fake = FakeCache::new();
    fake.cache().set("here", &7, Ttl::NEVER).unwrap();
    let fake = std::panic::AssertUnwindSafe(fake);
    let panic = std::panic::catch_unwind(move || check(&fake)).unwrap_err();
    *panic.downcast::<String>().unwrap()
}

#[test]
fn a_broken_expectation_says_what_there_is() {
    let table = [
        (complaint(|fake| fake.assert_has("there")), "there is no `there`; there are here"),
        (complaint(|fake| fake.assert_absent("here")), "there is a `here`: 7"),
        (complaint(|fake| fake.assert_value("here", &8)), "`here` is 7 and not 8"),
        (complaint(|fake| fake.assert_value("here", &"x".to_owned())), "`here` is no alloc::string::String"),
        (
            complaint(|fake| fake.assert_loaded("here", 1)),
            "`here` was loaded 0 times and not 1; all loads: {}",
        ),
        (
            complaint(|fake| fake.assert_called("get", 1)),
            "`get` was asked for 0 times and not 1; all requests: [FakeCall",
        ),
    ];
    for (said, expected) in table {
        assert!(said.contains(expected), "{said}");
    }
}

/// A cache whose leases are renewed every 20 ms, and what it tells of failures.
macro_rules! hasty {
    ($fake:expr, $degrade:expr) => {{
        let told = Arc::new(Mutex::new(Vec::new()));
        let hear = Arc::clone(&told);
        let observer = move |event: &Event<'_>| {
            if let EventKind::Failed(error) | EventKind::Absorbed(error) = &event.kind {
                hear.lock().unwrap().push(format!("{} {}", event.operation, error));
            }
        };
        let cache = $fake.builder().lock_ttl(Duration::from_millis(60)).observer(observer).degrade($degrade);
        (cache.build().unwrap(), told)
    }};
}

#[test]
fn a_renewal_that_fails_is_told_and_counted() {
    const SAID: &str = "get_or_compute fake get_or_compute: the fake was told to fail";
    for degrade in [false, true] {
        let fake = FakeCache::new();
        let (cache, told) = hasty!(fake, degrade);
        fake.faults().fail_next("renew", 1);
        let load = || {
            eventually("the lease is renewed", PATIENCE, || fake.count("renew") >= 2);
            std::panic::resume_unwind(Box::new(()));
            #[expect(unreachable_code, reason = "says what a loader gives")]
            seven()
        };
        let load = std::panic::AssertUnwindSafe(|| cache.get_or_compute("k", MINUTE, load));
        assert!(std::panic::catch_unwind(load).is_err());
        assert_eq!(*told.lock().unwrap(), [SAID]);
        let stats = cache.stats();
        assert_eq!((stats.errors, stats.absorbed), (1, u64::from(degrade)));
    }
}

#[test]
fn a_renewal_that_fails_beside_a_task_is_told_and_counted() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let fake = aio::FakeCache::new();
    let (cache, told) = hasty!(fake, false);
    fake.faults().fail_next("renew", 1);
    let loading = runtime.spawn(async move {
        cache
            .get_or_compute("k", MINUTE, async || std::future::pending::<Result<u32, BoxError>>().await)
            .await
    });
    eventually("the lease is renewed", PATIENCE, || fake.count("renew") >= 2);
    assert_eq!(told.lock().unwrap().len(), 1);
    loading.abort();
}

#[test]
fn a_task_has_a_fake_of_its_own() {
    support::block_on(async {
        let fake = aio::FakeCache::new();
        fake.faults().fail_next("fill", 1);
        for _ in 0..2 {
            let load = async || Ok::<_, BoxError>(7);
            assert_eq!(fake.cache().get_or_compute("k", MINUTE, load).await.unwrap(), 7);
        }
        fake.assert_loaded("k", 2);
        fake.assert_value("k", &7);
    });
}

#[test]
fn the_fake_of_a_task_does_what_that_of_a_thread_does() {
    support::block_on(async {
        let fake = aio::FakeCache::new();
        let cache = fake.builder().timeout(MINUTE).build().unwrap();
        cache.set_many([("k", 1), ("l", 2)], 2 * MINUTE).await.unwrap();
        assert_eq!(fake.keys(), ["k", "l"]);
        fake.faults().delay_next("get", 1, MINUTE / 2);
        assert_eq!(cache.get::<i32>("k").await.unwrap(), Some(1));
        fake.faults().delay_next("get", 1, 2 * MINUTE);
        assert_eq!(cache.get::<i32>("k").await.unwrap_err().kind(), ErrorKind::Timeout);
        fake.assert_absent("k");
        fake.faults().drop_replies(Op::Any, 1);
        assert_eq!(cache.set("k", &3, Ttl::NEVER).await.unwrap_err().kind(), ErrorKind::Ambiguous);
        fake.assert_value("k", &3);
        // Another process, on the same server.
        assert_eq!(fake.elsewhere().cache().get::<i32>("k").await.unwrap(), Some(3));
        fake.forget_calls();
        assert!(cache.replace("k", &4, Ttl::NEVER).await.unwrap() && cache.touch("k", MINUTE).await.unwrap());
        assert_eq!(cache.incr("n", 2, Ttl::NEVER).await.unwrap(), 2);
        assert_eq!(cache.take::<i32>("k").await.unwrap(), Some(4));
        fake.assert_called("incr", 1);
        assert_eq!((fake.count("take"), fake.calls().len()), (1, 4));
        assert_eq!(cache.delete_pattern("n").await.unwrap(), 1);
        let load = async || {
            fake.lose_all_data();
            seven()
        };
        assert_eq!(cache.get_or_compute("m", MINUTE, load).await.unwrap(), 7);
        assert!(fake.keys().is_empty() && fake.loads("m") == 1, "what was lost is not filled");
        fake.faults().go_down();
        assert_eq!(cache.health().await.status, aio::Status::Down);
    });
}
