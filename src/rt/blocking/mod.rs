//! The world of threads: waiting parks, later work has a thread of its own.

mod abreast;
mod agenda;
mod background;
#[cfg(feature = "testing")]
mod crowd;
#[cfg(any(feature = "redis", feature = "memcached"))]
mod dial;
mod flight;
mod loading;
#[cfg(any(feature = "redis", feature = "memcached"))]
mod pool;
#[cfg(any(feature = "redis", feature = "memcached"))]
mod socket;
#[cfg(any(feature = "redis", feature = "memcached"))]
mod stream;
#[cfg(all(feature = "redis", feature = "tls"))]
mod tls;
mod turn;

#[cfg(feature = "memcached")]
pub(crate) mod memcached;
#[cfg(feature = "redis")]
pub(crate) mod redis;

pub(crate) use std::ops::FnMut as LoadMany;
pub(crate) use std::ops::FnOnce as Load;
use std::time::Duration;

use crate::error::Result;

pub(crate) use self::abreast::abreast;
pub(crate) use self::agenda::{Renewing, detach, leave, patience, renewing, while_renewing};
pub(crate) use self::background::{Background, LaterLoad};
#[cfg(feature = "testing")]
pub(crate) use self::crowd::crowd;
pub(crate) use self::flight::landed;
pub(crate) use self::loading::{is_loading, loading};
pub(crate) use self::turn::called;
#[cfg(any(feature = "redis", feature = "memcached"))]
pub(crate) use super::guard::Guard;
pub(crate) use super::sweeper::{Sweeper as Looking, sweep_every};

/// Looks once per interval, on a thread that ends with what is returned; `None` if it cannot be started.
pub(crate) fn look_every(interval: Duration, look: impl Fn() + Send + 'static) -> Option<Looking> {
    super::sweeper::run_every("cache-watch", interval, look)
}

/// A thread's loader cannot be stopped: it runs to its end.
pub(crate) fn limited<R>(_limit: Option<Duration>, work: impl FnOnce() -> R) -> Result<R> {
    Ok(work())
}

/// A thread is not dropped under way, so nothing need be undone.
pub(crate) fn whole<T>(work: impl FnOnce() -> T, _undo: impl FnOnce(T) + Clone) -> Result<T> {
    Ok(work())
}

pub(crate) fn sleep(duration: Duration) {
    std::thread::sleep(duration);
}

/// Waits so long.
pub(crate) fn pause(duration: Duration) -> Result<()> {
    sleep(duration);
    Ok(())
}

/// A thread has no future to keep small.
#[cfg(feature = "redis")]
pub(crate) fn boxed<R>(done: R) -> R {
    done
}

/// Lets others run before a conflicting write is tried again.
pub(crate) fn yield_now() {
    std::thread::yield_now();
}
