//! Locks and waits as std has them, over those of shuttle, which know no time: here a wait with an end is over once the
//! [hand](crate::now::hand) has passed it.

use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LockResult, PoisonError, TryLockError};
use std::time::Duration;

use shuttle::rand::{Rng, thread_rng};
use shuttle::sync as inner;
use shuttle::thread::{self, Thread};

use crate::now::hand;

/// A mutex whose guard knows it, so that a wait can lock it again.
#[derive(Default)]
pub(crate) struct Mutex<T>(inner::Mutex<T>);

pub(crate) struct MutexGuard<'a, T> {
    mutex: &'a Mutex<T>,
    held: inner::MutexGuard<'a, T>,
}

impl<T> Mutex<T> {
    pub(crate) fn new(value: T) -> Mutex<T> {
        Mutex(inner::Mutex::new(value))
    }

    pub(crate) fn lock(&self) -> LockResult<MutexGuard<'_, T>> {
        match self.0.lock() {
            Ok(held) => Ok(MutexGuard { mutex: self, held }),
            Err(poisoned) => Err(PoisonError::new(MutexGuard { mutex: self, held: poisoned.into_inner() })),
        }
    }
}

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.held
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.held
    }
}

/// Who waits for it is let in by shuttle; a panic of its holder releases it.
pub(crate) struct SpinLock<T>(inner::Mutex<T>);

pub(crate) type SpinLockGuard<'a, T> = inner::MutexGuard<'a, T>;

impl<T> SpinLock<T> {
    pub(crate) fn new(value: T) -> SpinLock<T> {
        SpinLock(inner::Mutex::new(value))
    }

    pub(crate) fn try_lock(&self) -> Option<SpinLockGuard<'_, T>> {
        match self.0.try_lock() {
            Ok(guard) => Some(guard),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    pub(crate) fn lock(&self) -> SpinLockGuard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A condition. Whom of those who wait a notice reaches is shuttle's choice; it reaches nobody who comes later, nor whose
/// wait has ended.
#[derive(Default)]
pub(crate) struct Condvar {
    queue: Arc<Queue>,
}

/// No step of shuttle's lies within its lock.
type Queue = std::sync::Mutex<Vec<Arc<Waiter>>>;

struct Waiter {
    thread: Thread,
    /// Whether a notice or the end of its time has reached it.
    released: AtomicBool,
}

impl Condvar {
    pub(crate) fn new() -> Condvar {
        Condvar::default()
    }

    pub(crate) fn wait<'a, T>(&self, guard: MutexGuard<'a, T>) -> LockResult<MutexGuard<'a, T>> {
        self.enqueue().sleep(guard)
    }

    /// Nobody asks which of the two has ended the wait: they look at the clock.
    pub(crate) fn wait_timeout<'a, T>(
        &self,
        guard: MutexGuard<'a, T>,
        most: Duration,
    ) -> LockResult<(MutexGuard<'a, T>, ())> {
        let waiter = self.enqueue();
        let (queue, late) = (Arc::clone(&self.queue), Arc::clone(&waiter));
        hand::ring_at(hand::now() + most, move || {
            let is_waiting = {
                let mut queue = queue.lock().unwrap();
                let place = queue.iter().position(|waiter| Arc::ptr_eq(waiter, &late));
                place.map(|place| queue.remove(place)).is_some()
            };
            if is_waiting {
                late.release();
            }
        });
        match waiter.sleep(guard) {
            Ok(guard) => Ok((guard, ())),
            Err(poisoned) => Err(PoisonError::new((poisoned.into_inner(), ()))),
        }
    }

    pub(crate) fn notify_one(&self) {
        thread::yield_now();
        let reached = {
            let mut queue = self.queue.lock().unwrap();
            let waiting = queue.len();
            (waiting > 0).then(|| queue.swap_remove(thread_rng().gen_range(0..waiting)))
        };
        reached.into_iter().for_each(|waiter| waiter.release());
    }

    pub(crate) fn notify_all(&self) {
        thread::yield_now();
        let reached = std::mem::take(&mut *self.queue.lock().unwrap());
        reached.into_iter().for_each(|waiter| waiter.release());
    }

    /// Done while the mutex is still held, so whoever takes it next finds the waiter there.
    fn enqueue(&self) -> Arc<Waiter> {
        let waiter = Arc::new(Waiter { thread: thread::current(), released: AtomicBool::new(false) });
        self.queue.lock().unwrap().push(Arc::clone(&waiter));
        waiter
    }
}

impl Waiter {
    fn sleep<'a, T>(&self, guard: MutexGuard<'a, T>) -> LockResult<MutexGuard<'a, T>> {
        let mutex = guard.mutex;
        drop(guard);
        while !self.released.load(Ordering::SeqCst) {
            thread::park();
        }
        mutex.lock()
    }

    fn release(&self) {
        self.released.store(true, Ordering::SeqCst);
        self.thread.unpark();
    }
}

pub(crate) mod mpsc {
    use super::{Duration, hand, inner, thread};

    pub(crate) use inner::mpsc::{RecvTimeoutError, SyncSender, TryRecvError, TrySendError};

    pub(crate) struct Receiver<T>(inner::mpsc::Receiver<T>);

    pub(crate) fn sync_channel<T>(bound: usize) -> (SyncSender<T>, Receiver<T>) {
        let (sender, receiver) = inner::mpsc::sync_channel(bound);
        (sender, Receiver(receiver))
    }

    impl<T> Receiver<T> {
        /// Looks again and again. Where nobody else can go on, shuttle's bound on steps ends it.
        pub(crate) fn recv_timeout(&self, most: Duration) -> Result<T, RecvTimeoutError> {
            let end = hand::now() + most;
            loop {
                match self.0.try_recv() {
                    Ok(message) => return Ok(message),
                    Err(TryRecvError::Disconnected) => return Err(RecvTimeoutError::Disconnected),
                    Err(TryRecvError::Empty) if hand::now() >= end => return Err(RecvTimeoutError::Timeout),
                    Err(TryRecvError::Empty) => thread::yield_now(),
                }
            }
        }
    }

    impl<T> IntoIterator for Receiver<T> {
        type Item = T;
        type IntoIter = inner::mpsc::IntoIter<T>;

        fn into_iter(self) -> Self::IntoIter {
            self.0.into_iter()
        }
    }
}
