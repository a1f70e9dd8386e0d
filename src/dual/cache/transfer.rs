//! Stored bytes as they are, for programs that move values of types they do not know.

use super::{Cache, maybe_async};

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use crate::entry::{Ask, Encoded, Entry, Item, Lookup};
use crate::error::Result;
use crate::key::distinct;
use crate::ttl::{Remaining, Ttl};

#[maybe_async]
impl Cache {
    /// The encoded values that are there, by key, each with what is left of its lifetime: for [`import`](Cache::import)
    /// elsewhere. Decodes nothing, so it needs no type; on memory values are encoded in the cache's format. Counts as
    /// neither hit nor miss. One round trip per server.
    ///
    /// ```
    /// use lexigram_cache::{Cache, Ttl};
    ///
    /// let (here, there) = (Cache::memory(), Cache::memory());
    /// here.set("k", &vec![1, 2, 3], Ttl::NEVER)?;
    /// let bytes = here.export(["k"])?.remove("k").map(|entry| entry.bytes);
    /// assert_eq!(bytes.as_deref(), Some(&b"[1,2,3]"[..]));
    /// there.import(bytes.map(|bytes| ("k", bytes)), Ttl::NEVER)?;
    /// assert_eq!(there.get::<Vec<u8>>("k")?, Some(vec![1, 2, 3]));
    /// # Ok::<(), lexigram_cache::Error>(())
    /// ```
    ///
    /// # Errors
    /// `InvalidKey`, before anything is sent; `Encode` on memory; the backend's failures.
    pub async fn export(
        &self,
        keys: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> Result<HashMap<String, Entry>> {
        let names = distinct(keys);
        let call = self.call("export")?;
        let keys = names.iter().map(|name| call.key(name)).collect::<Result<Vec<_>>>()?;
        let looks = call.look_at_each(&keys, Ask::Age).await;
        let mut entries = HashMap::with_capacity(names.len());
        for (key, look) in keys.iter().zip(looks) {
            let Some(Lookup::Hit(found)) = call.end(look)?.seen() else { continue };
            let Some(remaining) = before_its_time(found.remaining, key.stale_for()) else { continue };
            let bytes = call.input(found.item.into_bytes(&call.inner.codec))?;
            let entry = Entry { bytes, version: found.version, remaining: Some(remaining) };
            entries.insert(key.name().to_owned(), entry);
        }
        Ok(entries)
    }

    /// Stores encoded values as they are, with one lifetime: what [`export`](Cache::export) gave on a cache of the same
    /// format. Of a key named twice the last value counts. Whether they are values at all shows when they are read. One
    /// round trip per server.
    ///
    /// # Errors
    /// As [`set_many`](Cache::set_many).
    pub async fn import<K: AsRef<str>>(
        &self,
        items: impl IntoIterator<Item = (K, Vec<u8>)>,
        ttl: impl Into<Ttl>,
    ) -> Result<()> {
        let items: HashMap<String, Vec<u8>> =
            items.into_iter().map(|(key, bytes)| (key.as_ref().to_owned(), bytes)).collect();
        let call = self.call("import")?;
        let lifetime = call.lifetime(ttl)?;
        let in_memory = call.backend().keeps_objects();
        let item = |bytes: &Vec<u8>| match in_memory {
            true => Item::Object(Arc::new(Encoded(bytes.clone()))),
            false => Item::Bytes(bytes.clone()),
        };
        let named = items.iter().map(|(name, bytes)| Ok((call.key(name)?, item(bytes))));
        call.store_all(named.collect::<Result<_>>()?, lifetime).await
    }
}

/// What is left of a value's lifetime, of what is left of its stay; `None` past its time.
fn before_its_time(stay: Option<Remaining>, kept: Duration) -> Option<Remaining> {
    match stay.unwrap_or(Remaining::Never) {
        Remaining::Never => Some(Remaining::Never),
        Remaining::For(left) => match left.saturating_sub(kept) {
            Duration::ZERO => None,
            left => Some(Remaining::For(left)),
        },
    }
}
