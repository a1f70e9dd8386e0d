//! Reloads beside the callers, in both worlds: what they serve meanwhile, how many run, and how they end.
#![cfg(feature = "async")]

#[path = "background/ends.rs"]
mod ends;
mod support;

use std::cell::Cell;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use lexigram_cache::{BoxError, Clock, ErrorKind, Fetched, Memory, Origin, Policy, PolicyBuilder, Staleness};
use support::{World, block_on, call, eventually, worlds};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);
const MOMENT: Duration = Duration::from_millis(100);
/// For machines that are busy.
const PATIENCE: Duration = Duration::from_secs(10);

/// A cache that keeps values an hour past their time, and what its origin was asked.
struct Desk {
    world: World,
    memory: Memory,
    clock: Clock,
}

fn each(test: impl Fn(Desk)) {
    desks().into_iter().for_each(test);
}

/// One of each world.
fn desks() -> [Desk; 2] {
    [0, 1].map(|world| {
        let clock = Clock::hand();
        let memory = Memory::builder().clock(clock.clone()).build().unwrap();
        let worlds = worlds!(memory, stale_for(HOUR), timeout(PATIENCE));
        Desk { world: worlds[world].clone(), memory, clock }
    })
}

impl Desk {
    /// Stores ones whose time is up.
    fn outdate<'a>(&self, keys: impl IntoIterator<Item = &'a str>) {
        let keys: Vec<_> = keys.into_iter().map(|key| (key, 1_u32)).collect();
        call!(&self.world, cache => cache.set_many(keys, MINUTE)).unwrap();
        self.clock.advance(MINUTE);
    }

    fn policy(&self, set: impl FnOnce(PolicyBuilder) -> PolicyBuilder) -> Policy {
        self.world.policy(|policy| set(policy.ttl(MINUTE)))
    }

    fn fetch(&self, key: &str, load: impl FnOnce() -> Loads + Send + 'static) -> Fetched<u32> {
        self.world.fetch_beside(key, &self.policy(|policy| policy), load).unwrap()
    }

    fn holds(&self, value: u32) -> bool {
        holds(&self.memory, value)
    }
}

/// As one who comes later and looks at the same memory sees it.
fn holds(memory: &Memory, value: u32) -> bool {
    let [world, _] = worlds!(*memory, stale_for(HOUR));
    call!(&world, cache => cache.get::<u32>("k")).unwrap() == Some(value)
}

type Loads = Result<u32, BoxError>;

/// A loader that tells when it runs and waits for a word before it gives 2.
fn parked() -> (impl FnOnce() -> Loads + Send + 'static, Receiver<()>, Sender<()>) {
    let ((began, running), (word, said)) = (mpsc::channel(), mpsc::channel());
    let load = move || {
        began.send(()).unwrap();
        // To drop the other end says it too.
        let _ = said.recv_timeout(PATIENCE);
        Ok(2)
    };
    (load, running, word)
}

fn assert_stale(fetched: &Fetched<u32>, why: fn(&Staleness) -> bool) {
    assert!(matches!(&fetched.source, Origin::Stale(reason) if why(reason)), "{fetched:?}");
    assert_eq!(fetched.value, 1);
}

#[test]
fn a_reload_runs_beside_its_caller_who_is_served_at_once() {
    each(|desk| {
        desk.outdate(["k"]);
        let (load, running, word) = parked();
        assert_stale(&desk.fetch("k", load), |why| matches!(why, Staleness::Refreshing));
        running.recv_timeout(PATIENCE).unwrap();
        assert!(!desk.holds(2), "nobody has said the word");
        drop(word);
        eventually("the new value is stored", PATIENCE, || desk.holds(2));
        assert!(matches!(desk.fetch("k", || panic!("it is fresh")).source, Origin::Memory));
    });
}

#[test]
fn a_value_that_is_missing_is_loaded_by_its_caller() {
    each(|desk| assert!(matches!(desk.fetch("k", || Ok(1)).source, Origin::Loaded)));
}

#[test]
fn threads_have_one_thread_for_their_reloads() {
    let [desk, _] = desks();
    desk.outdate(["a", "b"]);
    let (told, telling) = mpsc::channel();
    for key in ["a", "b"] {
        let told = told.clone();
        desk.fetch(key, move || Ok(told.send(thread::current()).map(|()| 2)?));
    }
    let [a, b] = [telling.recv_timeout(PATIENCE).unwrap(), telling.recv_timeout(PATIENCE).unwrap()];
    assert_eq!((a.name(), a.id()), (Some("cache-reload"), b.id()));
}

#[test]
fn tasks_have_a_task_for_each_reload() {
    let [_, desk] = desks();
    desk.outdate(["k"]);
    let World::Tasks(cache) = &desk.world else { unreachable!("tasks are the second world") };
    let (told, telling) = mpsc::channel();
    let load = move || async move {
        tokio::task::yield_now().await;
        told.send(tokio::task::try_id()).map(|()| 2_u32).map_err(BoxError::from)
    };
    block_on(cache.fetch_in_background("k", desk.policy(|policy| policy), load)).unwrap();
    assert!(telling.recv_timeout(PATIENCE).unwrap().is_some(), "it ran as a task");
}

#[test]
fn of_many_callers_one_has_the_value_reloaded() {
    each(|desk| {
        desk.outdate(["k"]);
        let loads = Arc::new(AtomicU32::new(0));
        let (load, running, word) = parked();
        let first = Mutex::new(Some(load));
        let call = || {
            let (loads, load) = (Arc::clone(&loads), first.lock().unwrap().take());
            desk.fetch("k", move || {
                loads.fetch_add(1, Ordering::SeqCst);
                load.map_or(Ok(3), |load| load())
            })
        };
        assert_stale(&call(), |why| matches!(why, Staleness::Refreshing));
        running.recv_timeout(PATIENCE).unwrap();
        thread::scope(|scope| {
            (0..32).for_each(|_| drop(scope.spawn(|| assert_eq!(call().value, 1))));
        });
        drop(word);
        eventually("the new value is stored", PATIENCE, || desk.holds(2));
        assert_eq!(loads.load(Ordering::SeqCst), 1);
    });
}

#[test]
fn within_the_soft_limit_a_caller_waits_for_the_new_value() {
    each(|desk| {
        desk.outdate(["k"]);
        let patient = desk.policy(|policy| policy.soft_limit(PATIENCE));
        let fetched = desk.world.fetch_beside("k", &patient, || Ok(2)).unwrap();
        assert!(matches!((fetched.value, fetched.source), (2, Origin::Joined)));
    });
}

#[test]
fn beyond_the_soft_limit_a_caller_takes_the_old_value() {
    each(|desk| {
        desk.outdate(["k"]);
        let (load, running, word) = parked();
        let hasty = desk.policy(|policy| policy.soft_limit(MOMENT));
        let start = Instant::now();
        let fetched = desk.world.fetch_beside("k", &hasty, load).unwrap();
        assert_stale(&fetched, |why| matches!(why, Staleness::WaitTimedOut));
        assert!((MOMENT..MOMENT + PATIENCE / 2).contains(&start.elapsed()), "{:?}", start.elapsed());
        running.recv_timeout(PATIENCE).unwrap();
        drop(word);
        eventually("the load went on", PATIENCE, || desk.holds(2));
    });
}

#[test]
fn a_loader_that_panics_costs_nobody_a_value_and_the_next_call_reloads() {
    each(|desk| {
        desk.outdate(["k"]);
        let patient = desk.policy(|policy| policy.soft_limit(PATIENCE));
        let panics = || resume_unwind(Box::new(()));
        let fetched = desk.world.fetch_beside("k", &patient, panics).unwrap();
        assert_stale(&fetched, |why| match why {
            Staleness::LoadFailed(error) => error.kind() == ErrorKind::LoaderPanicked,
            _ => false,
        });
        assert_eq!(desk.world.fetch_beside("k", &patient, || Ok(2)).unwrap().value, 2);
    });
}

#[test]
fn a_loader_that_fails_is_not_asked_again_before_the_backoff_is_over() {
    each(|desk| {
        desk.outdate(["k"]);
        let patient = desk.policy(|policy| policy.soft_limit(PATIENCE));
        let fetched = desk.world.fetch_beside("k", &patient, || Err("the origin is down".into())).unwrap();
        assert_stale(&fetched, |why| matches!(why, Staleness::LoadFailed(_)));
        let fetched = desk.fetch("k", || panic!("it is too soon"));
        assert_stale(&fetched, |why| matches!(why, Staleness::BackingOff));
        desk.clock.advance(Duration::from_secs(30));
        assert_eq!(desk.world.fetch_beside("k", &patient, || Ok(2)).unwrap().value, 2);
    });
}

#[test]
fn reloads_beyond_sixty_four_are_left_to_a_later_read_and_keep_nobody() {
    each(|desk| {
        let names: Vec<String> = (0..100).map(|n| format!("{n}")).collect();
        desk.outdate(names.iter().map(String::as_str));
        let (loads, (word, said)) = (Arc::new(AtomicU32::new(0)), mpsc::channel::<()>());
        let said = Arc::new(Mutex::new(said));
        let start = Instant::now();
        for name in &names {
            let (loads, said) = (Arc::clone(&loads), Arc::clone(&said));
            let fetched = desk.fetch(name, move || {
                let _ = said.lock().unwrap().recv_timeout(PATIENCE);
                Ok(loads.fetch_add(1, Ordering::SeqCst) + 2)
            });
            assert_stale(&fetched, |why| matches!(why, Staleness::Refreshing));
        }
        assert!(start.elapsed() < PATIENCE / 2, "{:?}", start.elapsed());
        drop(word);
        let done = || loads.load(Ordering::SeqCst) >= 64;
        eventually("those that were taken are done", PATIENCE, done);
        let reload = || {
            let stale = |name: &&String| desk.fetch(name, || Ok(2)).is_stale();
            names.iter().filter(stale).count() == 0
        };
        eventually("a later read reloads the others", PATIENCE, reload);
        assert!(loads.load(Ordering::SeqCst) <= 65, "one runs and 64 wait, at the most");
    });
}

#[test]
fn a_loader_need_not_be_shared_between_threads_nor_be_cloned() {
    each(|desk| {
        desk.outdate(["k"]);
        let unshared = Cell::new(Box::new(2));
        let patient = desk.policy(|policy| policy.soft_limit(PATIENCE));
        let fetched = desk.world.fetch_beside("k", &patient, move || Ok(*unshared.into_inner())).unwrap();
        assert_eq!(fetched.value, 2);
    });
}
