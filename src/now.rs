//! The one door to the clocks of this machine: monotonic for waiting, the wall's where a server wants to be told.

#[cfg(not(simulation))]
pub(crate) use self::system::*;
#[cfg(simulation)]
pub(crate) use crate::simulation::{now, unix_now};

#[cfg(not(simulation))]
mod system {
    use std::time::Instant;

    pub(crate) fn now() -> Instant {
        Instant::now()
    }

    /// Seconds since 1970.
    #[cfg(feature = "memcached")]
    pub(crate) fn unix_now() -> u64 {
        use std::time::{SystemTime, UNIX_EPOCH};
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
    }
}
