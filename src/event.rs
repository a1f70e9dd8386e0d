//! What a cache tells its observer while it works.

use std::sync::Arc;
use std::time::Duration;

use crate::error::Error;
use crate::stats::{Count, Counters};

/// Something a cache did. Carries no key and no value, so it can go to any log.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Event<'a> {
    /// The verb: `get`, `set_many`, ..
    pub operation: &'static str,
    /// The backend's name.
    pub backend: &'a str,
    /// What happened.
    pub kind: EventKind<'a>,
}

/// What happened in an [`Event`].
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum EventKind<'a> {
    /// This many reads found their value.
    Hit(u64),
    /// This many reads found none.
    Miss(u64),
    /// A loader ran to its end in this time; `ok` tells whether it gave a value.
    Loaded {
        /// How long the loader took.
        took: Duration,
        /// Whether it gave a value.
        ok: bool,
    },
    /// A call was served by a load that somebody else had begun.
    Joined,
    /// Stored bytes were no value of the type asked for; they count as a miss.
    DecodeRejected(&'a Error),
    /// The backend failed.
    Failed(&'a Error),
    /// The backend failed, and a cache that [degrades](crate::CacheBuilder::degrade) went on without it. Not told as
    /// `Failed` as well.
    Absorbed(&'a Error),
}

/// Receives a cache's events, on the thread or task that made the call, outside all locks.
///
/// Closures are observers. Be quick: the caller waits.
pub trait Observer: Send + Sync + 'static {
    /// Takes one event.
    fn observe(&self, event: &Event<'_>);
}

impl<F: Fn(&Event<'_>) + Send + Sync + 'static> Observer for F {
    fn observe(&self, event: &Event<'_>) {
        self(event);
    }
}

/// The counters and the observer of one cache, told of each event once.
pub(crate) struct Journal {
    pub(crate) backend: Arc<str>,
    pub(crate) counters: Counters,
    observer: Option<Arc<dyn Observer>>,
    counts: bool,
    #[cfg(feature = "metrics")]
    meters: crate::meters::Meters,
}

impl Journal {
    pub(crate) fn new(backend: &str, observer: Option<Arc<dyn Observer>>, counts: bool) -> Journal {
        Journal {
            backend: backend.into(),
            counters: Counters::default(),
            observer,
            counts,
            #[cfg(feature = "metrics")]
            meters: crate::meters::Meters::new(backend),
        }
    }

    /// Whether anybody wants to know how long a load took.
    pub(crate) fn is_heard(&self) -> bool {
        self.observer.is_some() || cfg!(any(feature = "tracing", feature = "metrics"))
    }

    #[inline(always)]
    pub(crate) fn record(&self, operation: &'static str, kind: EventKind<'_>) {
        if self.counts {
            self.count(&kind);
        }
        if self.observer.is_some() {
            self.tell(operation, kind);
        }
        #[cfg(feature = "tracing")]
        trace(operation, &self.backend, &kind);
    }

    #[inline(never)]
    fn tell(&self, operation: &'static str, kind: EventKind<'_>) {
        if let Some(observer) = &self.observer {
            observer.observe(&Event { operation, backend: &self.backend, kind });
        }
    }

    #[inline(always)]
    fn count(&self, kind: &EventKind<'_>) {
        #[cfg(feature = "metrics")]
        self.meters.count(kind);
        if let EventKind::Absorbed(_) = kind {
            self.counters.add(Count::Absorbed, 1);
        }
        let (count, n) = match kind {
            EventKind::Hit(n) => (Count::Hits, *n),
            EventKind::Miss(n) => (Count::Misses, *n),
            EventKind::Loaded { .. } => (Count::Loads, 1),
            EventKind::Joined => (Count::Joined, 1),
            EventKind::DecodeRejected(_) => (Count::DecodeRejected, 1),
            EventKind::Failed(_) | EventKind::Absorbed(_) => (Count::Errors, 1),
        };
        self.counters.add(count, n);
    }
}

impl std::fmt::Debug for Journal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Journal").field("backend", &self.backend).finish_non_exhaustive()
    }
}

/// Whether what no observer is told of can be heard at all.
pub(crate) const IS_TRACED: bool = cfg!(feature = "tracing");

/// Warns a person of what no call has failed by.
pub(crate) fn warn(operation: &'static str, backend: &str, text: &str) {
    #[cfg(feature = "tracing")]
    tracing::warn!(operation, backend, "{text}");
    let _ = (operation, backend, text);
}

/// Hits and misses are too many for anything above TRACE; trouble is WARN.
#[cfg(feature = "tracing")]
fn trace(operation: &'static str, backend: &str, kind: &EventKind<'_>) {
    match kind {
        EventKind::Hit(n) => tracing::trace!(operation, backend, n, "hit"),
        EventKind::Miss(n) => tracing::trace!(operation, backend, n, "miss"),
        EventKind::Loaded { took, ok } => tracing::debug!(operation, backend, ?took, ok, "loaded"),
        EventKind::Joined => tracing::trace!(operation, backend, "joined"),
        EventKind::DecodeRejected(error) => tracing::warn!(operation, backend, %error, "decode rejected"),
        EventKind::Failed(error) => tracing::warn!(operation, backend, %error, "failed"),
        EventKind::Absorbed(error) => tracing::warn!(operation, backend, %error, "absorbed"),
    }
}
