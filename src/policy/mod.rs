//! What protects a load: how long its value counts as fresh, who loads when it no longer does, and what those who
//! wait do if nothing comes.

mod builder;
mod rules;

use serde::Serialize;

pub use self::builder::PolicyBuilder;
pub(crate) use self::rules::Rules;
use crate::codec::is_none;
use crate::ttl::Lifetime;

/// How one [`fetch`](crate::Cache::fetch) is protected. Made by [`Cache::policy`](crate::Cache::policy), which
/// begins with the cache's own settings. A cheap clone; meant to be made once and used for many fetches.
///
/// ```
/// use lexigram_cache::Cache;
/// use std::time::Duration;
///
/// let cache = Cache::builder().stale_for(Duration::from_secs(600)).build()?;
/// let policy = cache
///     .policy()
///     .ttl(Duration::from_secs(60)) // fresh for a minute
///     .refresh_ahead(0.1) // one caller reloads in the last six seconds of it
///     .build()?;
/// let price = cache.fetch("price", &policy, || Ok::<u32, std::io::Error>(100))?;
/// assert_eq!(price.value, 100);
/// # Ok::<(), lexigram_cache::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Policy {
    pub(crate) rules: Rules,
    /// How long a loaded value is fresh, before jitter.
    pub(crate) ttl: Lifetime,
}

impl Policy {
    /// How long this value is fresh, unless its loader has said so.
    pub(crate) fn ttl_of<T: Serialize>(&self, value: &T) -> Lifetime {
        match self.rules.negative_ttl {
            Some(negative) if is_none(value) => negative.resolve(self.ttl).unwrap_or(self.ttl),
            _ => self.ttl,
        }
    }
}

/// What a caller does that has waited `max_wait` for another's load.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum OnWaitTimeout {
    /// Loads for itself and stores nothing.
    #[default]
    Compute,
    /// Takes the stale value if there is one, else loads for itself and stores nothing.
    Stale,
    /// Fails with `Timeout`.
    Error,
}
