use std::sync::Arc;
use std::time::Duration;

use lexigram_cache::{Ask, Backend, BackendHandle, Condition, Deadline, Key, Lease, Lifetime, Lookup, aio};

/// A backend without a cache, of either world. Made by `sides`, asked by `ask!`.
#[derive(Clone)]
pub enum Side {
    Threads(Arc<dyn Backend>),
    Tasks(Arc<dyn aio::Backend>),
}

/// The same backend in both worlds.
pub fn sides<B: Clone + Into<BackendHandle> + Into<aio::BackendHandle>>(handle: &B) -> [Side; 2] {
    let threads: BackendHandle = handle.clone().into();
    let tasks: aio::BackendHandle = handle.clone().into();
    let (threads, tasks) = (threads.backend(), tasks.backend());
    [Side::Threads(threads.expect("it holds bytes")), Side::Tasks(tasks.expect("it holds bytes"))]
}

/// One call on either: `ask!(side, backend => backend.get(&key, soon()))`.
macro_rules! ask {
    ($side:expr, $backend:ident => $call:expr) => {
        match $side {
            $crate::support::Side::Threads($backend) => $call,
            $crate::support::Side::Tasks($backend) => $crate::support::block_on($call),
        }
    };
}

pub(crate) use ask;

/// What the tests of leases do over and over.
impl Side {
    pub fn lookup(&self, key: &Key<'_>, ask: Ask) -> Lookup {
        ask!(self, backend => backend.lookup(key, ask, soon())).unwrap()
    }

    /// A lease that is granted.
    pub fn lease(&self, key: &Key<'_>, hold: Duration) -> Lease {
        match self.lookup(key, Ask::Lease(hold)) {
            Lookup::Lease(lease) => lease,
            other => panic!("no lease, but {other:?}"),
        }
    }

    pub fn fill(&self, key: &Key<'_>, lease: &Lease, bytes: &[u8], lifetime: Lifetime) -> bool {
        ask!(self, backend => backend.fill(key, lease, bytes, lifetime, soon())).unwrap()
    }

    pub fn store(&self, key: &Key<'_>, bytes: &[u8], lifetime: Lifetime, condition: &Condition) -> bool {
        ask!(self, backend => backend.store(key, bytes, lifetime, condition, soon())).unwrap()
    }

    pub fn remove(&self, key: &Key<'_>) -> bool {
        ask!(self, backend => backend.remove(key, None, soon())).unwrap()
    }

    /// The bytes that a plain read finds.
    pub fn get(&self, key: &Key<'_>) -> Option<Vec<u8>> {
        Some(ask!(self, backend => backend.get(key, soon())).unwrap()?.bytes)
    }
}

pub fn soon() -> Deadline {
    Deadline::after(Duration::from_secs(5))
}
