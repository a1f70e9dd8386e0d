//! What all shards of a store share.

use super::budget::Budget;
use super::gone::{Gone, Leaving};
use super::slab::Taken;
use crate::clock::{Clock, Moment};
use crate::eviction::Eviction;
use crate::removal::RemovalCause;

/// What all shards share and an operation may need.
pub(super) struct Common {
    pub(super) clock: Clock,
    pub(super) eviction: Eviction,
    /// How many entries all shards may hold together. Bounds of their own would cost a crowded shard entries while
    /// another has room.
    pub(super) entries: Budget,
    pub(super) weight: Option<Budget>,
    /// How many entries are one shard's even share, and no more than one can have.
    pub(super) share: usize,
}

impl Common {
    pub(super) fn part(&self, taken: Taken, cause: RemovalCause, leaving: &mut Leaving) {
        self.release(taken.weight);
        leaving.push(Gone { key: taken.key, object: taken.object, cause });
    }

    /// Parts with an entry that makes room.
    pub(super) fn give_up(&self, taken: Taken, leaving: &mut Leaving) {
        let cause = self.cause_of(taken.end, RemovalCause::Evicted);
        self.part(taken, cause, leaving);
    }

    /// Why an entry leaves: for this cause, unless its time was up before.
    pub(super) fn cause_of(&self, end: Moment, cause: RemovalCause) -> RemovalCause {
        if self.clock.has_passed(end) { RemovalCause::Expired } else { cause }
    }

    pub(super) fn reserve(&self, units: u32) -> bool {
        self.weight.as_ref().is_none_or(|budget| budget.reserve(units))
    }

    pub(super) fn release(&self, units: u32) {
        if let Some(budget) = &self.weight {
            budget.release(units);
        }
    }
}
