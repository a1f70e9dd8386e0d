//! The door to what threads share and wait on: locks, counts, queues and threads of std, or in the tests of their races those
//! of shuttle, which decides who goes on at each of them.

#[cfg(all(shuttle, test))]
mod doubles;
#[cfg(all(shuttle, test))]
pub(crate) mod schedules;

pub(crate) use std::sync::{PoisonError, TryLockError, TryLockResult};
#[cfg(not(all(shuttle, test)))]
pub(crate) use std::{
    sync::{Condvar, Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard, atomic, mpsc},
    thread,
};

#[cfg(all(shuttle, test))]
pub(crate) use self::doubles::{Condvar, Mutex, MutexGuard, mpsc};
#[cfg(all(shuttle, test))]
pub(crate) use shuttle::{
    sync::{RwLock, RwLockReadGuard, RwLockWriteGuard, atomic},
    thread,
};
