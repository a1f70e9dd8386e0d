//! Entries on their way out: taken from a shard under its lock, told of and dropped after it is released.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;

use super::super::sync::atomic::{AtomicU64, Ordering};
use crate::entry::Object;
use crate::key::KeyText;
use crate::removal::{Removal, RemovalCause};

/// Told of each entry that leaves.
pub(crate) type Listener = Arc<dyn Fn(&Removal<'_>) + Send + Sync>;

/// An entry that has left.
pub(super) struct Gone {
    pub(super) key: KeyText,
    pub(super) object: Arc<dyn Object>,
    pub(super) cause: RemovalCause,
}

/// All that one operation displaces: mostly nothing or one, which takes no allocation.
#[derive(Default)]
pub(super) enum Leaving {
    #[default]
    Nobody,
    One(Gone),
    More(Vec<Gone>),
}

impl Leaving {
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        matches!(self, Leaving::Nobody)
    }

    pub(super) fn cleared(&self) -> u64 {
        let all = match self {
            Leaving::Nobody => &[],
            Leaving::One(gone) => std::slice::from_ref(gone),
            Leaving::More(all) => all.as_slice(),
        };
        all.iter().filter(|gone| gone.cause == RemovalCause::Cleared).count() as u64
    }

    #[inline]
    pub(super) fn push(&mut self, gone: Gone) {
        match self {
            Leaving::Nobody => *self = Leaving::One(gone),
            _ => self.push_more(gone),
        }
    }

    #[inline(never)]
    fn push_more(&mut self, gone: Gone) {
        *self = match std::mem::take(self) {
            Leaving::Nobody => Leaving::One(gone),
            Leaving::One(first) => Leaving::More(vec![first, gone]),
            Leaving::More(mut all) => {
                all.push(gone);
                Leaving::More(all)
            }
        };
    }

    /// Counts, tells the listener, and drops, entry by entry: a panic of the user's code must not meet another on
    /// its way out, which would end the process. The first one goes on when all are gone.
    pub(super) fn part(self, counts: &Counts, listener: Option<&Listener>) {
        match self {
            Leaving::Nobody => {}
            Leaving::One(gone) => gone.part(counts, listener),
            Leaving::More(all) => {
                let mut panics = Panics::default();
                for gone in all {
                    panics.hold(|| gone.part(counts, listener));
                }
                panics.go_on();
            }
        }
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
                listener(&Removal { key: key.as_str(), cause, object: &*object });
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
