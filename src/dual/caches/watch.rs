//! Whether the backends answer: when asked, and unasked once in a while.

use super::super::cache::Cache;
use super::{Caches, maybe_async, rt};

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::config::Config;
use crate::health::Health;

/// What is known of the backends' health, and how often to look unasked.
pub(super) struct Watch {
    /// Whether anybody is asked at all.
    enabled: bool,
    /// Zero is never.
    interval: Duration,
    seen: Mutex<BTreeMap<String, Health>>,
    looks: Mutex<Looks>,
}

enum Looks {
    /// Not begun: there was no runtime yet.
    Pending,
    /// Ends with this.
    UnderWay(#[expect(dead_code, reason = "held for its drop")] rt::Looking),
    Over,
}

impl Watch {
    pub(super) fn new(config: &Config) -> Watch {
        let (enabled, interval) = (config.service.enable_health_checks, config.health_check_interval);
        let looks = if enabled && !interval.is_zero() { Looks::Pending } else { Looks::Over };
        Watch { enabled, interval, seen: Mutex::default(), looks: looks.into() }
    }

    /// Looks no more unasked.
    pub(super) fn end(&self) {
        let looks =
            std::mem::replace(&mut *self.looks.lock().unwrap_or_else(PoisonError::into_inner), Looks::Over);
        drop(looks);
    }
}

impl Caches {
    /// What the last look at each backend found, whether [`health`](Caches::health) asked or `health_check_interval` had its
    /// turn. Asks nobody. Empty before the first look.
    pub fn last_health(&self) -> BTreeMap<String, Health> {
        self.inner.watch.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Begins to look unasked, if that is wanted and not yet done.
    #[maybe_async]
    pub(super) fn keep_watch(&self) {
        // Replaced whole, so a poisoned lock guards a whole state.
        let mut looks = self.inner.watch.looks.lock().unwrap_or_else(PoisonError::into_inner);
        if !matches!(*looks, Looks::Pending) {
            return;
        }
        // Whoever looks must not keep the caches.
        let inner = Arc::downgrade(&self.inner);
        let look = move || {
            let inner = inner.clone();
            async move {
                if let Some(inner) = inner.upgrade() {
                    Caches { inner }.health().await;
                }
            }
        };
        if let Some(looking) = rt::look_every(self.inner.watch.interval, look) {
            *looks = Looks::UnderWay(looking);
        }
    }
}

#[maybe_async]
impl Caches {
    /// Whether each backend answers, by name, with how long it took; those that are not enabled are left out. One round trip per
    /// server. All are asked at once, each bounded by its own timeout, so a server that hangs holds up no other: threads
    /// are started for all but one of the backends that have a server. Never an error. Empty if
    /// `service.enable_health_checks` is false.
    pub async fn health(&self) -> BTreeMap<String, Health> {
        if !self.inner.watch.enabled {
            return BTreeMap::new();
        }
        let all = self.inner.caches.iter().filter_map(|(name, cache)| Some((name.clone(), cache.clone()?)));
        let (here, away): (Vec<_>, Vec<_>) = all.partition(|(_, cache): &(String, Cache)| cache.is_here());
        let ask = |(name, cache): (String, Cache)| move || async move { (name, cache.health().await) };
        let mut found: BTreeMap<String, Health> =
            rt::abreast(away.into_iter().map(ask)).await.into_iter().collect();
        for (name, cache) in here {
            let health = cache.health().await;
            found.insert(name, health);
        }
        *self.inner.watch.seen.lock().unwrap_or_else(PoisonError::into_inner) = found.clone();
        found
    }
}
