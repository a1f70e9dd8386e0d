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
mod address;
#[cfg(any(feature = "redis", feature = "memcached"))]
pub(crate) mod breakers;
#[cfg(any(feature = "redis", feature = "memcached"))]
mod links;
#[cfg(any(feature = "redis", feature = "memcached"))]
pub(crate) use links::Links;

/// # Errors
/// `Config` for no connection at all, or for more than any server takes.
#[cfg(any(feature = "redis", feature = "memcached"))]
fn check_pool_size(pool_size: u32) -> crate::error::Result<()> {
    if (1..=MOST_CONNECTIONS).contains(&pool_size) {
        return Ok(());
    }
    let text = format!("pool_size is {pool_size}; give 1 to {MOST_CONNECTIONS} connections");
    Err(crate::error::Error::new(crate::error::ErrorKind::Config, text))
}

/// # Errors
/// `Config` for a breaker that would never let anything through.
#[cfg(any(feature = "redis", feature = "memcached"))]
fn check_breaker(failures: Option<u32>) -> crate::error::Result<()> {
    if failures != Some(0) {
        return Ok(());
    }
    let text =
        "breaker is 0, so no server would ever be asked; give 1 failure or more, or None to ask for ever";
    Err(crate::error::Error::new(crate::error::ErrorKind::Config, text))
}

/// # Errors
/// `Config` for a limit that honest refusals would break.
#[cfg(any(feature = "redis", feature = "memcached"))]
fn check_reply_size(bytes: usize) -> crate::error::Result<()> {
    if bytes > 64 * 1024 {
        return Ok(());
    }
    let text = format!("max_reply_size is {bytes}; give more than 64 KiB, such as 30 MiB");
    Err(crate::error::Error::new(crate::error::ErrorKind::Config, text))
}

/// With what is copied out of it, a reply of this size takes no more than 64 MiB.
#[cfg(any(feature = "redis", feature = "memcached"))]
pub(crate) const MAX_REPLY_SIZE: usize = 30 * 1024 * 1024;

/// In a row, after which a server is left alone.
#[cfg(any(feature = "redis", feature = "memcached"))]
const FAILURES: u32 = 5;

#[cfg(any(feature = "redis", feature = "memcached"))]
const MOST_CONNECTIONS: u32 = 10_000;
