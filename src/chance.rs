//! The one door to chance inside the process: good enough to spread callers, not to keep secrets.

use std::time::Duration;

#[cfg(simulation)]
pub(crate) use crate::simulation::{fill, random};
/// Bytes that nobody else can have drawn.
#[cfg(all(feature = "redis", not(simulation)))]
pub(crate) use getrandom::fill;

#[cfg(not(simulation))]
fn random() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(0_u8)
}

/// A number above 0 and up to 1, evenly spread. Each state that the standard library makes hashes under a key of
/// its own, so an empty hash is a draw.
pub(crate) fn chance() -> f64 {
    const STEPS: u64 = 1 << 53;
    let draw = random() % STEPS;
    // Both are exact, since a float holds 53 bits.
    (draw + 1) as f64 / STEPS as f64
}

/// Up to this much, evenly spread.
pub(crate) fn up_to(most: Duration) -> Duration {
    if most.is_zero() { Duration::ZERO } else { most.mul_f64(chance()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_are_above_zero_up_to_one_and_spread() {
        let draws: Vec<f64> = (0..10_000).map(|_| chance()).collect();
        assert!(draws.iter().all(|draw| *draw > 0.0 && *draw <= 1.0));
        let mean = draws.iter().sum::<f64>() / draws.len() as f64;
        assert!((0.47..0.53).contains(&mean), "{mean}");
    }
}
