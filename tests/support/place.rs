use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

use lexigram_cache::{Memcached, Memory, Redis};

/// Where the processes of one test cache their values. Travels to them as text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Place {
    pub kind: Backing,
    pub addr: SocketAddr,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Backing {
    Memory,
    Redis,
    Memcached,
    /// A Memcached whose namespaces can be cleared.
    Clearable,
}

/// Caches of both worlds at this place, which share the loads and connections of this process:
/// `worlds_at!(place, prefix("a"), timeout(D))`.
macro_rules! worlds_at {
    ($place:expr, $($settings:tt)*) => {
        match $place.kind {
            $crate::support::Backing::Memory => $crate::support::worlds!($place.memory(), $($settings)*),
            $crate::support::Backing::Redis => $crate::support::worlds!($place.redis(), $($settings)*),
            _ => $crate::support::worlds!($place.memcached(), $($settings)*),
        }
    };
}

pub(crate) use worlds_at;

impl Place {
    /// Each process has one of its own.
    pub fn in_memory() -> Place {
        Place { kind: Backing::Memory, addr: ([127, 0, 0, 1], 0).into() }
    }

    pub fn memory(&self) -> Memory {
        Memory::default()
    }

    /// Asked however often it has failed, as is the next.
    pub fn redis(&self) -> Redis {
        Redis::builder(format!("redis://{}/0", self.addr)).breaker(None).build().unwrap()
    }

    pub fn memcached(&self) -> Memcached {
        let clearable = self.kind == Backing::Clearable;
        Memcached::builder([self.addr.to_string()]).clearable(clearable).breaker(None).build().unwrap()
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {}", self.kind, self.addr)
    }
}

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Place, String> {
        let (kind, addr) = text.split_once(' ').ok_or("a place is a kind and an address")?;
        let kinds = [Backing::Memory, Backing::Redis, Backing::Memcached, Backing::Clearable];
        let kind = kinds.into_iter().find(|known| format!("{known:?}") == kind);
        let addr = addr.parse().map_err(|_| format!("{addr} is no address"))?;
        Ok(Place { kind: kind.ok_or("an unknown kind of place")?, addr })
    }
}
