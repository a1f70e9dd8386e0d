//! The protected price for tasks: nobody waits for a reload, not even the task that found the price too old.
//!
//! ```text
//! cargo run --example async_protected --features async
//! ```

use std::io::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use lexigram_cache::aio::Cache;
use lexigram_cache::{Clock, Memory};

/// Seconds since the read before, whether the origin is up, and what is to be seen.
const READS: &[(u64, bool, &str)] = &[
    (0, true, "nothing is there yet: its reader waits for it"),
    (55, true, "in the last tenth of the minute: served, and reloaded beside the reader"),
    (1, true, "which the next one finds"),
    (70, false, "past its time: served, and reloaded in vain, since the origin is down"),
    (1, false, "for 30 s the origin is left alone"),
    (40, true, "then it is asked again"),
    (1, true, "and is back"),
];

#[tokio::main(flavor = "current_thread")]
async fn main() -> lexigram_cache::Result<()> {
    let clock = Clock::hand();
    let memory = Memory::builder().clock(clock.clone()).build()?;
    let cache = Cache::builder().backend(memory).stale_for(Duration::from_secs(24 * 60 * 60)).build()?;
    let policy = cache.policy().ttl(Duration::from_secs(60)).refresh_ahead(0.1).build()?;
    let asked = Arc::new(AtomicU32::new(0));
    for (seconds, up, why) in READS {
        clock.advance(Duration::from_secs(*seconds));
        let origin = Arc::clone(&asked);
        let load = move || async move {
            let asked = origin.fetch_add(1, Ordering::Relaxed) + 1;
            if *up { Ok(100 + asked) } else { Err(Error::other("no connection")) }
        };
        let price = cache.fetch_in_background("price", &policy, load).await?;
        println!("{why}");
        println!("    {} cents, {:?}, {:?} old", price.value, price.source, price.age);
        // The one thread of this runtime has time for the reload.
        tokio::task::yield_now().await;
    }
    cache.close().await;
    println!("the origin was asked {} times", asked.load(Ordering::Relaxed));
    Ok(())
}
