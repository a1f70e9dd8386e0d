//! The shortest way to a value of this process: no deadline, no round trip, nothing built that is not needed.

use super::super::backend::Local;
use super::Cache;

use std::any::Any;
use std::mem::needs_drop;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::engine::memory::{Glance, Sought};
use crate::entry::{Object, Value};
use crate::event::EventKind;
use crate::key::Key;
use crate::ttl::Ttl;

/// A value on its way out of memory.
pub(super) enum Taken<T> {
    Copy(T),
    /// To be cloned after the lock is released; it may be of another type.
    Shared(Arc<dyn Object>),
}

impl<T: Value> Taken<T> {
    /// A value that owns nothing is copied in place, which spares the count of its owners: two turns of an atomic, on
    /// a cache line that every reader of the key shares.
    #[inline(always)]
    pub(super) fn of(object: &Arc<dyn Object>) -> Taken<T> {
        match typed::<T>(object) {
            Some(value) if !needs_drop::<T>() => Taken::Copy(value.clone()),
            _ => Taken::Shared(Arc::clone(object)),
        }
    }

    /// The value, if it is a `T`.
    #[inline(always)]
    pub(super) fn open(self) -> Option<T> {
        match self {
            Taken::Copy(value) => Some(value),
            Taken::Shared(object) => typed::<T>(&object).cloned(),
        }
    }
}

/// The value as it stands, if it is a `T`.
#[inline(always)]
pub(super) fn typed<T: Value>(object: &Arc<dyn Object>) -> Option<&T> {
    (&**object as &dyn Any).downcast_ref()
}

impl Cache {
    /// What `make` makes of the value, under a lock; [`Unclear`](Glance::Unclear) where it takes a call to tell.
    #[inline(always)]
    pub(super) fn glance<R>(&self, name: &str, make: impl FnOnce(&Arc<dyn Object>) -> R) -> Glance<R> {
        match &self.inner.fast_path {
            Some(fast) => fast.find(name, make),
            None => Glance::Unclear,
        }
    }

    /// What memory holds, if that takes no call to tell.
    pub(super) fn within_reach(&self, name: &str) -> Option<Option<Arc<dyn Object>>> {
        let (memory, key) = self.own_memory().zip(self.inner.prefix.named(name))?;
        memory.store().find(&key, Arc::clone).ok()
    }

    /// [`glance`](Cache::glance) that says of a key with no value what begins its load, if that takes no more than memory.
    #[inline(always)]
    pub(super) fn seek<'a, R>(
        &'a self,
        name: &'a str,
        make: impl FnOnce(&Arc<dyn Object>) -> R,
    ) -> Option<Sought<'a, R>> {
        let fast = self.inner.fast_path.as_ref().filter(|_| self.inner.tuning.are_plain())?;
        fast.seek(name, make)
    }

    /// [`seek`](Cache::seek) where the fast path does not lead.
    pub(super) fn seek_on<'a>(&'a self, key: Key<'a>) -> Option<Sought<'a, Arc<dyn Object>>> {
        let plain = self.inner.tuning.are_plain() && key.stale_for().is_zero();
        let memory = self.own_memory().filter(|_| plain)?;
        memory.store().seek(key, Arc::clone).ok()
    }

    /// Puts a value in the place of the one that is there; gives it back where there is more to do.
    #[inline]
    pub(super) fn replace_at_hand(
        &self,
        name: &str,
        object: Arc<dyn Object>,
        ttl: Ttl,
    ) -> Result<(), Arc<dyn Object>> {
        match (&self.inner.fast_path, ttl.resolve(self.inner.tuning.default_ttl())) {
            (Some(fast), Ok(lifetime)) => fast.replace(name, object, self.inner.backend.end_of(lifetime)),
            _ => Err(object),
        }
    }

    /// Memory, while the cache is open.
    #[inline(always)]
    pub(super) fn own_memory(&self) -> Option<&Local> {
        if self.is_open() { self.inner.backend.memory() } else { None }
    }

    #[inline(always)]
    fn is_open(&self) -> bool {
        !self.inner.closed.load(Ordering::Relaxed)
    }

    #[inline(always)]
    pub(super) fn hit<R>(&self, operation: &'static str, value: R) -> R {
        self.inner.journal.record(operation, EventKind::Hit(1));
        value
    }
}
