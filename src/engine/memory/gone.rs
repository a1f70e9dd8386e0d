//! Entries on their way out: taken from a shard under its lock, told of and dropped after it is released.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;

use smol_str::SmolStr;

use super::super::sync::atomic::{AtomicU64, Ordering};
use crate::entry::Object;
use crate::removal::{Removal, RemovalCause};

/// Told of each entry that leaves.
pub(crate) type Listener = Arc<dyn Fn(&Removal<'_>) + Send + Sync>;

/// An entry that has left.
pub(super) struct Gone {
    pub(super) key: SmolStr,
    pub(super) object: Arc<dyn Object>,
    pub(super) cause: RemovalCause,
}

/// All that one operation displaces: mostly nothing or one, which takes no allocation.
#[derive(Default)]
pub(super) struct Leaving {
    first: Option<Gone>,
    more: Vec<Gone>,
}

impl Leaving {
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    pub(super) fn cleared(&self) -> u64 {
        let all = self.first.iter().chain(&self.more);
        all.filter(|gone| gone.cause == RemovalCause::Cleared).count() as u64
    }

    pub(super) fn push(&mut self, gone: Gone) {
        match self.first {
            None => self.first = Some(gone),
            Some(_) => self.more.push(gone),
        }
    }

    /// Counts, tells the listener, and drops, entry by entry: a panic of the user's code must not meet another on
    /// its way out, which would end the process. The first one goes on when all are gone.
    pub(super) fn part(self, counts: &Counts, listener: Option<&Listener>) {
        let Leaving { first, more } = self;
        if more.is_empty() {
            // Whose panic meets no other.
            first.into_iter().for_each(|gone| gone.part(counts, listener));
            return;
        }
        let mut panics = Panics::default();
        for gone in first.into_iter().chain(more) {
            panics.hold(|| gone.part(counts, listener));
        }
        panics.go_on();
    }
}

/// The first panic of a listener or of a value's drop, held back until nothing is left half done.
#[derive(Default)]
pub(super) struct Panics(Option<Box<dyn Any + Send>>);

impl Panics {
    /// `None` if it panicked.
    pub(super) fn hold<R>(&mut self, run: impl FnOnce() -> R) -> Option<R> {
        let ran = catch_unwind(AssertUnwindSafe(run));
        ran.map_err(|panic| self.0.get_or_insert(panic)).ok()
    }

    pub(super) fn go_on(self) {
        if let Some(panic) = self.0 {
            resume_unwind(panic);
        }
    }
}

impl Gone {
    #[inline]
    fn part(self, counts: &Counts, listener: Option<&Listener>) {
        let Gone { key, object, cause } = self;
        counts.of(cause).fetch_add(1, Ordering::Relaxed);
        // A value whose drop panics too is one panic too many, so each has a frame to itself.
        if let Some(listener) = listener {
            let told = catch_unwind(AssertUnwindSafe(|| {
                listener(&Removal { key: &key, cause, object: &*object });
            }));
            drop(object);
            told.unwrap_or_else(|panic| resume_unwind(panic));
        }
    }
}

/// What a shard counts beside its lock, so that reading it waits for nobody.
#[derive(Default)]
pub(super) struct Counts {
    /// Entries as the last change left them, for who looks for a shard with much to give.
    pub(super) entries: AtomicU64,
    expired: AtomicU64,
    evicted: AtomicU64,
    replaced: AtomicU64,
    deleted: AtomicU64,
    cleared: AtomicU64,
}

impl Counts {
    pub(super) fn of(&self, cause: RemovalCause) -> &AtomicU64 {
        match cause {
            RemovalCause::Expired => &self.expired,
            RemovalCause::Evicted => &self.evicted,
            RemovalCause::Replaced => &self.replaced,
            RemovalCause::Deleted => &self.deleted,
            RemovalCause::Cleared => &self.cleared,
        }
    }
}
