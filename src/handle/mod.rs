//! What a user holds of a backend: its settings and what all who use it share, but no connection.
//!
//! Handles are cheap clones. One handle may serve a [`Cache`](crate::Cache) and an `aio::Cache` at once: the
//! data and the loads in flight are then the same for threads and tasks.

pub(crate) mod memory;

#[cfg(feature = "memcached")]
pub(crate) mod memcached;
#[cfg(feature = "redis")]
pub(crate) mod redis;

#[cfg(feature = "redis")]
pub(crate) mod tls;

#[cfg(any(feature = "redis", feature = "memcached"))]
mod links;
#[cfg(any(feature = "redis", feature = "memcached"))]
pub(crate) use links::Links;
