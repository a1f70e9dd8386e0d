//! The world of threads: waiting parks, later work runs now.

#[cfg(feature = "testing")]
mod crowd;
mod flight;
#[cfg(any(feature = "redis", feature = "memcached"))]
mod pool;
#[cfg(any(feature = "redis", feature = "memcached"))]
mod socket;

#[cfg(feature = "memcached")]
pub(crate) mod memcached;
#[cfg(feature = "redis")]
pub(crate) mod redis;

pub(crate) use std::ops::FnMut as LoadMany;
pub(crate) use std::ops::FnOnce as Load;

#[cfg(feature = "testing")]
pub(crate) use self::crowd::{crowd, sleep};
pub(crate) use self::flight::{is_loading, landed, loading};
pub(crate) use super::sweeper::sweep_every;

/// Lets others run before a conflicting write is tried again.
pub(crate) fn yield_now() {
    std::thread::yield_now();
}
