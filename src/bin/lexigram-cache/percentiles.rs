//! Latencies, in order.

use std::time::Duration;

#[derive(Clone, Debug, Default)]
pub struct Percentiles {
    seen: Vec<Duration>,
    sorted: bool,
}

impl Percentiles {
    pub fn note(&mut self, latency: Duration) {
        self.seen.push(latency);
        self.sorted = false;
    }

    pub fn take_in(&mut self, other: Percentiles) {
        self.seen.extend(other.seen);
        self.sorted = false;
    }

    pub fn len(&self) -> usize {
        self.seen.len()
    }

    /// What this part of them stays within: 0.5 is the median, 1 the longest. Zero where there are none.
    pub fn at(&mut self, part: f64) -> Duration {
        if !self.sorted {
            self.seen.sort_unstable();
            self.sorted = true;
        }
        let place = (self.seen.len() as f64 * part).ceil() as usize;
        self.seen.get(place.max(1) - 1).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_one_of_those_that_were_seen() {
        let mut seen = Percentiles::default();
        assert_eq!(seen.at(0.5), Duration::ZERO);
        (1..=100).rev().for_each(|millis| seen.note(Duration::from_millis(millis)));
        let at = |part, millis| assert_eq!(seen.clone().at(part), Duration::from_millis(millis));
        at(0.0, 1);
        at(0.5, 50);
        at(0.99, 99);
        at(1.0, 100);
    }
}
