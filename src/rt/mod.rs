//! The seam between the two worlds: what sleeping, waiting, spawning and talking to a server mean in each.

pub(crate) mod blocking;
#[cfg(feature = "async")]
pub(crate) mod tokio;

mod sweeper;

#[cfg(any(feature = "redis", feature = "memcached"))]
mod fault;
#[cfg(any(feature = "redis", feature = "memcached"))]
mod guard;
#[cfg(any(feature = "redis", feature = "memcached"))]
mod resolve;

/// Between two tries to connect to a server that takes in no more for the moment.
#[cfg(all(unix, feature = "redis"))]
const BACKLOG_PAUSE: std::time::Duration = std::time::Duration::from_millis(5);
