//! No more than so many values a second.

use std::num::NonZero;
use std::thread;
use std::time::{Duration, Instant};

pub struct Pace {
    begun: Instant,
    each: Option<Duration>,
    taken: u32,
}

impl Pace {
    pub fn new(rate: Option<NonZero<u32>>) -> Pace {
        let each = rate.map(|rate| Duration::from_secs(1) / rate.get());
        Pace { begun: Instant::now(), each, taken: 0 }
    }

    /// Waits until one more may go. Whoever was held up does not catch up by more than a second's worth.
    pub fn wait(&mut self) {
        let Some(each) = self.each else { return };
        let due = self.begun + each * self.taken;
        let now = Instant::now();
        if due > now {
            thread::sleep(due - now);
        }
        self.taken += 1;
        if now.duration_since(self.begun) >= Duration::from_secs(1) {
            (self.begun, self.taken) = (due.max(now - Duration::from_secs(1)) + each, 0);
        }
    }
}
