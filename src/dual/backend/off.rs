//! The backend of a cache that is switched off.

use super::{Backend, maybe_async};

use crate::deadline::Deadline;
use crate::entry::{Condition, Entry, Lease, Page, Version};
use crate::error::Result;
use crate::key::{Key, Prefix};
use crate::pattern::Pattern;
use crate::ttl::{Lifetime, Remaining};

/// Holds nothing and takes everything, so that a program runs as if every value were always missing.
pub(super) struct Off;

pub(super) const NAME: &str = "off";

#[maybe_async]
impl Backend for Off {
    fn name(&self) -> &str {
        NAME
    }

    async fn get(&self, _: &Key<'_>, _: Deadline) -> Result<Option<Entry>> {
        Ok(None)
    }

    async fn store(
        &self,
        _: &Key<'_>,
        _: &[u8],
        _: Lifetime,
        condition: &Condition,
        _: Deadline,
    ) -> Result<bool> {
        Ok(matches!(condition, Condition::Always | Condition::Absent))
    }

    async fn remove(&self, _: &Key<'_>, _: Option<&Version>, _: Deadline) -> Result<bool> {
        Ok(false)
    }

    async fn remaining(&self, _: &Key<'_>, _: Deadline) -> Result<Option<Remaining>> {
        Ok(None)
    }

    async fn remove_matching(&self, _: &Prefix, _: &Pattern, _: Deadline) -> Result<u64> {
        Ok(0)
    }

    async fn list(&self, _: &Prefix, _: &Pattern, _: Option<&str>, _: Deadline) -> Result<Page> {
        Ok(Page::default())
    }

    async fn fill(&self, _: &Key<'_>, _: &Lease, _: &[u8], _: Lifetime, _: Deadline) -> Result<bool> {
        Ok(false)
    }
}
