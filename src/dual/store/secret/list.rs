//! Which secrets there are.

use super::super::super::backend::Walk;
use super::{SecretStore, maybe_async};

use std::collections::BTreeSet;

use crate::error::Result;
use crate::pattern::Pattern;

#[maybe_async]
impl SecretStore {
    /// The names of all secrets of the namespace, each once, in order. None is opened. On Redis one or two round trips per
    /// thousand keys of the database, all within the timeout: give a large one more by [`StoreBase::timeout`].
    ///
    /// [`StoreBase::timeout`]: crate::StoreBase::timeout
    ///
    /// # Errors
    /// `Unsupported` on Memcached, which cannot list its keys; the backend's failures.
    pub async fn list_secrets(&self) -> Result<Vec<String>> {
        let names = self.names().await;
        self.end("list_secrets", names)
    }

    async fn names(&self) -> Result<Vec<String>> {
        let (mut walk, mut names) = (self.walk(), BTreeSet::new());
        let deadline = self.base.deadline();
        while let Some(page) = walk.next(self.backend(), deadline).await? {
            names.extend(page);
        }
        Ok(names.into_iter().collect())
    }
}

impl SecretStore {
    pub(super) fn walk(&self) -> Walk {
        Walk::new(self.keys.clone(), Pattern::all())
    }
}
