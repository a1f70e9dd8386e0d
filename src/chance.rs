//! The one door to chance: inside the process, good enough to spread callers and to tell them apart, not to keep secrets; and
//! of the system.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

#[cfg(simulation)]
use crate::simulation::{fill, random as draw};
#[cfg(all(any(feature = "redis", feature = "encryption"), not(simulation)))]
use getrandom::fill;

/// Each state that the standard library makes hashes under a key of its own, so a hash of the same is a draw.
#[cfg(not(simulation))]
fn hashed(what: impl std::hash::Hash) -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(what)
}

/// A simulation's draws come from its seed.
#[cfg(simulation)]
fn hashed(_: impl std::hash::Hash) -> u64 {
    draw()
}

/// A number above 0 and up to 1, evenly spread.
pub(crate) fn chance() -> f64 {
    const STEPS: u64 = 1 << 53;
    let draw = hashed(0_u8) % STEPS;
    // Both are exact, since a float holds 53 bits.
    (draw + 1) as f64 / STEPS as f64
}

/// Up to this much, evenly spread.
pub(crate) fn up_to(most: Duration) -> Duration {
    if most.is_zero() { Duration::ZERO } else { most.mul_f64(chance()) }
}

/// Bytes from the system, which nobody can guess.
///
/// # Errors
/// `Unsupported` if it gives none.
#[cfg(any(feature = "redis", feature = "encryption"))]
pub(crate) fn random<const N: usize>() -> crate::error::Result<[u8; N]> {
    use crate::error::{Error, ErrorKind};

    let mut random = [0; N];
    fill(&mut random).map_err(|error| {
        Error::new(ErrorKind::Unsupported, "the system gives no random numbers").with_source(error)
    })?;
    Ok(random)
}

/// 128 bits that nobody else has drawn, in hexadecimal. They are a keyed hash, whose key the standard library has from the
/// system for each thread; a forked child inherits that key, but not the number of the process.
pub(crate) fn token() -> String {
    static DRAWN: AtomicU64 = AtomicU64::new(0);
    let drawn = (std::process::id(), DRAWN.fetch_add(1, Ordering::Relaxed));
    let half = |half: u8| hashed((drawn, half));
    format!("{:016x}{:016x}", half(0), half(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg_attr(miri, ignore = "thousands of rounds")]
    fn draws_are_above_zero_up_to_one_and_spread() {
        let draws: Vec<f64> = (0..10_000).map(|_| chance()).collect();
        assert!(draws.iter().all(|draw| *draw > 0.0 && *draw <= 1.0));
        let mean = draws.iter().sum::<f64>() / draws.len() as f64;
        assert!((0.47..0.53).contains(&mean), "{mean}");
    }

    #[test]
    #[cfg_attr(miri, ignore = "thousands of rounds")]
    fn tokens_are_128_bits_and_never_drawn_twice() {
        let tokens: std::collections::HashSet<String> = (0..10_000).map(|_| token()).collect();
        assert_eq!(tokens.len(), 10_000);
        assert!(tokens.iter().all(|token| token.len() == 32));
        let ones: u32 =
            tokens.iter().map(|token| u128::from_str_radix(token, 16).unwrap().count_ones()).sum();
        let mean = f64::from(ones) / 10_000.0;
        assert!((63.0..65.0).contains(&mean), "{mean}");
    }
}
