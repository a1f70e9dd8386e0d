//! The shortest way from a miss to a stored value: one step to begin the load, one to land.

use std::sync::Arc;

use super::Store;
use super::gone::{Leaving, Panics};
use super::shard::Stored;
use super::slot::HashedKey;
use crate::clock::Moment;
use crate::engine::flight::Landing;
use crate::entry::Object;
use crate::error::{Error, Result};
use crate::key::Key;

/// What a look at a key came to that may begin its load.
pub(crate) enum Sought<'a, R> {
    Here(R),
    Missing(Missing<'a>),
}

/// A key that has just been found to hold nothing.
pub(crate) struct Missing<'a> {
    store: &'a Store,
    key: HashedKey<'a>,
}

/// A leader that nobody may have followed yet. However it ends, those who have are told.
pub(crate) struct Lone<'a> {
    store: &'a Store,
    /// The user's hasher is not asked again: it may panic, and this ends in a drop.
    key: HashedKey<'a>,
    number: u64,
    landed: bool,
}

impl Store {
    /// Makes something of the value as [`view`](Store::view) does.
    #[inline(always)]
    pub(crate) fn seek<'a, R>(
        &'a self,
        key: Key<'a>,
        view: impl FnOnce(&Arc<dyn Object>) -> R,
    ) -> Result<Sought<'a, R>> {
        let key = self.hashed(&key);
        Ok(match self.view_at(&key, view)? {
            Some(made) => Sought::Here(made),
            None => Sought::Missing(Missing { store: self, key }),
        })
    }
}

impl<'a> Missing<'a> {
    /// Begins the load; `None` if somebody leads it already, or has stored a value meanwhile.
    pub(crate) fn lead(self) -> Result<Option<Lone<'a>>> {
        let Missing { store, key } = self;
        let number = store.cell(key.hash).lock()?.lead_alone(&key);
        Ok(number.map(|number| Lone { store, key, number, landed: false }))
    }
}

impl Lone<'_> {
    /// Ends the load with a value, which is stored unless the key was written or removed meanwhile.
    ///
    /// # Errors
    /// `TooLarge`, which goes to those who wait too.
    pub(crate) fn land(mut self, object: Arc<dyn Object>, end: Moment) -> Result<()> {
        let mut incoming = match self.store.incoming(&self.key.key, object, end) {
            Ok(incoming) => Some(incoming),
            Err(error) => {
                self.fail(error.clone());
                return Err(error);
            }
        };
        self.landed = true;
        let (store, key) = (self.store, self.key);
        let (cell, mut leaving, mut panics) = (store.cell(key.hash), Leaving::default(), Panics::default());
        let (stored, waiting) = store.change_alone(cell, &mut leaving, |shard, leaving| {
            shard.land(&key, self.number, &mut incoming, &store.common, leaving)
        })?;
        // Before code of the user's runs for what was displaced: it may panic, or take its time.
        if let Some((flight, object)) = waiting {
            flight.land(Landing::Value(object));
        }
        panics.hold(|| store.part(cell, leaving));
        if matches!(stored, Stored::Full) {
            panics.hold(|| store.fill_by(&key, self.number, &mut incoming)).transpose()?;
        }
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
