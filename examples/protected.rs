//! A price whose origin goes down for a day: what its readers get, and how often the origin is asked.
//!
//! ```text
//! cargo run --example protected
//! ```
//!
//! In memory, on a clock that is moved by hand, so that the day takes no time. On Redis or Memcached the same calls
//! also keep the other processes from asking.

use std::io::Error;
use std::time::Duration;

use lexigram_cache::{Cache, Clock, Memory, Origin, Staleness};

/// Seconds since the read before, whether the origin is up, and what is to be seen.
const READS: &[(u64, bool, &str)] = &[
    (0, true, "nothing is there yet"),
    (30, true, "fresh for a minute"),
    (25, true, "in the last tenth of the minute: reloaded early"),
    (70, false, "past its time and the origin is down: the old price has to do"),
    (10, false, "for 30 s the origin is left alone"),
    (30, false, "then it is asked again"),
    (40, true, "it is back"),
    (5, true, "fresh once more"),
    (90_000, false, "down again, and kept for a day only: an error"),
];

fn main() -> lexigram_cache::Result<()> {
    let clock = Clock::hand();
    let memory = Memory::builder().clock(clock.clone()).build()?;
    let cache = Cache::builder().backend(memory).stale_for(Duration::from_secs(24 * 60 * 60)).build()?;
    let policy = cache.policy().ttl(Duration::from_secs(60)).refresh_ahead(0.1).build()?;
    let mut asked = 0;
    for (seconds, up, why) in READS {
        clock.advance(Duration::from_secs(*seconds));
        let price = cache.fetch("price", &policy, || {
            asked += 1;
            if *up { Ok(100 + asked) } else { Err(Error::other("no connection")) }
        });
        println!("{why}; the origin was asked {asked} times");
        match price {
            Ok(price) => println!("    {} cents, {}, {:?} old", price.value, told(&price.source), price.age),
            Err(error) => println!("    {error}"),
        }
    }
    Ok(())
}

fn told(source: &Origin) -> String {
    match source {
        Origin::Stale(Staleness::LoadFailed(error)) => format!("stale, since {error}"),
        source => format!("{source:?}"),
    }
}
