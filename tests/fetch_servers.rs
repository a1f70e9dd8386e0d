//! The policy of a fetch where two processes share a server, as Redis and Memcached have it.
#![cfg(all(
    feature = "redis",
    feature = "memcached",
    feature = "async",
    feature = "json",
    feature = "postcard"
))]

#[path = "contract/shelf.rs"]
mod shelf;
mod support;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::thread::{scope, sleep};
use std::time::{Duration, Instant};

use lexigram_cache::{
    BoxError, Cache, ErrorKind, Fetched, Format, Memcached, Origin, Policy, Staleness, aio,
};
use support::{Kind, Pair, World, block_on, call, elsewhere, eventually, memcached, pairs, side_by_side};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
/// For machines that are busy.
const PATIENCE: Duration = Duration::from_secs(10);

/// Pairs that keep values a minute past their time.
fn each(test: impl Fn(&Pair) + Sync) {
    side_by_side(pairs!(stale_for(MINUTE), timeout(PATIENCE)), test);
}

fn policy(world: &World) -> Policy {
    world.policy(|policy| policy.ttl(MINUTE))
}

fn fetch(world: &World, policy: &Policy, value: u32) -> Fetched<u32> {
    world.fetch("k", policy, || Ok::<_, BoxError>(value)).unwrap()
}

/// Fetches where nobody is to be asked.
fn fetch_without_load(world: &World, policy: &Policy) -> Fetched<u32> {
    world.fetch("k", policy, || -> Result<u32, BoxError> { panic!("the origin was asked") }).unwrap()
}

fn fetch_in_vain(world: &World, policy: &Policy) -> lexigram_cache::Result<Fetched<u32>> {
    world.fetch("k", policy, || Err::<u32, BoxError>("the origin is down".into()))
}

/// A value with less to stay than values are kept past their time: its own was up half a minute ago.
fn put_outdated(pair: &Pair) {
    pair.put("k", "1", 30);
}

fn assert_stale(fetched: &Fetched<u32>, why: fn(&Staleness) -> bool) {
    assert!(matches!(&fetched.source, Origin::Stale(reason) if why(reason)), "{fetched:?}");
}

#[test]
fn a_value_past_its_time_is_served_while_the_origin_fails() {
    each(|pair| {
        let policy = pair.here.policy(|policy| policy.ttl(SECOND));
        assert!(matches!(fetch(&pair.here, &policy, 1).source, Origin::Loaded));
        let ended = || !call!(&pair.here, cache => cache.exists("k")).unwrap();
        eventually("its time is up", PATIENCE, ended);
        let fetched = fetch_in_vain(&pair.here, &policy).unwrap();
        assert_eq!(fetched.value, 1);
        assert_stale(
            &fetched,
            |why| matches!(why, Staleness::LoadFailed(error) if error.kind() == ErrorKind::Loader),
        );
    });
}

#[test]
fn no_plain_read_sees_a_value_past_its_time() {
    each(|pair| {
        put_outdated(pair);
        let world = &pair.here;
        assert_eq!(call!(world, cache => cache.get::<u32>("k")).unwrap(), None);
        assert_eq!(call!(world, cache => cache.get_many::<u32>(["k"])).unwrap().len(), 0);
        assert!(!call!(world, cache => cache.exists("k")).unwrap());
        assert_eq!(call!(world, cache => cache.ttl("k")).unwrap(), None);
        assert_eq!(pair.text("k").as_deref(), Some("1"), "it is there all the same");
    });
}

#[test]
fn one_process_reloads_and_the_other_serves_what_is_there() {
    each(|pair| {
        put_outdated(pair);
        let policy = policy(&pair.here);
        let load = || {
            assert!(pair.is_marked("k"));
            let other = elsewhere(|| fetch_without_load(&pair.there, &policy));
            assert_eq!(other.value, 1);
            assert_stale(&other, |why| matches!(why, Staleness::Refreshing));
            Ok::<u32, BoxError>(2)
        };
        let fetched = pair.here.fetch("k", &policy, load).unwrap();
        assert!(matches!((fetched.value, fetched.source), (2, Origin::Loaded)));
        let fetched = fetch_without_load(&pair.there, &policy);
        assert!(matches!((fetched.value, fetched.source), (2, Origin::Remote)));
        eventually("the mark is cleared", PATIENCE, || !pair.is_marked("k"));
    });
}

#[test]
fn a_reload_that_outlasts_its_mark_keeps_it() {
    let lock_ttl = Duration::from_millis(500);
    side_by_side(pairs!(stale_for(MINUTE), timeout(PATIENCE), lock_ttl(lock_ttl)), |pair| {
        put_outdated(pair);
        let policy = policy(&pair.here);
        let start = Instant::now();
        let is_over = || start.elapsed() > 3 * SECOND;
        scope(|scope| {
            let reload = scope.spawn(|| pair.here.fetch_until("k", &policy, 2_u32, is_over));
            eventually("it is marked", PATIENCE, || pair.is_marked("k"));
            while !reload.is_finished() && !is_over() {
                let other = pair.there.fetch("k", &policy, || Ok::<u32, BoxError>(3)).unwrap();
                assert!(other.value < 3, "the other reloads too, after {:?}", start.elapsed());
                sleep(Duration::from_millis(20));
            }
            assert_eq!(reload.join().unwrap().unwrap().value, 2);
        });
    });
}

#[test]
fn a_failed_reload_is_not_tried_again_by_any_process_before_the_backoff_is_over() {
    each(|pair| {
        put_outdated(pair);
        let policy = pair.here.policy(|policy| policy.ttl(MINUTE).backoff(3 * SECOND));
        let start = Instant::now();
        fetch_in_vain(&pair.here, &policy).unwrap();
        // On Memcached, 3 s may end after 2.
        while start.elapsed() < 3 * SECOND / 2 {
            let (here, there) =
                (fetch_without_load(&pair.here, &policy), fetch_without_load(&pair.there, &policy));
            assert_stale(&here, |why| matches!(why, Staleness::BackingOff));
            assert_stale(&there, |why| matches!(why, Staleness::Refreshing));
            sleep(SECOND / 20);
        }
        let again = || matches!(fetch(&pair.there, &policy, 2).source, Origin::Loaded);
        eventually("the other tries again", PATIENCE, again);
    });
}

#[test]
fn a_failed_reload_keeps_nobody_from_loading_who_does_not_take_the_old_value() {
    each(|pair| {
        put_outdated(pair);
        fetch_in_vain(&pair.here, &policy(&pair.here)).unwrap();
        for world in [&pair.here, &pair.there] {
            let choosy = world.policy(|policy| policy.ttl(MINUTE).stale_for(SECOND));
            let start = Instant::now();
            assert_eq!(fetch_in_vain(world, &choosy).unwrap_err().kind(), ErrorKind::Loader);
            assert!(start.elapsed() < 3 * SECOND, "{:?}", start.elapsed());
        }
        let choosy = pair.there.policy(|policy| policy.ttl(MINUTE).stale_for(SECOND));
        assert!(matches!(fetch(&pair.there, &choosy, 2).source, Origin::Loaded));
        assert_eq!(pair.text("k").as_deref(), Some("2"));
    });
}

type Act = fn(&Pair);

#[test]
fn what_another_client_does_during_a_reload_stands() {
    let removes: Act = |pair| pair.remove("k");
    let writes: Act = |pair| pair.put("k", "9", 100);
    let meanwhile = [(removes, None), (writes, Some("9"))];
    each(|pair| {
        for (act, expected) in meanwhile {
            put_outdated(pair);
            let load = || {
                act(pair);
                Ok::<u32, BoxError>(2)
            };
            let fetched = pair.here.fetch("k", &policy(&pair.here), load).unwrap();
            assert_eq!(fetched.value, 2, "its own caller gets it");
            assert_eq!(pair.text("k").as_deref(), expected);
            eventually("the mark is cleared", PATIENCE, || !pair.is_marked("k"));
        }
    });
}

#[test]
fn a_reload_that_panics_or_whose_task_is_dropped_leaves_it_to_the_next() {
    each(|pair| {
        put_outdated(pair);
        let policy = policy(&pair.here);
        match &pair.here {
            World::Threads(cache) => {
                let panics = || -> Result<u32, BoxError> { resume_unwind(Box::new(())) };
                catch_unwind(AssertUnwindSafe(|| cache.fetch("k", &policy, panics))).unwrap_err();
            }
            World::Tasks(cache) => block_on(async {
                let (begun, mut beginning) = tokio::sync::mpsc::channel::<()>(1);
                let load = async || {
                    let _ = begun.send(()).await;
                    std::future::pending::<Result<u32, BoxError>>().await
                };
                tokio::select! {
                    _ = cache.fetch("k", &policy, load) => unreachable!("it never ends"),
                    _ = beginning.recv() => {}
                }
            }),
        }
        let next = || matches!(fetch(&pair.there, &policy, 2).source, Origin::Loaded);
        eventually("the other reloads", PATIENCE, next);
        assert_eq!(pair.text("k").as_deref(), Some("2"));
    });
}

/// A value whose load takes a moment, under a policy of the fetch's own. No integer: those have no frame.
fn load_slowly(pair: &Pair) {
    let early = pair.here.policy(|policy| policy.ttl(MINUTE).early(1.0));
    pair.here.fetch("k", &early, || slowly("old")).unwrap();
}

fn slowly(value: &str) -> Result<String, BoxError> {
    sleep(Duration::from_millis(20));
    Ok(value.to_owned())
}

/// Where the value comes from for the other process, which is eager to reload it.
fn fetch_eagerly(pair: &Pair) -> Origin {
    let eager = pair.there.policy(|policy| policy.ttl(MINUTE).early(EAGER));
    pair.there.fetch("k", &eager, || Ok::<_, BoxError>("new".to_owned())).unwrap().source
}

/// A minute is left: 20 ms · 10⁹ · −ln(chance) is more, but for one draw in 10⁵.
const EAGER: f64 = 1e9;

#[test]
fn a_framed_value_tells_other_processes_how_long_it_took_to_load() {
    side_by_side(pairs!(format(Format::Postcard), timeout(PATIENCE)), |pair| {
        load_slowly(pair);
        assert!(matches!(fetch_eagerly(pair), Origin::Loaded));
    });
}

#[test]
fn without_a_frame_a_process_goes_by_its_own_loads() {
    side_by_side(pairs!(timeout(PATIENCE)), |pair| {
        load_slowly(pair);
        assert!(matches!(fetch_eagerly(pair), Origin::Remote));
        pair.there.load("other", || slowly("other")).unwrap();
        assert!(matches!(fetch_eagerly(pair), Origin::Loaded));
    });
}

#[test]
fn a_fetched_value_is_its_json_text_on_the_wire() {
    each(|pair| {
        let policy = pair.here.policy(|policy| policy.ttl(MINUTE).early(1.0).refresh_ahead(0.1));
        let load = || Ok::<_, BoxError>(vec![Some("a\"b".to_owned()), None]);
        pair.here.fetch("k", &policy, load).unwrap();
        assert_eq!(pair.text("k").as_deref(), Some(r#"["a\"b",null]"#));
    });
}

#[test]
fn a_backend_that_cannot_hide_values_past_their_time_is_given_none() {
    let threads = Cache::builder().backend(shelf::Shelf::default()).stale_for(SECOND).build();
    assert_eq!(threads.unwrap_err().kind(), ErrorKind::Unsupported);
    let tasks = aio::Cache::builder().backend(shelf::Shelf::default()).stale_for(SECOND).build();
    assert_eq!(tasks.unwrap_err().kind(), ErrorKind::Unsupported);
}

/// Memcached tells whole seconds.
#[test]
fn part_of_a_second_past_their_time_is_a_whole_one_on_memcached_and_makes_no_value_fresh_for_longer() {
    let part = Duration::from_millis(300);
    let pairs = pairs!(stale_for(part), timeout(PATIENCE));
    side_by_side(pairs.into_iter().filter(|pair| pair.kind == Kind::Memcached).collect(), |pair| {
        let policy = pair.here.policy(|policy| policy.ttl(SECOND).stale_for(part));
        for _ in 0..3 {
            call!(&pair.here, cache => cache.delete("k")).unwrap();
            fetch(&pair.here, &policy, 1);
            let stored = Instant::now();
            let mut alive = stored;
            eventually("its time is up", PATIENCE, || {
                let asked = Instant::now();
                let there = call!(&pair.here, cache => cache.exists("k")).unwrap();
                alive = if there { asked } else { alive };
                !there
            });
            assert!(alive - stored <= SECOND + SECOND / 20, "{:?}", alive - stored);
            assert_stale(&fetch_in_vain(&pair.here, &policy).unwrap(), |why| {
                matches!(why, Staleness::LoadFailed(_) | Staleness::BackingOff)
            });
        }
    });
    let cache = Cache::builder().backend(Memcached::builder([memcached().url()]).build().unwrap());
    let cache = cache.stale_for(part).build().unwrap();
    assert!(cache.policy().ttl(SECOND).stale_for(SECOND).build().is_ok(), "it keeps a whole second");
}
