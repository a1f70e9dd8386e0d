//! Runs a trial in many orders.

use crate::now::hand;

/// Runs the trial in 10,000 orders of its steps, or `RACES_SCHEDULES` of them, each from its own beginning of time. A thread
/// that waits for ever fails it too; what failed is printed with the order that has shown it.
pub(crate) fn in_any_order(trial: impl Fn() + Send + Sync + 'static) {
    let wanted = std::env::var("RACES_SCHEDULES").ok();
    let schedules = wanted.map_or(10_000, |wanted| wanted.parse().expect("RACES_SCHEDULES is a number"));
    let begin_anew = move || {
        hand::reset();
        trial();
    };
    shuttle::check_random(begin_anew, schedules);
}
