//! What goes through a [`fetch`](crate::Cache::fetch): what a loader gives, and what its caller gets.

use std::time::Duration;

use crate::error::Error;
use crate::ttl::Ttl;

/// What a loader gives: a value, and if it wants, what is to become of it. A plain value converts by itself.
///
/// ```
/// use lexigram_cache::{BoxError, Cache, Fetched, Loaded};
/// use std::time::Duration;
///
/// let cache = Cache::memory();
/// let policy = cache.policy().ttl(Duration::from_secs(60)).build()?;
/// // The answer itself says how long it may be kept. Its caller names the type, since a `Loaded` could be a value too.
/// let page: Fetched<String> = cache.fetch("page", &policy, || {
///     Ok::<_, BoxError>(Loaded::new("<html>".to_owned()).ttl(Duration::from_secs(5)))
/// })?;
/// assert_eq!(page.value, "<html>");
/// # Ok::<(), lexigram_cache::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Loaded<T> {
    pub(crate) value: T,
    pub(crate) ttl: Option<Ttl>,
    pub(crate) store: bool,
}

impl<T> Loaded<T> {
    /// A value to be stored as the policy says.
    pub fn new(value: T) -> Loaded<T> {
        Loaded { value, ttl: None, store: true }
    }

    /// Fresh for so long, instead of what the policy says; the jitter is still added.
    #[must_use]
    pub fn ttl(self, ttl: impl Into<Ttl>) -> Loaded<T> {
        Loaded { ttl: Some(ttl.into()), ..self }
    }

    /// Given to its caller and to those who wait, and not stored.
    #[must_use]
    pub fn do_not_store(self) -> Loaded<T> {
        Loaded { store: false, ..self }
    }
}

impl<T> From<T> for Loaded<T> {
    fn from(value: T) -> Loaded<T> {
        Loaded::new(value)
    }
}

/// A value with where it came from.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Fetched<T> {
    /// The value.
    pub value: T,
    /// Where it came from.
    pub source: Origin,
    /// How long ago it was loaded, as far as the policy's lifetime and what is left of it tell. `None` for values that
    /// never end, and where the policy has no use for the age.
    pub age: Option<Duration>,
}

impl<T> Fetched<T> {
    /// Whether the value is past its time.
    pub fn is_stale(&self) -> bool {
        matches!(self.source, Origin::Stale(_))
    }

    /// What a loader has just given.
    pub(crate) fn loaded(value: T) -> Fetched<T> {
        Fetched::just(value, Origin::Loaded)
    }

    pub(crate) fn just(value: T, source: Origin) -> Fetched<T> {
        Fetched { value, source, age: Some(Duration::ZERO) }
    }

    pub(crate) fn map<U>(self, make: impl FnOnce(T) -> U) -> Fetched<U> {
        Fetched { value: make(self.value), source: self.source, age: self.age }
    }
}

/// Where a [`Fetched`] value came from.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Origin {
    /// Held in this process.
    Memory,
    /// Held by a server, or by a backend of your own.
    Remote,
    /// This call's loader.
    Loaded,
    /// A load that somebody else had begun, in this process or in another.
    Joined,
    /// Past its time, and why it was served all the same.
    Stale(Staleness),
}

/// Why a value past its time was served.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Staleness {
    /// Somebody else is reloading it, or it is being reloaded in the background.
    Refreshing,
    /// This call's load of a new one failed.
    LoadFailed(Error),
    /// An earlier load failed, and it is too soon to try again.
    BackingOff,
    /// The wait for a new one took too long.
    WaitTimedOut,
}
