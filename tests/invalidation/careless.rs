//! A backend with one fault: it stores what was loaded, whatever has happened to the key since the load began.

use lexigram_cache::{
    Backend, Condition, Deadline, Entry, Key, Lease, Lifetime, Pattern, Prefix, Remaining, Result, Version,
};

use crate::shelf::Shelf;

#[derive(Default)]
pub struct Careless(Shelf);

impl Backend for Careless {
    fn name(&self) -> &str {
        "careless"
    }

    fn get(&self, key: &Key<'_>, deadline: Deadline) -> Result<Option<Entry>> {
        Backend::get(&self.0, key, deadline)
    }

    fn store(
        &self,
        key: &Key<'_>,
        bytes: &[u8],
        lifetime: Lifetime,
        condition: &Condition,
        deadline: Deadline,
    ) -> Result<bool> {
        Backend::store(&self.0, key, bytes, lifetime, condition, deadline)
    }

    fn remove(&self, key: &Key<'_>, version: Option<&Version>, deadline: Deadline) -> Result<bool> {
        Backend::remove(&self.0, key, version, deadline)
    }

    fn remaining(&self, key: &Key<'_>, deadline: Deadline) -> Result<Option<Remaining>> {
        Backend::remaining(&self.0, key, deadline)
    }

    fn remove_matching(&self, prefix: &Prefix, pattern: &Pattern, deadline: Deadline) -> Result<u64> {
        Backend::remove_matching(&self.0, prefix, pattern, deadline)
    }

    /// The fault.
    fn fill(
        &self,
        key: &Key<'_>,
        _: &Lease,
        bytes: &[u8],
        ttl: Lifetime,
        deadline: Deadline,
    ) -> Result<bool> {
        self.store(key, bytes, ttl, &Condition::Always, deadline)
    }
}
