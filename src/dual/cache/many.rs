//! Verbs on many keys: one round trip per server, under one deadline.

use super::call::{Around, Call};
use super::{Cache, maybe_async};

use std::collections::HashMap;
use std::sync::Arc;

use crate::entry::{Condition, Item, Storable, Value};
use crate::error::Result;
use crate::event::EventKind;
use crate::key::{Key, distinct};
use crate::pattern::Pattern;
use crate::ttl::{Lifetime, Ttl};

#[maybe_async]
impl Cache {
    /// The values that are there, by key. A key named twice is asked for and answered once. One round trip
    /// per server.
    ///
    /// # Errors
    /// As [`get`](Cache::get); one bad key fails the call before anything is sent.
    pub async fn get_many<T: Value>(
        &self,
        keys: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> Result<HashMap<String, T>> {
        let names = distinct(keys);
        let call = self.call("get_many")?;
        let keys = names.iter().map(|name| call.key(name)).collect::<Result<Vec<_>>>()?;
        let mut values: Vec<Option<T>> = names.iter().map(|_| None).collect();
        for (share, deadline) in call.shares(keys.into_iter().zip(&mut values).collect(), |(key, _)| *key) {
            let keys: Vec<_> = share.iter().map(|(key, _)| *key).collect();
            let found = call.backend().get_many(&keys, deadline).await;
            for ((_, value), found) in share.into_iter().zip(call.absorb_to_nothing(found)?) {
                if let Some(found) = found {
                    *value = call.unpack(&found.item)?.map(Arc::unwrap_or_clone);
                }
            }
        }
        let asked = names.len();
        let mut found = HashMap::with_capacity(asked);
        found.extend(names.into_iter().zip(values).filter_map(|(name, value)| Some((name, value?))));
        call.record(EventKind::Hit(found.len() as u64));
        call.record(EventKind::Miss((asked - found.len()) as u64));
        Ok(found)
    }

    /// Stores all values with one lifetime. Of a key named twice the last value counts. All keys, sizes and
    /// encodings are checked before anything is written; the writes themselves are not one step. One round
    /// trip per server.
    ///
    /// # Errors
    /// As [`set`](Cache::set). After a failure some of the values may be stored.
    pub async fn set_many<K: AsRef<str>, T: Storable>(
        &self,
        items: impl IntoIterator<Item = (K, T)>,
        ttl: impl Into<Ttl>,
    ) -> Result<()> {
        let items: HashMap<String, T> =
            items.into_iter().map(|(key, value)| (key.as_ref().to_owned(), value)).collect();
        let call = self.call("set_many")?;
        let lifetime = call.lifetime(ttl)?;
        let packed = call.pack_all(&items)?;
        call.store_all(packed, lifetime).await
    }

    /// Removes the values of these keys; says how many there were. One round trip per server; two per key on a
    /// clearable Memcached.
    ///
    /// # Errors
    /// `InvalidKey`, before anything is sent; the backend's failures.
    pub async fn delete_many(&self, keys: impl IntoIterator<Item = impl AsRef<str>>) -> Result<u64> {
        let names = distinct(keys);
        let call = self.call("delete_many")?;
        let keys = names.iter().map(|name| call.key(name)).collect::<Result<Vec<_>>>()?;
        let _detach = Around::new(|| keys.iter().for_each(|key| call.detach(key)));
        let mut outcome = Ok(0);
        for (keys, deadline) in call.shares(keys.clone(), |key| *key) {
            let removed = call.backend().remove_many(&keys, deadline).await;
            let removed = call.absorb_to_nothing(removed);
            outcome = outcome.and_then(|sum| Ok(sum + removed?));
        }
        outcome
    }

    /// Removes every value whose key begins with this text, taken literally; says how many. On Redis one or
    /// two round trips per thousand keys of the database: give a large one
    /// [more time](Cache::with_timeout).
    ///
    /// # Errors
    /// `Unsupported` on Memcached, which cannot list its keys; the backend's failures. After a failure some
    /// of the values may be gone.
    pub async fn delete_prefix(&self, prefix: impl AsRef<str>) -> Result<u64> {
        self.delete_matching("delete_prefix", Pattern::starting_with(prefix.as_ref())).await
    }

    /// Removes every value whose key fits this glob (`*`, `?`, `[a-z]`, `[^a]`, `\` to escape); says how
    /// many. Costs and errors as [`delete_prefix`](Cache::delete_prefix).
    ///
    /// # Errors
    /// As [`delete_prefix`](Cache::delete_prefix).
    pub async fn delete_pattern(&self, glob: impl AsRef<str>) -> Result<u64> {
        self.delete_matching("delete_pattern", Pattern::glob(glob.as_ref())).await
    }

    async fn delete_matching(&self, operation: &'static str, pattern: Pattern) -> Result<u64> {
        let call = self.call(operation)?;
        let prefix = &call.inner.prefix;
        let meant = |joined: &str| pattern.matches_within(prefix, joined);
        let _detach = Around::new(|| call.backend().detach_all(meant));
        let removed = call.backend().remove_matching(prefix, &pattern, call.deadline).await;
        call.absorb_to_nothing(removed)
    }

    /// Removes every value of this cache's prefix; without a prefix, everything the backend holds, values of other
    /// prefixes and programs too (on a clearable Memcached: everything that was written without one). Only what stores
    /// keep stays: locks, state, secrets and rate limits, whose keys begin with `lexigram%`. Costs as
    /// [`delete_prefix`](Cache::delete_prefix); on a clearable Memcached one round trip per server.
    ///
    /// # Errors
    /// `Unsupported` on a Memcached that is not clearable; the backend's failures.
    pub async fn clear(&self) -> Result<()> {
        let call = self.call("clear")?;
        let prefix = &call.inner.prefix;
        let meant = |joined: &str| joined.starts_with(prefix.as_str());
        let _detach = Around::new(|| call.backend().detach_all(meant));
        let cleared = call.backend().clear(prefix, call.deadline).await;
        call.absorb_to_nothing(cleared)
    }
}

#[maybe_async]
impl Call<'_> {
    /// Stores values that are packed, whatever was there.
    pub(super) async fn store_all(&self, packed: Vec<(Key<'_>, Item)>, lifetime: Lifetime) -> Result<()> {
        let keys: Vec<_> = packed.iter().map(|(key, _)| *key).collect();
        let _detach = Around::new(|| keys.iter().for_each(|key| self.detach(key)));
        let mut outcome = Ok(());
        for (items, deadline) in self.shares_to_store(packed, lifetime)? {
            let stored = self.backend().store_many(items, lifetime, &Condition::Always, deadline).await;
            outcome = outcome.and(self.absorb_to_nothing(stored));
        }
        outcome
    }
}
