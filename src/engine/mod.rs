//! Pure decisions and data structures. Nothing here waits, does I/O or knows which world it serves.

#[cfg(any(feature = "redis", feature = "memcached"))]
pub(crate) mod breaker;
pub(crate) mod flight;
pub(crate) mod hold;
pub(crate) mod lease;
pub(crate) mod memory;
pub(crate) mod protect;
pub(crate) mod quota;
#[cfg(feature = "memcached")]
pub(crate) mod rendezvous;
pub(crate) mod shares;
#[cfg(feature = "cluster")]
pub(crate) mod slots;
pub(crate) mod sync;
pub(crate) mod throttle;
pub(crate) mod tuning;
pub(crate) mod turns;

/// How keys are hashed: quickly, under a seed of this table's own.
pub(crate) type Seed = foldhash::quality::RandomState;
