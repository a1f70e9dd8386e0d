use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What the relay shall do to the bytes, and the one place where its threads wait for a change of that.
#[derive(Debug, Default)]
pub struct Faults {
    knobs: Mutex<Knobs>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Knobs {
    delay: Duration,
    cut_after: Option<usize>,
    blackhole: bool,
    ended: bool,
}

impl Faults {
    pub fn delay_replies(&self, delay: Duration) {
        self.change(|knobs| knobs.delay = delay);
    }

    pub fn cut_after(&self, reply_bytes: usize) {
        self.change(|knobs| knobs.cut_after = Some(reply_bytes));
    }

    pub fn blackhole(&self, on: bool) {
        self.change(|knobs| knobs.blackhole = on);
    }

    pub fn end(&self) {
        self.change(|knobs| knobs.ended = true);
    }

    pub fn has_ended(&self) -> bool {
        self.lock().ended
    }

    /// Returns when the bytes may pass.
    pub fn hold(&self) {
        let closed = |knobs: &mut Knobs| knobs.blackhole && !knobs.ended;
        drop(self.changed.wait_while(self.lock(), closed).unwrap_or_else(PoisonError::into_inner));
    }

    /// Waits as long as replies are to be delayed; a delay that is changed meanwhile counts from the same start.
    pub fn delay(&self) {
        let start = Instant::now();
        let mut knobs = self.lock();
        while let Some(left) = knobs.delay.checked_sub(start.elapsed()).filter(|left| !left.is_zero()) {
            if knobs.ended {
                return;
            }
            knobs = self.changed.wait_timeout(knobs, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// How many of these reply bytes may pass; fewer than `len` means: close after them.
    pub fn allow(&self, len: usize) -> usize {
        let mut knobs = self.lock();
        match knobs.cut_after {
            Some(left) if left < len => {
                knobs.cut_after = None;
                left
            }
            Some(left) => {
                knobs.cut_after = Some(left - len);
                len
            }
            None => len,
        }
    }

    fn change(&self, set: impl FnOnce(&mut Knobs)) {
        set(&mut self.lock());
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Knobs> {
        self.knobs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
