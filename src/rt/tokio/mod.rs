//! The world of tasks on tokio: waiting yields, later work is a task.

mod agenda;
mod background;
#[cfg(feature = "testing")]
mod crowd;
#[cfg(any(feature = "redis", feature = "memcached"))]
mod dial;
mod flight;
#[cfg(feature = "memcached")]
mod pool;
#[cfg(any(feature = "redis", feature = "memcached"))]
mod receive;
#[cfg(all(feature = "redis", feature = "async-tls"))]
mod tls;
#[cfg(feature = "redis")]
mod watched;

#[cfg(feature = "memcached")]
pub(crate) mod memcached;
#[cfg(feature = "redis")]
pub(crate) mod redis;

pub(crate) use std::ops::AsyncFnMut as LoadMany;
pub(crate) use std::ops::AsyncFnOnce as Load;
use std::time::Duration;

pub(crate) use self::agenda::{detach, while_renewing};
pub(crate) use self::background::{Background, LaterLoad};
#[cfg(feature = "testing")]
pub(crate) use self::crowd::crowd;
pub(crate) use self::flight::{is_loading, landed, loading};
#[cfg(any(feature = "redis", feature = "memcached"))]
pub(crate) use super::guard::Guard;
pub(crate) use super::sweeper::sweep_every;

/// Drops what runs longer than it may.
pub(crate) async fn limited<R>(limit: Option<Duration>, work: impl AsyncFnOnce() -> R) -> Option<R> {
    match limit {
        Some(limit) => tokio::time::timeout(limit, work()).await.ok(),
        None => Some(work().await),
    }
}

pub(crate) async fn sleep(duration: Duration) {
    tokio::time::sleep(duration).await;
}

/// Lets others run before a conflicting write is tried again.
pub(crate) async fn yield_now() {
    tokio::task::yield_now().await;
}
