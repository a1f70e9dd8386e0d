//! The shortest way to a value of this process: no deadline, no round trip, nothing built that is not needed.

use super::Cache;

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::entry::{Object, Value};
use crate::event::EventKind;

/// What there is in this process.
pub(super) enum AtHand {
    /// The key's value.
    Hit(Arc<dyn Object>),
    /// Nothing under this key.
    Miss,
    /// It takes a call to tell: values are elsewhere, their age matters, or the cache is closed.
    Elsewhere,
}

impl Cache {
    #[inline]
    pub(super) fn at_hand(&self, name: &str) -> AtHand {
        let inner = &*self.inner;
        if inner.closed.load(Ordering::Relaxed) {
            return AtHand::Elsewhere;
        }
        match (inner.backend.memory(), inner.prefix.key(name)) {
            (Some(memory), Ok(key)) => memory.object(&key).map_or(AtHand::Miss, AtHand::Hit),
            _ => AtHand::Elsewhere,
        }
    }

    /// The value at hand, if it is a `T` as it stands; counted as a hit.
    #[inline]
    pub(super) fn hit<T: Value>(&self, operation: &'static str, object: &Arc<dyn Object>) -> Option<T> {
        let any: &dyn Any = &**object;
        let value = any.downcast_ref::<T>()?.clone();
        self.inner.journal.record(operation, EventKind::Hit(1));
        Some(value)
    }
}
