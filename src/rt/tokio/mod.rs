//! The world of tasks on tokio: waiting yields, later work is a task.

mod agenda;
mod background;
#[cfg(feature = "testing")]
mod crowd;
#[cfg(any(feature = "redis", feature = "memcached"))]
#[cfg_attr(simulation, path = "dial_simulated.rs")]
mod dial;
mod flight;
#[cfg(feature = "memcached")]
mod pool;
#[cfg(any(feature = "redis", feature = "memcached"))]
mod receive;
mod runtime;
#[cfg(all(feature = "redis", feature = "async-tls"))]
mod tls;
#[cfg(feature = "redis")]
mod watched;
#[cfg(feature = "memcached")]
mod whole;

#[cfg(feature = "memcached")]
pub(crate) mod memcached;
#[cfg(feature = "redis")]
pub(crate) mod redis;

pub(crate) use std::ops::AsyncFnMut as LoadMany;
pub(crate) use std::ops::AsyncFnOnce as Load;
use std::pin::pin;
use std::time::Duration;

pub(crate) use self::agenda::{detach, while_renewing};
pub(crate) use self::background::{Background, LaterLoad};
#[cfg(feature = "testing")]
pub(crate) use self::crowd::crowd;
pub(crate) use self::flight::{is_loading, landed, loading};
pub(crate) use self::runtime::sleep;
use self::runtime::within;
#[cfg(feature = "memcached")]
pub(crate) use self::whole::whole;
#[cfg(any(feature = "redis", feature = "memcached"))]
pub(crate) use super::guard::Guard;
pub(crate) use super::sweeper::sweep_every;
use crate::deadline::Deadline;
use crate::error::Result;

/// Drops what runs longer than it may.
///
/// # Errors
/// `Timeout`; `Closed` if the runtime ends first; `Unsupported` where a limit cannot be kept, outside tokio.
pub(crate) async fn limited<R>(limit: Option<Duration>, work: impl AsyncFnOnce() -> R) -> Result<R> {
    match limit {
        Some(limit) => within(Deadline::after(limit).instant(), pin!(work())).await,
        None => Ok(work().await),
    }
}

/// Keeps a large future that is rarely needed out of the one around it.
#[cfg(feature = "redis")]
pub(crate) fn boxed<F: Future>(work: F) -> std::pin::Pin<Box<F>> {
    Box::pin(work)
}

/// Lets others run before a conflicting write is tried again.
pub(crate) async fn yield_now() {
    tokio::task::yield_now().await;
}
