//! How long a lock is certainly ours, as its holder knows it.

use crate::clock::Moment;

/// What a holder knows of its lock. Steps on the server may overlap, and which of them it took last is not known: then the
/// one that ends first counts.
#[derive(Debug)]
pub(crate) struct Hold {
    until: Moment,
    /// The end that counts once no step is under way.
    least: Moment,
    under_way: u32,
    over: Option<Over>,
}

/// Why a lock is no longer held.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Over {
    /// The server did not know it as ours, before its time was over.
    Lost,
    /// Its time was over before it could be renewed.
    Expired,
    /// The holder gave it back, or handed it over.
    Left,
}

impl Hold {
    pub(crate) fn new(until: Moment) -> Hold {
        Hold { until, least: Moment::NEVER, under_way: 0, over: None }
    }

    /// The end of the time that is certainly ours.
    pub(crate) fn until(&self) -> Moment {
        self.until
    }

    pub(crate) fn over(&self) -> Option<Over> {
        self.over
    }

    /// Ends it; says whether it had not ended before.
    pub(crate) fn end(&mut self, over: Over) -> bool {
        let first = self.over.is_none();
        self.over.get_or_insert(over);
        first
    }

    /// A step begins that may hold the lock until then.
    pub(crate) fn begin(&mut self) {
        if self.under_way == 0 {
            self.least = Moment::NEVER;
        }
        self.under_way += 1;
    }

    /// Such a step was taken.
    pub(crate) fn taken(&mut self, until: Moment) {
        self.under_way -= 1;
        self.least = self.least.min(until);
        self.until = self.least;
    }

    /// Whether it was taken is not known: neither end must be passed.
    pub(crate) fn unknown(&mut self, until: Moment) {
        let until = self.until.min(until);
        self.taken(until);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::clock::Clock;
    use crate::ttl::Lifetime;

    fn at(seconds: u64) -> Moment {
        Clock::hand().end_of(Lifetime::For(Duration::from_secs(seconds)))
    }

    #[test]
    fn the_last_step_counts_be_it_longer_or_shorter() {
        let mut hold = Hold::new(at(5));
        for end in [9, 3, 7] {
            hold.begin();
            hold.taken(at(end));
            assert_eq!(hold.until(), at(end));
        }
    }

    #[test]
    fn of_steps_that_overlap_the_earliest_end_counts_in_whatever_order_they_are_answered() {
        for ends in [[9, 3], [3, 9]] {
            let mut hold = Hold::new(at(5));
            hold.begin();
            hold.begin();
            ends.into_iter().for_each(|end| hold.taken(at(end)));
            assert_eq!(hold.until(), at(3));
        }
    }

    #[test]
    fn a_step_of_unknown_outcome_only_ever_shortens() {
        for (end, left) in [(3, 3), (9, 5)] {
            let mut hold = Hold::new(at(5));
            hold.begin();
            hold.unknown(at(end));
            assert_eq!(hold.until(), at(left));
        }
    }

    #[test]
    fn it_ends_once() {
        let mut hold = Hold::new(at(5));
        assert!(hold.end(Over::Lost) && !hold.end(Over::Left));
        assert_eq!(hold.over(), Some(Over::Lost));
    }
}
