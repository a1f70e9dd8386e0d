//! Leases and loads in flight, as a cache asks for them.

use std::sync::Arc;

use super::Store;
use super::loads::Seat;
use super::shard::Incoming;
use super::slot::HashedKey;
use crate::clock::Moment;
use crate::engine::flight::{Boarding, Flight, Leader, Listing};
use crate::entry::{Ask, Found, Lease, Lookup, Object, Version};
use crate::error::Result;
use crate::key::{Key, Prefix};

impl Store {
    /// Looks at a key, and takes the lease of one that holds nothing if asked for it.
    pub(crate) fn lookup(&self, key: &Key<'_>, ask: Ask) -> Result<Lookup<Found>> {
        let key = self.hashed(key);
        let found = match ask {
            Ask::Value => self.get_at(&key)?,
            _ => self.get_aged(&key)?,
        };
        match (found, ask) {
            (Some(found), _) => Ok(Lookup::Hit(found)),
            (None, Ask::Lease(_)) => {
                self.change(&key, |shard, key, leaving| shard.lease(key, &self.common, leaving))
            }
            (None, _) => Ok(Lookup::Absent),
        }
    }

    /// Stores only if nothing has touched the key since the lease was taken.
    pub(crate) fn fill(
        &self,
        key: &Key<'_>,
        lease: &Lease,
        object: Arc<dyn Object>,
        end: Moment,
    ) -> Result<bool> {
        let Some(Version::Number(lease)) = lease.token else { return Ok(false) };
        let mut incoming = Some(self.incoming(key, object, end)?);
        self.fill_by(&self.hashed(key), lease, &mut incoming)
    }

    pub(crate) fn abandon(&self, key: &Key<'_>, lease: &Lease) -> Result<()> {
        match lease.token {
            Some(Version::Number(lease)) => self.look(key, |shard, key, _| shard.loads.spend(key, lease)),
            _ => Ok(()),
        }
    }

    /// Joins the load of this key, or begins it; `shown` as in [`Flights::board`](super::flight::Flights::board).
    pub(crate) fn board(self: &Arc<Self>, key: &Key<'_>, shown: Option<&Version>) -> Result<Boarding> {
        let key = self.hashed(key);
        let seat = self.look_at(&key, |shard, key, _| {
            let number = shard.next();
            shard.loads.board(key, number, shown)
        })?;
        Ok(match seat {
            Seat::Lead(flight) => {
                let listed = Listed { store: Arc::clone(self), hash: key.hash };
                Boarding::Lead(Leader::new(Arc::new(listed), key.key.kept(), flight))
            }
            Seat::Follow(flight) => Boarding::Follow(flight),
            Seat::Outdated(flight) => Boarding::Outdated(flight),
        })
    }

    /// Lets whoever comes later begin a load of their own, unless another one than this is listed.
    pub(crate) fn strike(&self, key: &Key<'_>, flight: &Arc<Flight>) {
        self.strike_at(&self.hashed(key), flight);
    }

    fn strike_at(&self, key: &HashedKey<'_>, flight: &Arc<Flight>) {
        // Within a view nothing can be struck. Nobody waits for that flight for long: it has landed.
        let _ = self.look_at(key, |shard, key, _| shard.loads.strike(key, flight));
    }

    /// Fills a key under a lease.
    pub(super) fn fill_by(
        &self,
        key: &HashedKey<'_>,
        lease: u64,
        incoming: &mut Option<Incoming>,
    ) -> Result<bool> {
        self.store_by(key, |shard, key, leaving| shard.fill(key, lease, incoming, &self.common, leaving))
    }
}

/// Where one load is listed. A leader ends in its drop, where the user's hasher may not be asked again: it may panic.
struct Listed {
    store: Arc<Store>,
    hash: u64,
}

impl Listing for Listed {
    fn strike(&self, joined: &str, flight: &Arc<Flight>) {
        let whole = Prefix::default();
        if let Ok(key) = whole.key(joined) {
            self.store.strike_at(&HashedKey { key, hash: self.hash }, flight);
        }
    }
}
