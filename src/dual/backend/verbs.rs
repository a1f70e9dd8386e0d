//! The verbs of values, each handed to whoever it is for.

use super::memory::object;
use super::{BackendHandle, Kind, maybe_async};

use crate::codec::ValueCodec;
use crate::deadline::Deadline;
use crate::entry::{Condition, Entry, Found, Item, Page, Version};
use crate::error::Result;
use crate::key::{Key, Prefix};
use crate::pattern::Pattern;
use crate::server::ServerInfo;
use crate::ttl::{Lifetime, Remaining};

#[maybe_async]
impl BackendHandle {
    pub(in super::super) async fn get(&self, key: &Key<'_>, deadline: Deadline) -> Result<Option<Found>> {
        match &self.kind {
            Kind::Memory(memory) => memory.get(key),
            Kind::Bytes(backend) => backend.get(key, deadline).await.map(found),
        }
    }

    /// One answer per key, in order.
    pub(in super::super) async fn get_many(
        &self,
        keys: &[Key<'_>],
        deadline: Deadline,
    ) -> Result<Vec<Option<Found>>> {
        match &self.kind {
            Kind::Memory(memory) => memory.get_many(keys),
            Kind::Bytes(backend) => {
                Ok(backend.get_many(keys, deadline).await?.into_iter().map(found).collect())
            }
        }
    }

    pub(in super::super) async fn store(
        &self,
        key: &Key<'_>,
        item: Item,
        lifetime: Lifetime,
        condition: &Condition,
        deadline: Deadline,
    ) -> Result<bool> {
        match &self.kind {
            Kind::Memory(memory) => memory.keep(key, object(item), lifetime, condition),
            Kind::Bytes(backend) => backend.store(key, &item.bytes()?, lifetime, condition, deadline).await,
        }
    }

    /// Checks everything before it writes anything.
    pub(in super::super) async fn store_many(
        &self,
        items: Vec<(Key<'_>, Item)>,
        lifetime: Lifetime,
        condition: &Condition,
        deadline: Deadline,
    ) -> Result<()> {
        match &self.kind {
            Kind::Memory(memory) => memory.store_many(items, lifetime, condition),
            Kind::Bytes(backend) => {
                let bytes = |(key, item): (_, Item)| Ok((key, item.bytes()?));
                let items = items.into_iter().map(bytes).collect::<Result<Vec<_>>>()?;
                backend.store_many(&items, lifetime, condition, deadline).await
            }
        }
    }

    pub(in super::super) async fn remove(
        &self,
        key: &Key<'_>,
        version: Option<&Version>,
        deadline: Deadline,
    ) -> Result<bool> {
        match &self.kind {
            Kind::Memory(memory) => memory.remove(key, version),
            Kind::Bytes(backend) => backend.remove(key, version, deadline).await,
        }
    }

    pub(in super::super) async fn remove_many(&self, keys: &[Key<'_>], deadline: Deadline) -> Result<u64> {
        match &self.kind {
            Kind::Memory(memory) => memory.remove_many(keys),
            Kind::Bytes(backend) => backend.remove_many(keys, deadline).await,
        }
    }

    pub(in super::super) async fn take(&self, key: &Key<'_>, deadline: Deadline) -> Result<Option<Item>> {
        match &self.kind {
            Kind::Memory(memory) => memory.take(key),
            Kind::Bytes(backend) => {
                Ok(backend.take(key, deadline).await?.map(|entry| Item::Bytes(entry.bytes)))
            }
        }
    }

    pub(in super::super) async fn exists(&self, key: &Key<'_>, deadline: Deadline) -> Result<bool> {
        match &self.kind {
            Kind::Memory(memory) => memory.exists(key),
            Kind::Bytes(backend) => backend.exists(key, deadline).await,
        }
    }

    pub(in super::super) async fn touch(
        &self,
        key: &Key<'_>,
        lifetime: Lifetime,
        deadline: Deadline,
    ) -> Result<bool> {
        match &self.kind {
            Kind::Memory(memory) => memory.touch(key, lifetime),
            Kind::Bytes(backend) => backend.touch(key, lifetime, deadline).await,
        }
    }

    pub(in super::super) async fn remaining(
        &self,
        key: &Key<'_>,
        deadline: Deadline,
    ) -> Result<Option<Remaining>> {
        match &self.kind {
            Kind::Memory(memory) => memory.remaining(key),
            Kind::Bytes(backend) => backend.remaining(key, deadline).await,
        }
    }

    /// `codec` reads a counter that memory keeps as another type.
    pub(in super::super) async fn add(
        &self,
        key: &Key<'_>,
        delta: i64,
        lifetime: Lifetime,
        codec: &ValueCodec,
        deadline: Deadline,
    ) -> Result<i64> {
        match &self.kind {
            Kind::Memory(memory) => memory.add(key, delta, lifetime, codec),
            Kind::Bytes(backend) => backend.add(key, delta, lifetime, deadline).await,
        }
    }

    pub(in super::super) async fn remove_matching(
        &self,
        prefix: &Prefix,
        pattern: &Pattern,
        deadline: Deadline,
    ) -> Result<u64> {
        match &self.kind {
            Kind::Memory(memory) => memory.remove_matching(prefix, pattern),
            Kind::Bytes(backend) => backend.remove_matching(prefix, pattern, deadline).await,
        }
    }

    /// A stretch of a walk over names; see [`Walk`].
    pub(super) async fn list(
        &self,
        prefix: &Prefix,
        pattern: &Pattern,
        from: Option<&str>,
        deadline: Deadline,
    ) -> Result<Page> {
        match &self.kind {
            Kind::Memory(memory) => memory.list(prefix, pattern, from),
            Kind::Bytes(backend) => backend.list(prefix, pattern, from, deadline).await,
        }
    }

    pub(in super::super) async fn clear(&self, prefix: &Prefix, deadline: Deadline) -> Result<()> {
        match &self.kind {
            Kind::Memory(memory) => memory.clear(prefix),
            Kind::Bytes(backend) => backend.clear(prefix, deadline).await,
        }
    }

    /// What each server says of itself; memory is none.
    pub(in super::super) async fn servers(&self, deadline: Deadline) -> Result<Vec<ServerInfo>> {
        match &self.kind {
            Kind::Memory(_) => Ok(Vec::new()),
            Kind::Bytes(backend) => backend.servers(deadline).await,
        }
    }

    /// One round trip that touches no value.
    pub(in super::super) async fn ping(&self, deadline: Deadline) -> Result<()> {
        match &self.kind {
            Kind::Memory(memory) => memory.ping(),
            Kind::Bytes(backend) => backend.ping(deadline).await,
        }
    }
}

fn found(entry: Option<Entry>) -> Option<Found> {
    entry.map(Found::from)
}
