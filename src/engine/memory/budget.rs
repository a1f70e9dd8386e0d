//! How much all entries may weigh together.

use super::super::sync::atomic::{AtomicU64, Ordering};

/// A bound on the weight of all entries, kept at every instant: an entry's weight is reserved before it goes in, and
/// given back after it went out.
pub(super) struct Budget {
    /// Bytes to a unit, so that an entry's weight fits in 32 bits. One up to 4 GiB.
    unit: u64,
    most: u64,
    used: AtomicU64,
}

impl Budget {
    pub(super) fn new(max_bytes: u64) -> Budget {
        let unit = (max_bytes >> 32) + 1;
        Budget { unit, most: max_bytes / unit, used: AtomicU64::new(0) }
    }

    /// Units of one.
    pub(super) fn of_units(most: usize) -> Budget {
        Budget { unit: 1, most: most as u64, used: AtomicU64::new(0) }
    }

    /// A weight in units, rounded up; `None` if it could never fit.
    pub(super) fn units(&self, bytes: u64) -> Option<u32> {
        let units = bytes.div_ceil(self.unit);
        u32::try_from(units).ok().filter(|units| u64::from(*units) <= self.most)
    }

    /// Bytes that the entries weigh now, rounded up.
    pub(super) fn used(&self) -> u64 {
        self.used.load(Ordering::Relaxed) * self.unit
    }

    /// Whether there was room.
    pub(super) fn reserve(&self, units: u32) -> bool {
        let fits = |used: u64| Some(used + u64::from(units)).filter(|sum| *sum <= self.most);
        self.used.fetch_update(Ordering::AcqRel, Ordering::Relaxed, fits).is_ok()
    }

    pub(super) fn release(&self, units: u32) {
        self.used.fetch_sub(u64::from(units), Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_reserved_than_there_is() {
        let budget = Budget::new(10);
        assert!(budget.reserve(6) && !budget.reserve(5) && budget.reserve(4) && budget.reserve(0));
        budget.release(6);
        assert_eq!((budget.used(), budget.units(10), budget.units(11)), (4, Some(10), None));
    }

    #[test]
    fn a_budget_beyond_32_bits_is_counted_in_larger_units_and_never_exceeded() {
        for most in [u64::from(u32::MAX), 1 << 32, (1 << 40) + 7, u64::MAX] {
            let budget = Budget::new(most);
            let units = budget.units(most).or(budget.units(most - most % budget.unit)).unwrap();
            assert!(budget.reserve(units) && budget.used() <= most, "{most}");
            assert_eq!(budget.units(1), Some(1));
            assert!(budget.units(u64::MAX).is_none() || most == u64::MAX, "{most}");
        }
    }
}
