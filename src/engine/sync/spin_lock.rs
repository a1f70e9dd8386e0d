//! A lock for what takes a few dozen instructions.

use std::time::Duration;
use std::{hint, thread};

use spin::mutex::{SpinMutex, SpinMutexGuard};

/// Its release is a plain store. One that has to look for sleepers is an atomic exchange, which first has all earlier stores
/// written; that alone is a fifth of a read that finds all at hand.
///
/// The price is that nobody is woken: who finds it held looks again, in ever longer intervals. With more threads than
/// processors, where a holder may not be running, that costs about as much as the store brings.
pub(crate) struct SpinLock<T>(SpinMutex<T>);

pub(crate) type SpinLockGuard<'a, T> = SpinMutexGuard<'a, T>;

impl<T> SpinLock<T> {
    pub(crate) fn new(value: T) -> SpinLock<T> {
        SpinLock(SpinMutex::new(value))
    }

    #[inline(always)]
    pub(crate) fn try_lock(&self) -> Option<SpinLockGuard<'_, T>> {
        self.0.try_lock()
    }

    #[inline(always)]
    pub(crate) fn lock(&self) -> SpinLockGuard<'_, T> {
        self.try_lock().unwrap_or_else(|| self.wait())
    }

    #[cold]
    #[inline(never)]
    fn wait(&self) -> SpinLockGuard<'_, T> {
        let mut looks = 0;
        loop {
            pause(looks);
            looks += 1;
            // A look without a try leaves the cache line with the holder.
            if !self.0.is_locked()
                && let Some(guard) = self.try_lock()
            {
                return guard;
            }
        }
    }
}

/// After so many looks in vain: first goes on at once, then lets others run, since the holder may wait for this
/// processor, then sleeps, since a holder of lower priority runs only then.
fn pause(looks: u32) {
    match looks {
        ..AT_ONCE => (0..1 << looks).for_each(|_| hint::spin_loop()),
        AT_ONCE..AWAKE => thread::yield_now(),
        _ => thread::sleep(SLEEP * (1 << (looks - AWAKE).min(LONGEST))),
    }
}

const AT_ONCE: u32 = 6;
const AWAKE: u32 = 20;
const SLEEP: Duration = Duration::from_micros(50);
/// To the power of two: 1.6 ms.
const LONGEST: u32 = 5;

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use super::*;

    #[test]
    fn nobody_is_let_in_beside_the_holder() {
        let (lock, begin) = (SpinLock::new((0, 0)), Barrier::new(4));
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    begin.wait();
                    for _ in 0..10_000 {
                        let mut both = lock.lock();
                        both.0 += 1;
                        assert_eq!(both.0, both.1 + 1);
                        both.1 += 1;
                    }
                });
            }
        });
        assert_eq!(*lock.lock(), (40_000, 40_000));
    }

    #[test]
    fn who_waits_for_long_is_let_in_once_the_holder_has_gone() {
        let (lock, begin) = (SpinLock::new(0), Barrier::new(2));
        thread::scope(|scope| {
            let held = lock.lock();
            let waiting = scope.spawn(|| {
                begin.wait();
                *lock.lock() += 1;
            });
            begin.wait();
            assert!(lock.try_lock().is_none());
            // Long enough for the other to have gone to sleep.
            (0..AWAKE + 3).for_each(pause);
            drop(held);
            waiting.join().unwrap();
        });
        assert_eq!(*lock.lock(), 1);
    }

    #[test]
    fn a_panic_of_the_holder_releases_it() {
        let lock = SpinLock::new(0);
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let _held = lock.lock();
            panic!("by the test");
        }));
        assert!(panicked.is_err() && lock.try_lock().is_some());
    }
}
