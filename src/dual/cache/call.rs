//! One call on a cache: its deadline, its place in errors, and what it tells the journal.

use super::super::backend::BackendHandle;
use super::{Cache, Inner};

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::deadline::Deadline;
use crate::entry::{Found, Item, Storable, Value};
use crate::error::{Error, ErrorKind, Result};
use crate::event::EventKind;
use crate::key::Key;
use crate::ttl::{Lifetime, Ttl};

/// A call under way.
pub(super) struct Call<'a> {
    pub(super) inner: &'a Arc<Inner>,
    pub(super) operation: &'static str,
    pub(super) deadline: Deadline,
    pub(super) timeout: Duration,
    /// Whether the server has failed this call of a cache that degrades.
    pub(super) cut_off: AtomicBool,
}

impl Cache {
    /// Begins a call.
    ///
    /// # Errors
    /// `Closed`.
    #[inline]
    pub(super) fn call(&self, operation: &'static str) -> Result<Call<'_>> {
        let call = self.call_beside(operation);
        call.refuse_closed()?;
        Ok(call)
    }

    /// A call that goes on beside the callers, and after the cache was closed.
    #[inline]
    pub(super) fn call_beside(&self, operation: &'static str) -> Call<'_> {
        let (deadline, timeout) = (self.deadline(), self.timeout);
        Call { inner: &self.inner, operation, deadline, timeout, cut_off: AtomicBool::new(false) }
    }

    /// A fresh deadline; memory never waits, so its calls need not look at the clock.
    #[inline]
    pub(super) fn deadline(&self) -> Deadline {
        match self.inner.backend.keeps_objects() {
            true => Deadline::unneeded(),
            false => Deadline::after(self.timeout),
        }
    }
}

impl<'a> Call<'a> {
    /// # Errors
    /// `Closed`.
    #[inline]
    pub(super) fn refuse_closed(&self) -> Result<()> {
        if self.inner.closed.load(Ordering::Relaxed) { Err(self.closed()) } else { Ok(()) }
    }

    #[cold]
    fn closed(&self) -> Error {
        self.place(Error::new(ErrorKind::Closed, "the cache was closed; build another to go on"))
    }

    /// The same in a hurry.
    pub(super) fn at_most(self, patience: Duration) -> Call<'a> {
        Call { deadline: Deadline::after(self.timeout.min(patience)), ..self }
    }

    /// The handle that was called, for what goes on beside the call.
    pub(super) fn cache(&self) -> Cache {
        Cache { inner: Arc::clone(self.inner), timeout: self.timeout }
    }

    pub(super) fn backend(&self) -> &'a BackendHandle {
        &self.inner.backend
    }

    #[inline]
    pub(super) fn key<'k>(&self, name: &'k str) -> Result<Key<'k>>
    where
        'a: 'k,
    {
        self.input(self.inner.prefix.key(name))
    }

    /// How long a value stays: its lifetime, and the time it is kept after that.
    pub(super) fn lifetime(&self, ttl: impl Into<Ttl>) -> Result<Lifetime> {
        let lifetime = self.input(ttl.into().resolve(self.inner.tuning.default_ttl()))?;
        Ok(lifetime.plus(self.inner.prefix.stale_for()))
    }

    /// The value as the backend keeps it.
    pub(super) fn pack<T: Storable + ?Sized>(&self, value: &T) -> Result<Item> {
        self.input(self.backend().pack(value, &self.inner.codec))
    }

    /// Names and packs values, all or none.
    pub(super) fn pack_all<'k, T: Storable>(
        &self,
        values: &'k HashMap<String, T>,
    ) -> Result<Vec<(Key<'k>, Item)>>
    where
        'a: 'k,
    {
        values.iter().map(|(name, value)| Ok((self.key(name)?, self.pack(value)?))).collect()
    }

    /// The value that the backend kept, counted as a hit; or a miss, also if it is none of this type.
    pub(super) fn open<T: Value>(&self, found: Option<Found>) -> Result<Option<Arc<T>>> {
        let value = match found {
            Some(found) => self.unpack(&found.item)?,
            None => None,
        };
        self.record(if value.is_some() { EventKind::Hit(1) } else { EventKind::Miss(1) });
        Ok(value)
    }

    /// What a read found; nothing where a failure was absorbed. Where the server itself says that the key holds nothing
    /// a cache could have written (a Redis list, a set), it is rejected like bytes that do not decode.
    pub(super) fn found<R>(&self, read: Result<Option<R>>) -> Result<Option<R>> {
        match read {
            Err(error) if error.kind() == ErrorKind::Decode => self.reject(error).map(|()| None),
            read => self.absorb_to_nothing(read),
        }
    }

    /// Decodes without counting a hit or a miss; what is no value of this type is `None`.
    ///
    /// # Errors
    /// `Decode`, on a cache that decodes strictly.
    pub(super) fn unpack<T: Value>(&self, item: &Item) -> Result<Option<Arc<T>>> {
        match item.open(&self.inner.codec) {
            Ok(value) => Ok(Some(value)),
            Err(error) => self.reject(error).map(|()| None),
        }
    }

    /// # Errors
    /// `Decode`, on a cache that decodes strictly.
    pub(super) fn reject(&self, error: Error) -> Result<()> {
        let error = self.place(error);
        self.record(EventKind::DecodeRejected(&error));
        if self.inner.strict_decode { Err(error) } else { Ok(()) }
    }

    /// Passes on what the backend said, with its failures counted and told. What it cannot do, or not with
    /// this input, is no failure.
    pub(super) fn end<R>(&self, result: Result<R>) -> Result<R> {
        use ErrorKind::{Decode, Encode, InvalidKey, InvalidTtl, TooLarge, Unsupported};
        result.map_err(|error| {
            let error = self.place(error);
            if !matches!(error.kind(), Decode | Encode | InvalidKey | InvalidTtl | TooLarge | Unsupported) {
                self.record(EventKind::Failed(&error));
            }
            error
        })
    }

    /// Passes on what became of the caller's input, which is no failure of the backend.
    #[inline]
    pub(super) fn input<R>(&self, result: Result<R>) -> Result<R> {
        result.map_err(|error| self.place(error))
    }

    pub(super) fn record(&self, kind: EventKind<'_>) {
        self.inner.journal.record(self.operation, kind);
    }

    /// Ends the loads of a key that is written or removed, for those who come later.
    pub(super) fn detach(&self, key: &Key<'_>) {
        self.inner.backend.detach(key);
    }

    #[inline(never)]
    pub(super) fn place(&self, error: Error) -> Error {
        error.at(self.operation, &self.inner.journal.backend)
    }
}

/// Does something now and at the end of a scope, also where a panic or a dropped task ends it: what was sent may have
/// been applied by then.
pub(super) struct Around<F: Fn()>(F);

impl<F: Fn()> Around<F> {
    pub(super) fn new(act: F) -> Around<F> {
        act();
        Around(act)
    }
}

impl<F: Fn()> Drop for Around<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}
