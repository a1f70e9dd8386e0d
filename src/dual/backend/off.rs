//! The backend of a cache that is switched off.

use super::{Backend, maybe_async};

use crate::deadline::Deadline;
use crate::decision::Decision;
use crate::engine::quota::Permits;
use crate::entry::{Condition, Entry, Lease, Page, Version};
use crate::error::{Error, ErrorKind, Result};
use crate::key::{Key, Prefix};
use crate::lock::Claim;
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

    async fn lock(&self, _: &Claim<'_>, _: Deadline) -> Result<Option<u64>> {
        let text = "the cache is switched off, and nothing can be locked on a backend that holds nothing";
        Err(Error::new(ErrorKind::Unsupported, text))
    }

    async fn fill(&self, _: &Key<'_>, _: &Lease, _: &[u8], _: Lifetime, _: Deadline) -> Result<bool> {
        Ok(false)
    }

    /// Whoever limits relies on it, so it is not as if there were no limit.
    async fn take_permits(&self, _: &Key<'_>, _: &Permits, _: Deadline) -> Result<Decision> {
        Err(Error::new(ErrorKind::Unsupported, "a cache that is switched off counts nothing; give a backend"))
    }
}
