//! What reading bytes may cost at most: 100 ms of a processor, and 64 MiB.

use std::fs;
use std::time::{Duration, Instant};

/// Runs it and holds it to both.
///
/// # Panics
/// If it takes more.
pub fn within_limits(what: &str, read: impl FnOnce()) {
    let (mut took, begun, wall) = (Duration::ZERO, on_processor(), Instant::now());
    let taken = allocation_counter::measure(|| {
        read();
        // Where the system does not tell how long a thread has run, a clock has to do.
        took = begun.zip(on_processor()).map_or_else(|| wall.elapsed(), |(begun, ended)| ended - begun);
    });
    assert!(taken.bytes_max <= MEMORY, "{what}: {} bytes at once", taken.bytes_max);
    assert!(took <= TIME, "{what}: {took:?}");
}

pub const MEMORY: u64 = 64 << 20;

/// As long in a build as users have it. One for tests is not optimized, and one for a fuzzer counts every branch: both are
/// held to an end within reason.
pub const TIME: Duration = Duration::from_millis(if cfg!(debug_assertions) { 2_000 } else { 100 });

/// How long this thread has run.
fn on_processor() -> Option<Duration> {
    let told = fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    told.split(' ').next()?.parse().ok().map(Duration::from_nanos)
}
