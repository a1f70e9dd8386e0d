//! Lifetimes: [`Ttl`] going in, [`Remaining`] coming out.

use std::time::Duration;

use crate::error::{Error, ErrorKind, Result};

/// How long a value may be served.
///
/// A `Duration` converts by itself; a zero one is refused as [`ErrorKind::InvalidTtl`] by the call
/// that uses it, since "keep for no time" is always a mistake.
///
/// ```
/// use lexigram_cache::{Cache, Ttl};
/// use std::time::Duration;
///
/// let cache = Cache::memory();
/// cache.set("a", &1, Duration::from_secs(60))?;
/// cache.set("b", &2, Ttl::NEVER)?;
/// cache.set("c", &3, Ttl::DEFAULT)?; // the cache's own default_ttl, or never
/// # Ok::<(), lexigram_cache::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Ttl(Repr);

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Repr {
    Default,
    Never,
    For(Duration),
}

impl Ttl {
    /// The cache's `default_ttl`; if it has none, the value never expires.
    pub const DEFAULT: Ttl = Ttl(Repr::Default);
    /// No expiry. The value can still be evicted.
    pub const NEVER: Ttl = Ttl(Repr::Never);

    /// Whether [`resolve`](Ttl::resolve) has nothing against it.
    #[inline(always)]
    pub(crate) fn is_sound(self) -> bool {
        match self.0 {
            Repr::Default | Repr::Never => true,
            Repr::For(duration) => !duration.is_zero() && duration <= Lifetime::MAX,
        }
    }

    /// Settles what is meant, given the cache's own default.
    ///
    /// # Errors
    /// `InvalidTtl` for zero and for anything over [`Lifetime::MAX`].
    #[inline]
    pub(crate) fn resolve(self, default: Lifetime) -> Result<Lifetime> {
        match self.0 {
            Repr::Default => Ok(default),
            Repr::Never => Ok(Lifetime::Never),
            Repr::For(duration) => Lifetime::new(duration),
        }
    }
}

impl From<Duration> for Ttl {
    fn from(duration: Duration) -> Ttl {
        Ttl(Repr::For(duration))
    }
}

/// A settled lifetime: never, or a positive duration within bounds.
///
/// This is what a [backend](crate::Backend) is given to store with a value.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Lifetime {
    /// No expiry.
    Never,
    /// Expires after this; never zero.
    For(Duration),
}

impl Lifetime {
    /// The longest finite lifetime, 100 years: beyond it servers overflow their clocks.
    pub const MAX: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

    /// Checks a duration.
    ///
    /// # Errors
    /// `InvalidTtl` for zero and for anything over [`Lifetime::MAX`].
    pub fn new(duration: Duration) -> Result<Lifetime> {
        if duration.is_zero() {
            let text = "a lifetime of zero stores nothing; use delete to remove, or Ttl::NEVER to keep";
            return Err(Error::new(ErrorKind::InvalidTtl, text));
        }
        if duration > Lifetime::MAX {
            let text = "a lifetime over 100 years is beyond the servers' clocks; use Ttl::NEVER to keep";
            return Err(Error::new(ErrorKind::InvalidTtl, text));
        }
        Ok(Lifetime::For(duration))
    }

    /// So much longer, up to [`MAX`](Lifetime::MAX).
    pub(crate) fn plus(self, more: Duration) -> Lifetime {
        match self {
            Lifetime::Never => Lifetime::Never,
            Lifetime::For(duration) => Lifetime::For(duration.saturating_add(more).min(Lifetime::MAX)),
        }
    }

    /// Whole milliseconds, rounded up so that a lifetime never becomes zero; `None` is never.
    pub fn as_millis(self) -> Option<u64> {
        match self {
            Lifetime::Never => None,
            // At most 100 years, so the cast cannot lose anything.
            Lifetime::For(duration) => Some(duration.as_nanos().div_ceil(1_000_000) as u64),
        }
    }

    /// Whole seconds, rounded up; `None` is never.
    pub fn as_secs(self) -> Option<u64> {
        self.as_millis().map(|millis| millis.div_ceil(1_000))
    }
}

/// What is left of a stored value's lifetime.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Remaining {
    /// It does not expire.
    Never,
    /// It expires after this long. Whole seconds on Memcached.
    For(Duration),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_is_refused_whether_given_or_default() {
        let zero = Ttl::from(Duration::ZERO).resolve(Lifetime::Never);
        assert_eq!(zero.unwrap_err().kind(), ErrorKind::InvalidTtl);
    }

    #[test]
    fn default_means_the_caches_own() {
        let minute = Lifetime::For(Duration::from_secs(60));
        assert_eq!(Ttl::DEFAULT.resolve(minute).unwrap(), minute);
        assert_eq!(Ttl::NEVER.resolve(minute).unwrap(), Lifetime::Never);
    }

    #[test]
    fn a_lifetime_never_rounds_down() {
        let short = Lifetime::new(Duration::from_nanos(1)).unwrap();
        assert_eq!((short.as_millis(), short.as_secs()), (Some(1), Some(1)));
        let odd = Lifetime::new(Duration::from_millis(1_001)).unwrap();
        assert_eq!((odd.as_millis(), odd.as_secs()), (Some(1_001), Some(2)));
    }

    #[test]
    fn a_lifetime_beyond_the_servers_clocks_is_refused() {
        assert!(Lifetime::new(Lifetime::MAX).is_ok());
        assert!(Lifetime::new(Duration::MAX).is_err());
    }
}
