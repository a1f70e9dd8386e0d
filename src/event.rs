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
        if may_be_followed(&kind) {
            trace(operation, &self.backend, &kind);
        }
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

/// Whether a subscriber may take it. Of hits and misses, which are many, that is told without a call.
#[cfg(feature = "tracing")]
#[inline(always)]
fn may_be_followed(kind: &EventKind<'_>) -> bool {
    let is_of_many = matches!(kind, EventKind::Hit(_) | EventKind::Miss(_));
    !is_of_many || tracing::Level::TRACE <= tracing::level_filters::LevelFilter::current()
}

/// Hits and misses are too many for anything above TRACE; trouble is WARN.
#[cfg(feature = "tracing")]
#[cold]
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

#[cfg(all(test, feature = "tracing"))]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tracing::level_filters::LevelFilter;
    use tracing::span::{Attributes, Id, Record};
    use tracing::{Metadata, Subscriber};

    use super::*;
    use crate::error::ErrorKind;

    struct Ear(LevelFilter, Arc<AtomicUsize>);

    impl Subscriber for Ear {
        fn enabled(&self, metadata: &Metadata<'_>) -> bool {
            *metadata.level() <= self.0
        }

        fn max_level_hint(&self) -> Option<LevelFilter> {
            Some(self.0)
        }

        fn event(&self, _: &tracing::Event<'_>) {
            self.1.fetch_add(1, Ordering::Relaxed);
        }

        fn new_span(&self, _: &Attributes<'_>) -> Id {
            Id::from_u64(1)
        }

        fn record(&self, _: &Id, _: &Record<'_>) {}
        fn record_follows_from(&self, _: &Id, _: &Id) {}
        fn enter(&self, _: &Id) {}
        fn exit(&self, _: &Id) {}
    }

    #[test]
    fn a_subscriber_hears_as_much_as_it_takes() {
        let journal = Journal::new("memory", None, true);
        let error = Error::new(ErrorKind::Unavailable, "the server is away");
        for (level, heard) in [(LevelFilter::TRACE, 3), (LevelFilter::DEBUG, 1), (LevelFilter::OFF, 0)] {
            let count = Arc::new(AtomicUsize::new(0));
            tracing::subscriber::with_default(Ear(level, Arc::clone(&count)), || {
                journal.record("get", EventKind::Hit(1));
                journal.record("get", EventKind::Miss(1));
                journal.record("get", EventKind::Failed(&error));
            });
            assert_eq!(count.load(Ordering::Relaxed), heard, "{level}");
        }
    }
}
