//! Writes that depend on the value that is there: look, decide, and write unless it has changed meanwhile.

use super::super::super::backend::{again, late};
use super::{StateStore, maybe_async, settled};

use std::sync::Arc;

use crate::entry::{Condition, Value};
use crate::error::Result;
use crate::ttl::Ttl;

#[maybe_async]
impl StateStore {
    /// Stores `new` if the name holds a value equal to `expected`, or, of `None`, if it holds none; says whether it did.
    /// Atomic. Compared are values, not bytes: who writes a map in another order, or in another format, has written the
    /// same. Two round trips, and two more each time somebody else came between; of `None`, one.
    ///
    /// # Errors
    /// As [`set`](StateStore::set); `Decode` if there are bytes that are no `T`; `Conflict` if others kept writing equal
    /// values until the deadline, or `Ambiguous` if that came while a write was under way.
    pub async fn compare_and_set<T: Value + PartialEq>(
        &self,
        name: impl AsRef<str>,
        expected: Option<&T>,
        new: &T,
        ttl: impl Into<Ttl>,
    ) -> Result<bool> {
        let stored = self.swap(name.as_ref(), expected, new, ttl.into()).await;
        self.end("compare_and_set", stored)
    }

    async fn swap<T: Value + PartialEq>(
        &self,
        name: &str,
        expected: Option<&T>,
        new: &T,
        ttl: Ttl,
    ) -> Result<bool> {
        let (key, lifetime, item) = (self.keys.key(name)?, settled(ttl)?, self.pack(new)?);
        let (backend, deadline) = (self.backend(), self.base.deadline());
        let Some(expected) = expected else {
            return backend.store(&key, item, lifetime, &Condition::Absent, deadline).await;
        };
        let mut lost = false;
        loop {
            let seen = self.look::<T>(&key, deadline).await.map_err(|error| late(error, lost))?;
            let Some((_, version)) = seen.filter(|(value, _)| **value == *expected) else { return Ok(false) };
            let same = Condition::Unchanged(version);
            let stored = backend.store(&key, item.clone(), lifetime, &same, deadline).await;
            if stored.map_err(|error| late(error, lost))? {
                return Ok(true);
            }
            lost = true;
            again(deadline).await?;
        }
    }

    /// Stores what `change` makes of the value that is there, or of `None`, and returns it. Where `change` answers `None`
    /// nothing is stored, and what was there is removed. Atomic: if somebody else writes meanwhile, `change` is asked
    /// again with their value. Two round trips, and two more for each time it lost.
    ///
    /// A `change` that maps what is there (`|old| old.map(..)`) never brings back what was deleted.
    ///
    /// # Errors
    /// As [`set`](StateStore::set); `Decode` if there are bytes that are no `T`; `Conflict` if it kept losing until the
    /// deadline, or `Ambiguous` if that came while a write was under way.
    pub async fn update<T: Value, F: FnMut(Option<T>) -> Option<T>>(
        &self,
        name: impl AsRef<str>,
        ttl: impl Into<Ttl>,
        change: F,
    ) -> Result<Option<T>> {
        let changed = self.change(name.as_ref(), ttl.into(), change).await;
        self.end("update", changed)
    }

    async fn change<T: Value, F: FnMut(Option<T>) -> Option<T>>(
        &self,
        name: &str,
        ttl: Ttl,
        mut change: F,
    ) -> Result<Option<T>> {
        let (key, lifetime) = (self.keys.key(name)?, settled(ttl)?);
        let (backend, deadline) = (self.backend(), self.base.deadline());
        let mut lost = false;
        loop {
            let seen = self.look::<T>(&key, deadline).await.map_err(|error| late(error, lost))?;
            let (old, version) = seen.unzip();
            let new = change(old.map(Arc::unwrap_or_clone));
            let done = match (&new, version) {
                (None, None) => Ok(true),
                (None, Some(version)) => backend.remove(&key, Some(&version), deadline).await,
                (Some(new), version) => {
                    let same = version.map_or(Condition::Absent, Condition::Unchanged);
                    backend.store(&key, self.pack(new)?, lifetime, &same, deadline).await
                }
            };
            if done.map_err(|error| late(error, lost))? {
                return Ok(new);
            }
            lost = true;
            again(deadline).await?;
        }
    }
}
