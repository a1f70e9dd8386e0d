//! What of a cache's settings can change while it runs: how it protects loads, and its default lifetime.
//!
//! Every read of the plain way through memory asks for two of them, so these are words of their own; the rest lies behind a
//! lock that is first looked at once something has changed.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use crate::policy::Rules;
use crate::ttl::Lifetime;

/// The settings in force, for all clones of a cache.
pub(crate) struct Tuning {
    /// Those that the cache was built with.
    first: Rules,
    /// Those that have taken their place.
    later: RwLock<Option<Rules>>,
    is_tuned: AtomicBool,
    are_plain: AtomicBool,
    /// In nanoseconds; the largest number is for ever.
    default_ttl: AtomicU64,
}

impl Tuning {
    pub(crate) fn new(rules: Rules, default_ttl: Lifetime) -> Tuning {
        Tuning {
            later: RwLock::new(None),
            is_tuned: false.into(),
            are_plain: rules.are_plain().into(),
            default_ttl: nanos(default_ttl).into(),
            first: rules,
        }
    }

    /// The rules in force. A call takes them once and keeps to them.
    pub(crate) fn rules(&self) -> Rules {
        if !self.is_tuned.load(Ordering::Acquire) {
            return self.first.clone();
        }
        // Replaced whole, so a poisoned lock guards whole rules.
        let later = self.later.read().unwrap_or_else(PoisonError::into_inner);
        later.as_ref().unwrap_or(&self.first).clone()
    }

    /// Those of the beginning, for what no configuration can change: the limits of loads.
    pub(crate) fn first(&self) -> &Rules {
        &self.first
    }

    /// [`Rules::are_plain`] of the rules in force.
    #[inline]
    pub(crate) fn are_plain(&self) -> bool {
        self.are_plain.load(Ordering::Relaxed)
    }

    #[inline]
    pub(crate) fn default_ttl(&self) -> Lifetime {
        match self.default_ttl.load(Ordering::Relaxed) {
            NEVER => Lifetime::Never,
            nanos => Lifetime::For(Duration::from_nanos(nanos)),
        }
    }

    /// Puts others in force, for all calls that begin later.
    pub(crate) fn tune(&self, rules: Rules, default_ttl: Lifetime) {
        self.are_plain.store(rules.are_plain(), Ordering::Relaxed);
        self.default_ttl.store(nanos(default_ttl), Ordering::Relaxed);
        *self.later.write().unwrap_or_else(PoisonError::into_inner) = Some(rules);
        self.is_tuned.store(true, Ordering::Release);
    }
}

/// A hundred years are a sixth of what fits.
fn nanos(lifetime: Lifetime) -> u64 {
    match lifetime {
        Lifetime::Never => NEVER,
        Lifetime::For(duration) => u64::try_from(duration.as_nanos()).unwrap_or(NEVER - 1),
    }
}

const NEVER: u64 = u64::MAX;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lifetimes_come_out_as_they_went_in() {
        for lifetime in
            [Lifetime::Never, Lifetime::For(Duration::from_nanos(1)), Lifetime::For(Lifetime::MAX)]
        {
            assert_eq!(Tuning::new(Rules::default(), lifetime).default_ttl(), lifetime);
        }
    }

    #[test]
    fn what_is_tuned_is_in_force() {
        let tuning = Tuning::new(Rules::default(), Lifetime::Never);
        assert!(tuning.are_plain() && tuning.rules().enabled);
        let minute = Lifetime::For(Duration::from_secs(60));
        tuning.tune(Rules { enabled: false, ..Rules::default() }, minute);
        assert!(!tuning.are_plain() && !tuning.rules().enabled && tuning.first().enabled);
        assert_eq!(tuning.default_ttl(), minute);
    }
}
