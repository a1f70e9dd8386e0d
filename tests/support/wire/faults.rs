use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::spoil::{Spoil, Spoiled};

/// What the relay shall do to the bytes, and the one place where its threads wait for a change of that.
#[derive(Debug, Default)]
pub struct Faults {
    knobs: Mutex<Knobs>,
    changed: Condvar,
}

#[derive(Debug, Default)]
pub struct Knobs {
    pub replies: Delay,
    pub requests: Delay,
    pub spoil: Option<Spoil>,
    pub trickle: Option<(usize, Duration)>,
    pub blackhole: bool,
    pub refuse: bool,
    pub swallow: bool,
    ended: bool,
}

/// How long bytes that contain this are held back; an empty pattern is in all of them.
#[derive(Debug, Default)]
pub struct Delay {
    pub time: Duration,
    pub only: Vec<u8>,
}

impl Faults {
    pub fn set(&self, set: impl FnOnce(&mut Knobs)) {
        set(&mut self.lock());
        self.changed.notify_all();
    }

    pub fn end(&self) {
        self.set(|knobs| knobs.ended = true);
    }

    pub fn has_ended(&self) -> bool {
        self.lock().ended
    }

    pub fn refuses(&self) -> bool {
        self.lock().refuse
    }

    /// Whether this request goes no further.
    pub fn swallows(&self) -> bool {
        std::mem::take(&mut self.lock().swallow)
    }

    /// Returns when the bytes may pass.
    pub fn hold(&self) {
        let closed = |knobs: &mut Knobs| knobs.blackhole && !knobs.ended;
        drop(self.changed.wait_while(self.lock(), closed).unwrap_or_else(PoisonError::into_inner));
    }

    pub fn delay_reply(&self, bytes: &[u8]) {
        self.wait(|knobs| knobs.replies.of(bytes));
    }

    pub fn delay_request(&self, bytes: &[u8]) {
        self.wait(|knobs| knobs.requests.of(bytes));
    }

    /// How many bytes are to pass at a time.
    pub fn step(&self) -> Option<usize> {
        self.lock().trickle.map(|(step, _)| step)
    }

    /// The pause between two pieces of a reply that trickles.
    pub fn pause(&self) {
        self.wait(|knobs| knobs.trickle.map_or(Duration::ZERO, |(_, pause)| pause));
    }

    /// What becomes of these reply bytes.
    pub fn spoil(&self, bytes: &[u8]) -> Spoiled {
        Spoil::apply(&mut self.lock().spoil, bytes)
    }

    /// Waits this long; a time that is changed meanwhile counts from the same start.
    fn wait(&self, time: impl Fn(&Knobs) -> Duration) {
        let start = Instant::now();
        let mut knobs = self.lock();
        while let Some(left) = time(&knobs).checked_sub(start.elapsed()).filter(|left| !left.is_zero()) {
            if knobs.ended {
                return;
            }
            knobs = self.changed.wait_timeout(knobs, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Knobs> {
        self.knobs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Delay {
    pub fn of_all(time: Duration) -> Delay {
        Delay { time, only: Vec::new() }
    }

    fn of(&self, bytes: &[u8]) -> Duration {
        let found = self.only.is_empty() || bytes.windows(self.only.len()).any(|window| window == self.only);
        if found { self.time } else { Duration::ZERO }
    }
}
