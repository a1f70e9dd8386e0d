//! The right to store what was loaded: taken by a second look, used up by storing, given back however it ends.

use super::super::backend::BackendHandle;
use super::call::Call;
use super::{Cache, maybe_async};

use std::sync::Arc;
use std::time::Duration;

use crate::entry::{Ask, Condition, Found, Item, Lease, Lookup, Object, Value, Version};
use crate::error::{ErrorKind, Result};
use crate::key::Key;
use crate::ttl::Lifetime;

/// What a second look came to.
pub(super) enum Claim<'a, T> {
    Found(Arc<T>),
    Granted(Right<'a>),
}

/// What gives the right to store a loaded value.
pub(super) enum Right<'a> {
    /// The key held nothing.
    Lease(Held<'a>),
    /// The key held bytes that are no value of this type; they may be replaced as long as they are the same.
    Replace(Version),
    /// The key held something that no cache has written.
    Overwrite,
}

/// A lease in hand. A panic, an early return or a dropped task gives it back.
pub(super) struct Held<'a> {
    backend: &'a BackendHandle,
    key: Key<'a>,
    lease: Option<Lease>,
}

impl<'a> Held<'a> {
    pub(super) fn new(call: &Call<'a>, key: Key<'a>, lease: Lease) -> Held<'a> {
        Held { backend: call.backend(), key, lease: Some(lease) }
    }

    /// Whether the backend keeps no leases, so that many may be filled at once.
    pub(super) fn is_nominal(&self) -> bool {
        self.lease.as_ref().is_none_or(|lease| lease.token.is_none())
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        if let Some(lease) = self.lease.take() {
            self.backend.drop_lease(&self.key, &lease);
        }
    }
}

#[maybe_async]
impl Cache {
    /// A second look, now that nobody else in this process loads this key: somebody may just have.
    pub(super) async fn claim<'a, T: Value>(&self, call: &Call<'a>, key: Key<'a>) -> Result<Claim<'a, T>> {
        let ask = Ask::Lease(Duration::from_secs(30));
        let seen = call.backend().lookup(&key, ask, call.deadline).await;
        match seen {
            Ok(Lookup::Lease(lease)) => Ok(Claim::Granted(Right::Lease(Held::new(call, key, lease)))),
            Ok(Lookup::Hit(found)) => call.claim_found(found),
            Ok(_) => Ok(Claim::Granted(Right::Lease(Held::new(call, key, Lease { token: None })))),
            Err(error) if error.kind() == ErrorKind::Decode => Ok(Claim::Granted(Right::Overwrite)),
            Err(error) => call.end(Err(error)),
        }
    }

    /// Stores a loaded value by right. Faults of the server are told but do not cost the caller its value.
    pub(super) async fn fill<T: Value>(
        &self,
        call: &Call<'_>,
        key: &Key<'_>,
        right: Right<'_>,
        value: &Arc<T>,
        lifetime: Lifetime,
    ) -> Result<()> {
        let item = call.pack_shared(value)?;
        let condition = match right {
            Right::Lease(mut held) => {
                let Some(lease) = held.lease.take() else { return Ok(()) };
                let filled = call.backend().fill(key, &lease, item, lifetime, call.deadline).await;
                return call.forgive(call.end(filled));
            }
            Right::Replace(version) => Condition::Unchanged(version),
            Right::Overwrite => Condition::Always,
        };
        let filled = call.backend().store(key, item, lifetime, &condition, call.deadline).await;
        call.forgive(call.end(filled))
    }

    /// Gives back what was not used. Faults are told; the caller has the loader's error to deal with.
    pub(super) async fn give_back(&self, call: &Call<'_>, key: &Key<'_>, right: Right<'_>) {
        if let Right::Lease(mut held) = right
            && let Some(lease) = held.lease.take()
        {
            let abandoned = call.backend().abandon(key, &lease, call.deadline).await;
            let _ = call.end(abandoned);
        }
    }
}

impl<'a> Call<'a> {
    /// What was found by a second look, unless it is no value of this type, which the first look has counted.
    ///
    /// # Errors
    /// `Decode`, on a cache that decodes strictly.
    pub(super) fn claim_found<T: Value>(&self, found: Found) -> Result<Claim<'a, T>> {
        match found.item.clone().open(&self.inner.codec) {
            Ok(value) => Ok(Claim::Found(value)),
            Err(error) if self.inner.strict_decode => self.input(Err(error)),
            Err(_) => Ok(Claim::Granted(Right::Replace(self.input(found.into_version())?))),
        }
    }

    /// A loaded value as the backend keeps it; memory shares it with the caller.
    pub(super) fn pack_shared<T: Value>(&self, value: &Arc<T>) -> Result<Item> {
        match self.backend().keeps_objects() {
            true => Ok(Item::Object(Arc::clone(value) as Arc<dyn Object>)),
            false => self.pack(&**value),
        }
    }

    /// Lets a fault of the server pass, since the loaded value is at hand; what is wrong with the value is
    /// still an error, or it would never be cached and nobody would know.
    pub(super) fn forgive<R>(&self, stored: Result<R>) -> Result<()> {
        use ErrorKind::{Encode, InvalidTtl, TooLarge};
        match stored {
            Err(error) if matches!(error.kind(), TooLarge | InvalidTtl | Encode) => Err(error),
            _ => Ok(()),
        }
    }
}
