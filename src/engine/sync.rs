//! The locks and counts that engines share between threads: those of std, or in the tests of their races those of
//! shuttle, which decides who goes on at each of them.

#[cfg(not(all(shuttle, test)))]
pub(crate) use std::sync::{
    Condvar, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, atomic,
};

#[cfg(all(shuttle, test))]
pub(crate) use shuttle::sync::{
    Condvar, Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard, atomic,
};
#[cfg(all(shuttle, test))]
pub(crate) use std::sync::PoisonError;
