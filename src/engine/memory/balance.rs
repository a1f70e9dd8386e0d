//! How a shard is divided between its two queues: by what was missed, and by who is read.

use std::mem;

use super::ghosts::Ghost;
use super::slot::Queue;

/// The part of the shard that the young queue is meant to have.
pub(super) struct Balance {
    /// In [`WHOLE`]s.
    young: usize,
    /// What surveys go by. The count of the ghosts begins anew whenever their table grows.
    evictions: u32,
    /// Whether, since the last survey, somebody was missed who had just left the young queue.
    missed: bool,
}

const WHOLE: usize = 1 << 10;
/// Where the young part begins, how far it goes, and how much it changes at once.
const FIRST: usize = WHOLE / 2;
const LEAST: usize = WHOLE / 64;
const MOST: usize = WHOLE - WHOLE / 50;
const STEP: usize = WHOLE / 64;
/// How much more than its part the young queue may have before it hands some over.
const SLACK: usize = WHOLE / 16;
/// Who comes back within this part of the shard's entries counts as missed.
const SOON: usize = 5;
/// Evictions from one survey to the next, and from one renewal.
const SURVEY: u32 = 64;
const RENEWAL: u32 = 4 * SURVEY;

impl Default for Balance {
    fn default() -> Balance {
        Balance { young: FIRST, evictions: 0, missed: false }
    }
}

impl Balance {
    /// Whether so many young entries of so many are more than their part.
    pub(super) fn is_passed(&self, young: usize, of: usize) -> bool {
        young * WHOLE > self.young * of
    }

    /// Whether they are so many more that some are to be handed over to the main queue.
    pub(super) fn is_far_passed(&self, young: usize, of: usize) -> bool {
        young * WHOLE > (self.young + SLACK) * of
    }

    /// An entry came back to a shard that holds so many; `won` if it takes the place of one in the main queue.
    pub(super) fn came_back(&mut self, ghost: &Ghost, won: bool, held: usize) {
        if ghost.age as usize > held / SOON {
            return;
        }
        match ghost.queue {
            Queue::Main => self.shorten(STEP),
            Queue::Young => {
                self.missed = true;
                if won {
                    self.young = (self.young + STEP).min(MOST);
                }
            }
        }
    }

    /// Counts an eviction; whether the end of the main queue is to be looked at.
    #[inline]
    pub(super) fn is_survey_due(&mut self) -> bool {
        self.evictions = self.evictions.wrapping_add(1);
        self.evictions.is_multiple_of(SURVEY)
    }

    /// What the survey found at the end of the main queue, and whether that is to leave.
    ///
    /// If it was read, and nobody has been missed, reads fall into the main queue alone: it gets more. If it was not, it is in
    /// the way; but in a loop of many times the shard a read is long in coming, so few are made to leave.
    pub(super) fn surveyed(&mut self, was_read: bool) -> bool {
        if !mem::take(&mut self.missed) && was_read {
            self.shorten(2 * STEP);
        }
        !was_read && self.evictions.is_multiple_of(RENEWAL)
    }

    fn shorten(&mut self, by: usize) {
        self.young = self.young.saturating_sub(by).max(LEAST);
    }
}
