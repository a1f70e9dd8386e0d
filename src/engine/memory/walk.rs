//! What goes through all entries: shard by shard, and within a shard a stretch of slots at a time, so that nobody waits
//! for a lock for long.

use super::super::sync::atomic::Ordering;
use super::Store;
use super::budget::Budget;
use super::common::Common;
use super::gone::{Leaving, Panics};
use super::shard::Shard;
use super::slot::{Place, Slot};
use crate::clock::{Clock, Moment};
use crate::error::Result;
use crate::key::Prefix;
use crate::pattern::Pattern;
use crate::removal::RemovalCause;
use crate::stats::Stats;

/// Where a walk that goes on later stands: a shard, and a slot of it.
pub(crate) type Spot = (usize, usize);

impl Store {
    /// Removes every entry of this namespace whose name fits; says how many.
    pub(crate) fn remove_matching(&self, prefix: &Prefix, pattern: &Pattern) -> Result<u64> {
        let meant =
            |joined: &str| joined.strip_prefix(prefix.as_str()).is_some_and(|name| pattern.matches(name));
        self.walk(|shard, from, leaving| shard.clear(meant, from, &self.common, leaving))
    }

    /// The names of this namespace that fit, from a slot of a shard on until there are enough for a page, and where to go
    /// on. An entry stays in its slot for as long as it is there, so none is passed over.
    pub(crate) fn names(
        &self,
        prefix: &Prefix,
        pattern: &Pattern,
        from: Spot,
    ) -> Result<(Vec<String>, Option<Spot>)> {
        let (first, mut slot) = from;
        let mut names = Vec::new();
        for (index, cell) in self.cells.iter().enumerate().skip(first) {
            let mut more = true;
            while more {
                if names.len() >= PAGE {
                    return Ok((names, Some((index, slot))));
                }
                more = cell.lock()?.names(prefix, pattern, slot, self.clock(), &mut names);
                slot = slot.saturating_add(STRETCH);
            }
            slot = 0;
        }
        Ok((names, None))
    }

    /// Removes what is due.
    pub(crate) fn sweep(&self) {
        let sweep = |shard: &mut Shard, from, leaving: &mut Leaving| {
            shard.sweep(self.clock().now(), from, &self.common, leaving)
        };
        // The sweeper's thread is inside of no view.
        let _ = self.walk(sweep);
    }

    /// Walks through all shards, stretch by stretch, so that nobody waits for a lock for long; says how many were cleared.
    /// A listener that panics does not end the walk.
    fn walk(&self, mut walk: impl FnMut(&mut Shard, usize, &mut Leaving) -> bool) -> Result<u64> {
        let (mut cleared, mut panics) = (0, Panics::default());
        for cell in &self.cells {
            let (mut from, mut more) = (0, true);
            while more {
                let mut leaving = Leaving::default();
                more = self.change_alone(cell, &mut leaving, |shard, leaving| walk(shard, from, leaving))?;
                from += STRETCH;
                cleared += leaving.cleared();
                panics.hold(|| self.part(cell, &mut leaving));
            }
        }
        panics.go_on();
        Ok(cleared)
    }

    /// Sums up what each shard counts, beside all locks.
    pub(crate) fn stats(&self) -> Stats {
        let sum =
            |cause| Some(self.cells.iter().map(|cell| cell.counts.of(cause).load(Ordering::Relaxed)).sum());
        Stats {
            entries: Some(self.common.entries.used()),
            weight: self.common.weight.as_ref().map(Budget::used),
            evicted: sum(RemovalCause::Evicted),
            expired: sum(RemovalCause::Expired),
            replaced: sum(RemovalCause::Replaced),
            removed: sum(RemovalCause::Deleted),
            cleared: sum(RemovalCause::Cleared),
            ..Stats::default()
        }
    }
}

impl Shard {
    /// Removes what is due from a stretch of the slots; says whether there are more.
    pub(super) fn sweep(&mut self, now: Moment, from: usize, common: &Common, leaving: &mut Leaving) -> bool {
        let due = |slot: &Slot| (slot.end <= now).then_some(RemovalCause::Expired);
        self.extract(from, due, common, leaving)
    }

    /// Removes what is meant from a stretch of the slots; says whether there are more.
    pub(super) fn clear(
        &mut self,
        meant: impl Fn(&str) -> bool,
        from: usize,
        common: &Common,
        leaving: &mut Leaving,
    ) -> bool {
        let now = common.clock.now();
        let cause = |slot: &Slot| match (meant(slot.key.as_str()), slot.end <= now) {
            (false, _) => None,
            (true, true) => Some(RemovalCause::Expired),
            (true, false) => Some(RemovalCause::Cleared),
        };
        // Before the values: a load that lands between two stretches must not fill a key of the first.
        if from == 0 {
            self.loads.void_all(&meant);
        }
        self.extract(from, cause, common, leaving)
    }

    /// Adds the names of a stretch of the slots that are meant; says whether there are more. Counts as no use.
    fn names(
        &self,
        prefix: &Prefix,
        pattern: &Pattern,
        from: usize,
        clock: &Clock,
        names: &mut Vec<String>,
    ) -> bool {
        let end = from.saturating_add(STRETCH);
        for slot in (from..end.min(self.queues.slots())).filter_map(|at| self.queues.at(Place::new(at))) {
            if let Some(name) = slot.key.as_str().strip_prefix(prefix.as_str())
                && pattern.matches(name)
                && !clock.has_passed(slot.end.minus(prefix.stale_for()))
            {
                names.push(name.to_owned());
            }
        }
        end < self.queues.slots()
    }

    /// Removes what there is a cause for from a stretch of the slots, short enough for those who wait for the lock; says
    /// whether there are more.
    fn extract(
        &mut self,
        from: usize,
        mut cause: impl FnMut(&Slot) -> Option<RemovalCause>,
        common: &Common,
        leaving: &mut Leaving,
    ) -> bool {
        for index in from..(from + STRETCH).min(self.queues.slots()) {
            let place = Place::new(index);
            if let Some(cause) = self.queues.at(place).and_then(&mut cause)
                && let Some(taken) = self.queues.take(place)
            {
                common.part(taken, cause, leaving);
                common.entries.release(1);
            }
        }
        from + STRETCH < self.queues.slots()
    }
}

/// Slots that are walked through under one hold of the lock: some 40 µs if all of them have to be emptied.
pub(super) const STRETCH: usize = 256;

/// Names after which a page ends with its stretch.
const PAGE: usize = 1_000;
