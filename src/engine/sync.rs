//! The door to what threads share and wait on: locks, counts, queues and threads of std, or in the tests of their races those
//! of shuttle, which decides who goes on at each of them.

#[cfg(all(shuttle, test))]
mod doubles;
#[cfg(all(shuttle, test))]
pub(crate) mod schedules;
#[cfg(not(all(shuttle, test)))]
mod spin_lock;

pub(crate) use std::sync::PoisonError;
#[cfg(not(all(shuttle, test)))]
pub(crate) use std::{
    sync::{Condvar, Mutex, MutexGuard, atomic, mpsc},
    thread,
};

#[cfg(all(shuttle, test))]
pub(crate) use self::doubles::{Condvar, Mutex, MutexGuard, SpinLock, SpinLockGuard, mpsc};
#[cfg(not(all(shuttle, test)))]
pub(crate) use self::spin_lock::{SpinLock, SpinLockGuard};
#[cfg(all(shuttle, test))]
pub(crate) use shuttle::{sync::atomic, thread};
