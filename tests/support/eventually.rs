use std::thread;
use std::time::{Duration, Instant};

/// Returns as soon as `condition` holds, and panics with `what` when it does not hold `within` the limit.
pub fn eventually(what: &str, within: Duration, condition: impl FnMut() -> bool) {
    assert!(poll(within, condition), "waited {within:?} in vain: {what}");
}

pub fn poll(within: Duration, mut condition: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + within;
    while !condition() {
        if Instant::now() >= end {
            return false;
        }
        thread::park_timeout(STEP);
    }
    true
}

const STEP: Duration = Duration::from_millis(2);
