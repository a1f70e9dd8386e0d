//! What a handle is made from.

use super::{Backend, BackendHandle, Kind};

use std::sync::Arc;

use crate::handle::memory::Memory;

impl From<Memory> for BackendHandle {
    fn from(memory: Memory) -> BackendHandle {
        let flights = Arc::clone(&memory.shared.flights);
        BackendHandle { kind: Kind::Memory(memory.into()), flights }
    }
}

#[cfg(feature = "redis")]
impl From<crate::handle::redis::Redis> for BackendHandle {
    fn from(handle: crate::handle::redis::Redis) -> BackendHandle {
        let flights = Arc::clone(&handle.shared.flights);
        BackendHandle { kind: Kind::Bytes(Arc::new(super::redis::Remote::new(handle))), flights }
    }
}

#[cfg(feature = "memcached")]
impl From<crate::handle::memcached::Memcached> for BackendHandle {
    fn from(handle: crate::handle::memcached::Memcached) -> BackendHandle {
        let flights = Arc::clone(&handle.shared.flights);
        BackendHandle { kind: Kind::Bytes(Arc::new(super::memcached::Remote::new(handle))), flights }
    }
}

impl<B: Backend> From<B> for BackendHandle {
    fn from(backend: B) -> BackendHandle {
        BackendHandle { kind: Kind::Bytes(Arc::new(backend)), flights: Arc::default() }
    }
}
