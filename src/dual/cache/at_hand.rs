//! The shortest way to a value of this process: no deadline, no round trip, nothing built that is not needed.

use super::super::backend::Local;
use super::Cache;

use std::any::Any;
use std::mem::needs_drop;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::engine::memory::{Sought, Store};
use crate::entry::{Object, Value};
use crate::error::Result;
use crate::event::EventKind;
use crate::key::Key;

/// What there is in this process.
pub(super) enum AtHand<R> {
    /// The key's value, or what was made of it.
    Hit(R),
    /// Nothing under this key.
    Miss,
    /// It takes a call to tell: values are elsewhere, their age matters, or the cache is closed.
    Elsewhere,
}

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

    /// Looks where nothing but a copy of what owns nothing runs under the lock.
    #[inline(always)]
    fn find(memory: &Store, key: &Key<'_>) -> Result<Option<Taken<T>>> {
        match needs_drop::<T>() {
            true => Ok(memory.object(key)?.map(Taken::Shared)),
            false => memory.view(key, Taken::of),
        }
    }
}

/// The value as it stands, if it is a `T`.
#[inline(always)]
pub(super) fn typed<T: Value>(object: &Arc<dyn Object>) -> Option<&T> {
    (&**object as &dyn Any).downcast_ref()
}

impl Cache {
    /// What `look` finds, where a look is all that it takes.
    #[inline(always)]
    pub(super) fn at_hand<R>(
        &self,
        name: &str,
        look: impl FnOnce(&Store, &Key<'_>) -> Result<Option<R>>,
    ) -> AtHand<R> {
        match self.own_memory().zip(self.inner.prefix.named(name)) {
            Some((memory, key)) => match look(memory.store(), &key) {
                Ok(found) => found.map_or(AtHand::Miss, AtHand::Hit),
                Err(_) => AtHand::Elsewhere,
            },
            None => AtHand::Elsewhere,
        }
    }

    /// The value at hand; a hit is counted.
    #[inline(always)]
    pub(super) fn copy_at_hand<T: Value>(&self, name: &str) -> AtHand<T> {
        match self.at_hand(name, Taken::<T>::find) {
            AtHand::Hit(taken) => match taken.open() {
                Some(value) => AtHand::Hit(self.hit("get", value)),
                None => AtHand::Elsewhere,
            },
            AtHand::Miss => AtHand::Miss,
            AtHand::Elsewhere => AtHand::Elsewhere,
        }
    }

    /// What `view` makes of the value if it is at hand; if there is none, what begins its load. `None` where that takes
    /// more than memory by itself.
    #[inline(always)]
    pub(super) fn seek<'a, R>(
        &'a self,
        key: &'a str,
        view: impl FnOnce(&Arc<dyn Object>) -> R,
    ) -> Option<Sought<'a, R>> {
        let plain = self.inner.tuning.are_plain() && self.inner.prefix.stale_for().is_zero();
        let memory = self.own_memory().filter(|_| plain)?;
        memory.store().seek(self.inner.prefix.named(key)?, view).ok()
    }

    /// Memory, while the cache is open.
    #[inline(always)]
    pub(super) fn own_memory(&self) -> Option<&Local> {
        match self.inner.closed.load(Ordering::Relaxed) {
            true => None,
            false => self.inner.backend.memory(),
        }
    }

    #[inline(always)]
    pub(super) fn hit<R>(&self, operation: &'static str, value: R) -> R {
        self.inner.journal.record(operation, EventKind::Hit(1));
        value
    }
}
