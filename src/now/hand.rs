//! Time where shuttle decides who goes on: it stands until a thread of the test moves it, which may happen between any two
//! steps of the others, and then rings for whoever has waited for it.

use std::cell::RefCell;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

/// What is to happen at some point in time.
type Bell = (Instant, Box<dyn FnOnce()>);

#[derive(Default)]
struct Hand {
    moved: Duration,
    bells: Vec<Bell>,
}

thread_local! {
    /// All threads of an execution are one to the system.
    static HAND: RefCell<Hand> = RefCell::default();
}

static START: LazyLock<Instant> = LazyLock::new(super::machine::now);

pub(crate) fn now() -> Instant {
    *START + HAND.with_borrow(|hand| hand.moved)
}

/// Has something happen once it is that time.
pub(crate) fn ring_at(time: Instant, bell: impl FnOnce() + 'static) {
    HAND.with_borrow_mut(|hand| hand.bells.push((time, Box::new(bell))));
}

/// Lets so much time pass, in one step.
pub(crate) fn pass(time: Duration) {
    shuttle::thread::yield_now();
    HAND.with_borrow_mut(|hand| hand.moved += time);
    let now = now();
    let due: Vec<Bell> =
        HAND.with_borrow_mut(|hand| hand.bells.extract_if(.., |bell| bell.0 <= now).collect());
    due.into_iter().for_each(|(_, ring)| ring());
}

/// Begins anew, for the next execution.
pub(crate) fn reset() {
    HAND.take();
}
