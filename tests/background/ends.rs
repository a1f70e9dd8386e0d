//! A cache that is closed or dropped while its values are being reloaded.

use std::cell::Cell;
use std::sync::mpsc::{self, Sender};
use std::thread;
use std::time::Instant;

use crate::support::{call, eventually};
use crate::{MOMENT, PATIENCE, desks, each, holds, parked};

#[test]
fn a_close_waits_for_the_reload_under_way_and_its_value_is_stored() {
    each(|desk| {
        desk.outdate(["k"]);
        let (load, running, word) = parked();
        desk.fetch("k", load);
        running.recv_timeout(PATIENCE).unwrap();
        thread::scope(|scope| {
            let closing = scope.spawn(|| desk.world.close());
            let closed = || call!(&desk.world, cache => cache.exists("k")).is_err();
            eventually("it is closed to callers", PATIENCE, closed);
            assert!(!closing.is_finished());
            drop(word);
            closing.join().unwrap();
        });
        assert!(desk.holds(2));
    });
}

#[test]
fn a_close_waits_no_longer_than_the_timeout() {
    each(|desk| {
        desk.outdate(["k"]);
        let (load, running, word) = parked();
        desk.fetch("k", load);
        running.recv_timeout(PATIENCE).unwrap();
        let start = Instant::now();
        desk.world.with_timeout(MOMENT).close();
        assert!((MOMENT..MOMENT + PATIENCE / 2).contains(&start.elapsed()), "{:?}", start.elapsed());
        drop(word);
        eventually("the reload ends all the same", PATIENCE, || desk.holds(2));
    });
}

/// Says it by its end.
struct Ends(#[expect(dead_code, reason = "its drop is what counts")] Sender<()>);

thread_local! {
    static LAST: Cell<Option<Ends>> = const { Cell::new(None) };
}

#[test]
fn a_cache_dropped_with_reloads_in_its_queue_does_them_and_ends_its_thread() {
    let [desk, _] = desks();
    desk.outdate(["j", "k"]);
    let (load, running, word) = parked();
    desk.fetch("j", load);
    running.recv_timeout(PATIENCE).unwrap();
    let (last, ended) = mpsc::channel();
    desk.fetch("k", move || {
        LAST.set(Some(Ends(last)));
        Ok(2)
    });
    drop(desk.world);
    drop(word);
    assert_eq!(ended.recv_timeout(PATIENCE), Err(mpsc::RecvTimeoutError::Disconnected), "the thread ends");
    assert!(holds(&desk.memory, 2));
}

#[test]
fn a_task_of_a_cache_that_was_dropped_ends() {
    let [_, desk] = desks();
    desk.outdate(["k"]);
    let (load, running, word) = parked();
    desk.fetch("k", load);
    running.recv_timeout(PATIENCE).unwrap();
    drop(desk.world);
    drop(word);
    eventually("its value is stored", PATIENCE, || holds(&desk.memory, 2));
}
