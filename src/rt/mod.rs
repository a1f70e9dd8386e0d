//! The seam between the two worlds: what sleeping, waiting, spawning and talking to a server mean in each.

pub(crate) mod blocking;
#[cfg(feature = "async")]
pub(crate) mod tokio;

mod sweeper;

#[cfg(any(feature = "redis", feature = "memcached"))]
mod fault;
#[cfg(any(feature = "redis", feature = "memcached"))]
mod guard;
