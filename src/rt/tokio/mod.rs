//! The world of tasks on tokio: waiting yields, later work is a task.

mod abreast;
mod agenda;
mod background;
#[cfg(feature = "testing")]
mod crowd;
#[cfg(any(feature = "redis", feature = "memcached"))]
#[cfg_attr(simulation, path = "dial_simulated.rs")]
mod dial;
mod flight;
mod looking;
#[cfg(feature = "memcached")]
mod pool;
#[cfg(any(feature = "redis", feature = "memcached"))]
mod receive;
mod runtime;
#[cfg(all(feature = "redis", feature = "async-tls"))]
mod tls;
mod turn;
#[cfg(feature = "redis")]
mod watched;
mod whole;

#[cfg(feature = "memcached")]
pub(crate) mod memcached;
#[cfg(feature = "redis")]
pub(crate) mod redis;

use std::future::pending;
pub(crate) use std::ops::AsyncFnMut as LoadMany;
pub(crate) use std::ops::AsyncFnOnce as Load;
use std::pin::pin;
use std::time::Duration;

pub(crate) use self::abreast::abreast;
pub(crate) use self::agenda::{Renewing, detach, detach as leave, patience, renewing, while_renewing};
pub(crate) use self::background::{Background, LaterLoad};
#[cfg(feature = "testing")]
pub(crate) use self::crowd::crowd;
pub(crate) use self::flight::{is_loading, landed, loading};
pub(crate) use self::looking::{Looking, look_every};
pub(crate) use self::runtime::sleep;
use self::runtime::within;
pub(crate) use self::turn::called;
pub(crate) use self::whole::whole;
#[cfg(any(feature = "redis", feature = "memcached"))]
pub(crate) use super::guard::Guard;
pub(crate) use super::sweeper::sweep_every;
use crate::deadline::Deadline;
use crate::error::{ErrorKind, Result};

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

/// Waits so long.
///
/// # Errors
/// `Closed` if the runtime ends first; `Unsupported` outside tokio.
pub(crate) async fn pause(duration: Duration) -> Result<()> {
    match within(Deadline::after(duration).instant(), pin!(pending::<()>())).await {
        Err(error) if error.kind() != ErrorKind::Timeout => Err(error),
        _ => Ok(()),
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
