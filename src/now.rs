//! The one door to the clocks of this machine: monotonic for waiting, the wall's where a server wants to be told.

#[cfg(all(shuttle, test))]
pub(crate) mod hand;

#[cfg(not(simulation))]
use self::system as machine;
#[cfg(simulation)]
use crate::simulation as machine;

#[cfg(all(shuttle, test))]
pub(crate) use self::hand::now;
#[cfg(not(all(shuttle, test)))]
pub(crate) use self::machine::now;
pub(crate) use self::machine::unix_micros;

#[cfg(not(simulation))]
mod system {
    use std::time::{Instant, SystemTime};

    pub(crate) fn now() -> Instant {
        Instant::now()
    }

    /// The time of day as the system has it, in microseconds since 1970: the one clock that processes on several machines
    /// share, more or less, and that goes on when a process or a server begins anew.
    pub(crate) fn unix_micros() -> u64 {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        since.map_or(0, |since| u64::try_from(since.as_micros()).unwrap_or(u64::MAX))
    }
}

/// Seconds since 1970.
#[cfg(feature = "memcached")]
pub(crate) fn unix_now() -> u64 {
    unix_micros() / 1_000_000
}
