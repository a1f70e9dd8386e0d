//! Walking over the keys of a cache.

use super::super::backend::Walk;
use super::{Cache, maybe_async};

use std::fmt;
use std::vec;

use crate::error::Result;
use crate::pattern::Pattern;

/// A walk over the keys of a cache, made by [`Cache::keys`]: page by page, in a room that does not grow with their number.
///
/// Every key that is there from the beginning to the end of the walk is met; one that comes or goes meanwhile, or not. On
/// Redis a key may be met **more than once**, if the server makes its table larger or smaller meanwhile. Keys come without
/// the prefix, as they were given, in no order. What is being loaded is no value, nor is what is past its time. Without a
/// prefix all keys of the backend are met, those of stores and of other programs too, except on Redis those that are no
/// text.
pub struct Keys {
    cache: Cache,
    walk: Walk,
    page: vec::IntoIter<String>,
}

impl Cache {
    /// A walk over the keys that fit this glob (`*`, `?`, `[a-z]`, `[^a]`, `\` to escape). Asks nobody yet.
    ///
    /// ```
    /// # use lexigram_cache::{Cache, Ttl};
    /// let cache = Cache::memory();
    /// cache.set_many([("user:1", 1), ("user:2", 2), ("page", 3)], Ttl::NEVER)?;
    /// let (mut keys, mut users) = (cache.keys("user:*"), Vec::new());
    /// while let Some(key) = keys.next_key()? {
    ///     users.push(key);
    /// }
    /// users.sort();
    /// assert_eq!(users, ["user:1", "user:2"]);
    /// # Ok::<(), lexigram_cache::Error>(())
    /// ```
    pub fn keys(&self, glob: impl AsRef<str>) -> Keys {
        let walk = Walk::new(self.inner.prefix.clone(), Pattern::glob(glob.as_ref()));
        Keys { cache: self.clone(), walk, page: vec::IntoIter::default() }
    }
}

#[maybe_async]
impl Keys {
    /// The next key; `None` at the end. Takes pages until one has a key: each is a call of its own, with the whole timeout.
    ///
    /// # Errors
    /// As [`next_page`](Keys::next_page).
    pub async fn next_key(&mut self) -> Result<Option<String>> {
        loop {
            if let Some(key) = self.page.next() {
                return Ok(Some(key));
            }
            let Some(page) = self.take_page().await? else { return Ok(None) };
            self.page = page.into_iter();
        }
    }

    /// What is left of the page of [`next_key`](Keys::next_key), or the next one: about a thousand keys on memory, and on
    /// Redis those that fit among the next thousand or so of the database, which may be none. `None` at the end. One or two
    /// round trips.
    ///
    /// # Errors
    /// `Unsupported` on Memcached, which cannot list its keys; the backend's failures, also on a cache that degrades: what
    /// cannot be listed is not nothing. The walk then stands where it stood. On Redis `Unavailable` as well if a master
    /// that was still to be walked has been replaced: begin again.
    ///
    /// # Cancel safety
    /// A future that is dropped leaves the walk where it stood.
    pub async fn next_page(&mut self) -> Result<Option<Vec<String>>> {
        if self.page.len() > 0 {
            return Ok(Some(self.page.by_ref().collect()));
        }
        self.take_page().await
    }

    async fn take_page(&mut self) -> Result<Option<Vec<String>>> {
        let call = self.cache.call("keys")?;
        let page = self.walk.next(call.backend(), call.deadline).await;
        call.end(page)
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Keys").field(&self.cache).finish()
    }
}
