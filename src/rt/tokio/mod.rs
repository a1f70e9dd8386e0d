//! The world of tasks on tokio: waiting yields, later work is a task.

#[cfg(feature = "testing")]
mod crowd;
#[cfg(any(feature = "redis", feature = "memcached"))]
mod dial;
mod flight;
#[cfg(any(feature = "redis", feature = "memcached"))]
mod receive;
#[cfg(all(feature = "redis", feature = "async-tls"))]
mod tls;

#[cfg(feature = "memcached")]
pub(crate) mod memcached;
#[cfg(feature = "redis")]
pub(crate) mod redis;

pub(crate) use std::ops::AsyncFnMut as LoadMany;
pub(crate) use std::ops::AsyncFnOnce as Load;

#[cfg(feature = "testing")]
pub(crate) use self::crowd::{crowd, sleep};
pub(crate) use self::flight::{is_loading, landed, loading};
pub(crate) use super::sweeper::sweep_every;

/// Lets others run before a conflicting write is tried again.
pub(crate) async fn yield_now() {
    tokio::task::yield_now().await;
}
