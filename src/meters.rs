//! Cache counters through the `metrics` facade.

use metrics::{Counter, counter};

use crate::event::EventKind;

/// One counter per kind of event, labelled with the backend. They are registered when a cache is built, so
/// that counting allocates nothing; a recorder has to be installed before.
pub(crate) struct Meters {
    hits: Counter,
    misses: Counter,
    loads: Counter,
    joined: Counter,
    decode_rejected: Counter,
    errors: Counter,
    absorbed: Counter,
}

impl Meters {
    pub(crate) fn new(backend: &str) -> Meters {
        let counter = |name| counter!(name, "backend" => backend.to_owned());
        Meters {
            hits: counter("lexigram_cache_hits_total"),
            misses: counter("lexigram_cache_misses_total"),
            loads: counter("lexigram_cache_loads_total"),
            joined: counter("lexigram_cache_joined_total"),
            decode_rejected: counter("lexigram_cache_decode_rejected_total"),
            errors: counter("lexigram_cache_errors_total"),
            absorbed: counter("lexigram_cache_absorbed_total"),
        }
    }

    #[inline]
    pub(crate) fn count(&self, kind: &EventKind<'_>) {
        match kind {
            EventKind::Hit(n) => self.hits.increment(*n),
            EventKind::Miss(n) => self.misses.increment(*n),
            EventKind::Loaded { .. } => self.loads.increment(1),
            EventKind::Joined => self.joined.increment(1),
            EventKind::DecodeRejected(_) => self.decode_rejected.increment(1),
            EventKind::Failed(_) => self.errors.increment(1),
            EventKind::Absorbed(_) => {
                self.errors.increment(1);
                self.absorbed.increment(1);
            }
        }
    }
}
