//! Looking before a load, and storing by right after it.

use super::{BackendHandle, Kind, maybe_async};

use std::time::Duration;

use crate::deadline::Deadline;
use crate::entry::{Ask, Fill, Found, Item, Lease, Lookup};
use crate::error::Result;
use crate::key::Key;
use crate::ttl::Lifetime;

/// Each verb, handed to whoever it is for.
#[maybe_async]
impl BackendHandle {
    /// Looks at a key, and takes the right to fill it if that is asked for.
    pub(in super::super) async fn lookup(
        &self,
        key: &Key<'_>,
        ask: Ask,
        deadline: Deadline,
    ) -> Result<Lookup<Found>> {
        match &self.kind {
            Kind::Memory(memory) => memory.lookup(key, ask),
            Kind::Bytes(backend) => Ok(backend.lookup(key, ask, deadline).await?.map(Found::from)),
        }
    }

    /// One answer per key, in order.
    pub(in super::super) async fn lookup_many(
        &self,
        keys: &[Key<'_>],
        ask: Ask,
        deadline: Deadline,
    ) -> Result<Vec<Lookup<Found>>> {
        match &self.kind {
            Kind::Memory(memory) => keys.iter().map(|key| memory.lookup(key, ask)).collect(),
            Kind::Bytes(backend) => {
                let seen = backend.lookup_many(keys, ask, deadline).await?;
                Ok(seen.into_iter().map(|seen| seen.map(Found::from)).collect())
            }
        }
    }

    /// Holds a lease for so much longer; says whether it was still good. Those in memory do not end.
    pub(in super::super) async fn renew(
        &self,
        key: &Key<'_>,
        lease: &Lease,
        hold: Duration,
        deadline: Deadline,
    ) -> Result<bool> {
        match &self.kind {
            Kind::Memory(_) => Ok(true),
            Kind::Bytes(backend) => backend.renew(key, lease, hold, deadline).await,
        }
    }

    /// Stores under a lease, unless something has touched the key since.
    pub(in super::super) async fn fill(
        &self,
        key: &Key<'_>,
        lease: &Lease,
        item: Item,
        lifetime: Lifetime,
        deadline: Deadline,
    ) -> Result<bool> {
        match &self.kind {
            Kind::Memory(memory) => memory.fill(key, lease, item, lifetime),
            Kind::Bytes(backend) => backend.fill(key, lease, &item.bytes()?, lifetime, deadline).await,
        }
    }

    /// Stores each value under its lease, after checking everything.
    pub(in super::super) async fn fill_many(
        &self,
        items: Vec<(Key<'_>, Lease, Item, Lifetime)>,
        deadline: Deadline,
    ) -> Result<()> {
        match &self.kind {
            Kind::Memory(memory) => items.into_iter().try_for_each(|(key, lease, item, lifetime)| {
                memory.fill(&key, &lease, item, lifetime).map(drop)
            }),
            Kind::Bytes(backend) => {
                let fill = |(key, lease, item, lifetime): (_, _, Item, _)| {
                    Ok(Fill { key, lease, bytes: item.bytes()?, lifetime })
                };
                let fills = items.into_iter().map(fill).collect::<Result<Vec<_>>>()?;
                backend.fill_many(&fills, deadline).await
            }
        }
    }

    /// Gives a lease back unused.
    pub(in super::super) async fn abandon(
        &self,
        key: &Key<'_>,
        lease: &Lease,
        deadline: Deadline,
    ) -> Result<()> {
        match &self.kind {
            Kind::Memory(memory) => memory.abandon(key, lease),
            Kind::Bytes(backend) => backend.abandon(key, lease, deadline).await,
        }
    }

    /// Gives leases back unused.
    pub(in super::super) async fn abandon_many(
        &self,
        leases: &[(Key<'_>, Lease)],
        deadline: Deadline,
    ) -> Result<()> {
        match &self.kind {
            Kind::Memory(memory) => leases.iter().try_for_each(|(key, lease)| memory.abandon(key, lease)),
            Kind::Bytes(backend) => backend.abandon_many(leases, deadline).await,
        }
    }
}
