//! The in-process backend: the engine, with its sweeper started when the first lifetime comes.

use super::rt;

use std::any::Any;
use std::sync::Arc;

use crate::clock::Moment;
use crate::codec::{ValueCodec, counter_from_text};
use crate::decision::Decision;
use crate::engine::lease::Leases;
use crate::engine::memory::{Store, Sum};
use crate::engine::quota::Permits;
use crate::entry::{Ask, Condition, Found, Item, Lease, Lookup, Object, Page, Version};
use crate::error::{Error, Result};
use crate::handle::memory::Memory;
use crate::key::{Key, Prefix};
use crate::pattern::Pattern;
use crate::stats::Stats;
use crate::ttl::{Lifetime, Remaining};

/// Memory as a backend, with its store within one step's reach: that is on the way of every hit.
#[derive(Clone)]
pub(in super::super) struct Local {
    store: Arc<Store>,
    memory: Memory,
}

impl From<Memory> for Local {
    fn from(memory: Memory) -> Local {
        Local { store: Arc::clone(&memory.shared.store), memory }
    }
}

impl Local {
    #[inline]
    pub(in super::super) fn store(&self) -> &Arc<Store> {
        &self.store
    }

    /// The locks, from which nothing is evicted.
    pub(super) fn leases(&self) -> &Leases {
        &self.memory.shared.leases
    }

    pub(super) fn get(&self, key: &Key<'_>) -> Result<Option<Found>> {
        self.store.get(key)
    }

    pub(super) fn get_many(&self, keys: &[Key<'_>]) -> Result<Vec<Option<Found>>> {
        keys.iter().map(|key| self.store.get(key)).collect()
    }

    pub(in super::super) fn keep(
        &self,
        key: &Key<'_>,
        object: Arc<dyn Object>,
        lifetime: Lifetime,
        condition: &Condition,
    ) -> Result<bool> {
        self.store.store(key, object, self.end_of(lifetime), condition)
    }

    pub(super) fn store_many(
        &self,
        items: Vec<(Key<'_>, Item)>,
        lifetime: Lifetime,
        condition: &Condition,
    ) -> Result<()> {
        let (store, end) = (&self.store, self.end_of(lifetime));
        let weighed =
            items.into_iter().map(|(key, item)| Ok((key, store.incoming(&key, object(item), end)?)));
        for (key, incoming) in weighed.collect::<Result<Vec<_>>>()? {
            store.put(&key, incoming, condition)?;
        }
        Ok(())
    }

    pub(super) fn remove(&self, key: &Key<'_>, version: Option<&Version>) -> Result<bool> {
        Ok(self.store.take(key, version)?.is_some())
    }

    pub(super) fn remove_many(&self, keys: &[Key<'_>]) -> Result<u64> {
        let mut removed = 0;
        for key in keys {
            removed += u64::from(self.remove(key, None)?);
        }
        Ok(removed)
    }

    pub(super) fn take(&self, key: &Key<'_>) -> Result<Option<Item>> {
        self.store.take(key, None)
    }

    pub(super) fn exists(&self, key: &Key<'_>) -> Result<bool> {
        Ok(self.store.end(key)?.is_some())
    }

    pub(super) fn touch(&self, key: &Key<'_>, lifetime: Lifetime) -> Result<bool> {
        self.store.touch(key, self.end_of(lifetime))
    }

    pub(super) fn remaining(&self, key: &Key<'_>) -> Result<Option<Remaining>> {
        self.store.remaining(key)
    }

    /// A counter of another type than `i64` becomes one, outside the lock and only if it did not change
    /// meanwhile.
    pub(super) fn add(
        &self,
        key: &Key<'_>,
        delta: i64,
        lifetime: Lifetime,
        codec: &ValueCodec,
    ) -> Result<i64> {
        let store = &self.store;
        loop {
            match store.add(key, delta, self.end_of(lifetime))? {
                Sum::Is(sum) => return Ok(sum),
                Sum::Overflow => return Err(Error::overflow()),
                Sum::NotI64 => {}
            }
            if let (Some(found), Some(end)) = (store.get(key)?, store.end(key)?) {
                let same = Condition::Unchanged(found.clone().into_version()?);
                let count = counter_from_text(&found.item.into_bytes(codec)?)?;
                store.store(key, Arc::new(count), end, &same)?;
            }
        }
    }

    pub(super) fn remove_matching(&self, prefix: &Prefix, pattern: &Pattern) -> Result<u64> {
        self.store.remove_matching(prefix, pattern)
    }

    pub(super) fn list(&self, prefix: &Prefix, pattern: &Pattern, from: Option<&str>) -> Result<Page> {
        let place = |text: &str| {
            let (cell, slot) = text.split_once(':')?;
            Some((cell.parse().ok()?, slot.parse().ok()?))
        };
        let from = match from {
            Some(text) => place(text).ok_or_else(Page::unknown_place)?,
            None => (0, 0),
        };
        let (names, next) = self.store.names(prefix, pattern, from)?;
        Ok(Page { names, next: next.map(|(cell, slot)| format!("{cell}:{slot}")) })
    }

    pub(super) fn clear(&self, prefix: &Prefix) -> Result<()> {
        self.remove_matching(prefix, &Pattern::to_clear(prefix)).map(drop)
    }

    pub(super) fn lookup(&self, key: &Key<'_>, ask: Ask) -> Result<Lookup<Found>> {
        self.store.lookup(key, ask)
    }

    pub(super) fn fill(&self, key: &Key<'_>, lease: &Lease, item: Item, lifetime: Lifetime) -> Result<bool> {
        self.store.fill(key, lease, object(item), self.end_of(lifetime))
    }

    pub(super) fn abandon(&self, key: &Key<'_>, lease: &Lease) -> Result<()> {
        self.store.abandon(key, lease)
    }

    pub(super) fn take_permits(&self, key: &Key<'_>, permits: &Permits) -> Decision {
        self.memory.shared.permits.take(key, permits, self.store.clock())
    }

    pub(super) fn forget_permits(&self, key: &Key<'_>) -> bool {
        self.memory.shared.permits.forget(key)
    }

    pub(super) fn ping(&self) -> Result<()> {
        Ok(())
    }

    pub(super) fn stats(&self) -> Stats {
        let sweeping = self.memory.shared.sweeper.get().map(Option::is_some);
        Stats { sweeping, ..self.store.stats() }
    }

    /// The first finite lifetime starts the sweeper; until then there is no thread.
    pub(super) fn end_of(&self, lifetime: Lifetime) -> Moment {
        if lifetime != Lifetime::Never {
            self.memory.shared.sweeper.get_or_init(|| {
                let store = Arc::downgrade(&self.store);
                let sweep = move || {
                    if let Some(store) = store.upgrade() {
                        store.sweep();
                    }
                };
                let sweeper = rt::sweep_every(self.memory.shared.cleanup_interval, sweep)?;
                Some(Box::new(sweeper) as Box<dyn Any + Send + Sync>)
            });
        }
        self.store.clock().end_of(lifetime)
    }
}

/// A cache over memory packs its values as objects; raw bytes come only from a caller that has nothing else,
/// and are kept as the byte vector they are.
pub(super) fn object(item: Item) -> Arc<dyn Object> {
    match item {
        Item::Object(object) => object,
        Item::Bytes(bytes) => Arc::new(bytes),
    }
}
