//! The shortest way from a miss to a stored value: one step to begin the load, one to land.

use std::sync::Arc;

use super::Store;
use super::fast::{FastPath, Glance, Nothing};
use super::gone::{Leaving, Panics};
use super::shard::{Incoming, Stored};
use super::slot::HashedKey;
use crate::clock::Moment;
use crate::engine::flight::Landing;
use crate::entry::Object;
use crate::error::{Error, Result};
use crate::key::{Key, KeyText};

/// What a look at a key came to that may begin its load.
pub(crate) enum Sought<'a, R> {
    Here(R),
    Missing(Missing<'a>),
}

/// A key that has just been found to hold nothing.
pub(crate) struct Missing<'a> {
    store: &'a Store,
    key: HashedKey<'a>,
    /// As [`Shard::number`](super::shard::Shard::number) was then: while it is the same, nothing has come.
    number: u64,
}

/// A leader that nobody may have followed yet. However it ends, those who have are told.
pub(crate) struct Lone<'a> {
    store: &'a Store,
    /// The user's hasher is not asked again: it may panic, and this ends in a drop.
    pub(super) key: HashedKey<'a>,
    /// The key as it is to be kept.
    pub(super) kept: &'a KeyText,
    pub(super) number: u64,
    landed: bool,
}

impl Store {
    /// What `make` makes of the value, under the shard's lock; or what begins the load of the key.
    pub(crate) fn seek<'a, R>(
        &'a self,
        key: Key<'a>,
        make: impl FnOnce(&Arc<dyn Object>) -> R,
    ) -> Result<Sought<'a, R>> {
        let key = self.hashed(&key);
        let mut number = 0;
        Ok(match self.find_at(&key, make, |then| number = then)? {
            Some(made) => Sought::Here(made),
            None => Sought::Missing(Missing { store: self, key, number }),
        })
    }
}

impl FastPath {
    /// As [`find`](FastPath::find); `None` where it takes another way to tell.
    #[inline(always)]
    pub(crate) fn seek<'a, R>(
        &'a self,
        name: &'a str,
        make: impl FnOnce(&Arc<dyn Object>) -> R,
    ) -> Option<Sought<'a, R>> {
        match self.find(name, make) {
            Glance::Seen(made) => Some(Sought::Here(made)),
            Glance::Nothing(Nothing { hash, number }) => {
                let key = HashedKey { key: self.prefix().named(name)?, hash };
                Some(Sought::Missing(Missing { store: self.store(), key, number }))
            }
            Glance::Unclear => None,
        }
    }
}

impl<'a> Missing<'a> {
    /// Begins the load of the key, shown as it is to be kept; `None` if somebody leads it already, or has stored a value
    /// meanwhile.
    #[inline(always)]
    pub(crate) fn lead(self, kept: &'a KeyText) -> Result<Option<Lone<'a>>> {
        let number = self.begin(kept)?;
        let Missing { store, key, .. } = self;
        Ok(number.map(|number| Lone { store, key, kept, number, landed: false }))
    }

    #[inline(never)]
    fn begin(&self, kept: &KeyText) -> Result<Option<u64>> {
        let Missing { store, key, number } = self;
        Ok(store.cell(key.hash).lock()?.lead_alone(key, kept, *number))
    }
}

impl<'a> Lone<'a> {
    /// The key as it is to be kept.
    pub(crate) fn kept(&self) -> &'a KeyText {
        self.kept
    }

    /// Ends the load with a value, which is stored unless the key was written or removed meanwhile.
    ///
    /// # Errors
    /// `TooLarge`, which goes to those who wait too.
    #[inline(always)]
    pub(crate) fn land(mut self, object: Arc<dyn Object>, end: Moment) -> Result<()> {
        self.store(object, end)
    }

    fn store(&mut self, object: Arc<dyn Object>, end: Moment) -> Result<()> {
        let mut incoming = match self.store.incoming(&self.key.key, object, end) {
            Ok(incoming) => Some(incoming),
            Err(error) => {
                self.end(Landing::Failed(error.clone()));
                return Err(error);
            }
        };
        self.landed = true;
        let (store, cell) = (self.store, self.store.cell(self.key.hash));
        let (mut waiting, mut leaving) = (None, Leaving::default());
        let stored = store.change_alone(cell, &mut leaving, |shard, leaving| {
            shard.land(self, &mut waiting, &mut incoming, &store.common, leaving)
        })?;
        // Before code of the user's runs for what was displaced: it may panic, or take its time.
        if let Some((flight, object)) = waiting {
            flight.land(Landing::Value(object));
        }
        if matches!(stored, Stored::Full) {
            return self.fill(&mut leaving, &mut incoming);
        }
        store.part(cell, &mut leaving);
        Ok(())
    }

    /// Has other shards make room for what was loaded.
    #[inline(never)]
    fn fill(&self, leaving: &mut Leaving, incoming: &mut Option<Incoming>) -> Result<()> {
        let (store, key, mut panics) = (self.store, &self.key, Panics::default());
        panics.hold(|| store.part(store.cell(key.hash), leaving));
        panics.hold(|| store.fill_by(key, self.number, incoming)).transpose()?;
        panics.go_on();
        Ok(())
    }

    /// Ends the load with an error.
    pub(crate) fn fail(mut self, error: Error) {
        self.end(Landing::Failed(error));
    }

    fn end(&mut self, landing: Landing) {
        self.landed = true;
        let landed = self.store.look_at(&self.key, |shard, key, _| shard.loads.land(key, self.number));
        // Within a view nobody can be told; those who wait do so no longer than they said.
        if let Ok(Some(flight)) = landed.map(|landed| landed.flight) {
            flight.land(landing);
        }
    }
}

impl Drop for Lone<'_> {
    fn drop(&mut self) {
        if !self.landed {
            self.end(Landing::of_a_dropped_leader());
        }
    }
}
