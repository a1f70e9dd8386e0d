//! What the removal of the expired costs those who read meanwhile: 1,000,000 entries, of which half end together.
//!
//! `cargo bench --bench sweep -- --csv FILE --svg FILE`, with `--threads N` readers (one unless told: where the
//! sweeper has no core for itself, more of them measure the scheduler), `--rounds N` and `--quick`. Every read is timed
//! and asks for an entry that stays. While nothing is due they are quiet reads; while the count of the expired grows,
//! sweeping ones.

mod support;

use std::hint::black_box;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};
use std::{fs, thread};

use hdrhistogram::Histogram;
use lexigram_cache::{Cache, Memory, Ttl};
use support::{Blob, Bound, Kind, Random, Relation, Row, flag, goal, median, name, numbers, report};

fn main() {
    let before = threads();
    let cache = cache();
    (0..STAY).for_each(|number| set(&cache, number, Ttl::NEVER));
    let of_ours = before.zip(threads()).map(|(before, now)| now - before);

    let rounds = numbers("--rounds").map_or(if flag("--quick") { 1 } else { 5 }, |rounds| rounds[0]);
    let rounds: Vec<Round> = (0..rounds).map(|n| round(&cache, (n as f64 + 0.5) / rounds as f64)).collect();
    let rows: Vec<Row> = QUANTILES.into_iter().map(|(name, quantile)| row(&rounds, name, quantile)).collect();
    report("Reads while the expired are removed", &rows, Relation::OursToIt);
    let seen = median(rounds.iter().map(|round| round.sweeping.len() as f64).collect());
    let took = median(rounds.iter().map(|round| round.sweep.as_secs_f64() * 1e3).collect());
    println!("removals went on for {took:.0} ms; {seen} reads fell into that");

    let latest = rounds.iter().map(|round| round.removed).max().expect("there are rounds");
    goal("removed_within_intervals", latest.div_duration_f64(INTERVAL), Bound::AtMost(2.0));
    goal("p99_while_sweeping", over_quiet(&rounds, 0.99), Bound::AtMost(1.5));
    if let Some(of_ours) = of_ours {
        goal("threads_before_first_ttl", of_ours as f64, Bound::AtMost(0.0));
    }
}

const STAY: usize = 500_000;
const END: usize = 500_000;
const INTERVAL: Duration = Duration::from_secs(1);
const QUANTILES: [(&str, f64); 4] = [("p50", 0.5), ("p99", 0.99), ("p99.9", 0.999), ("max", 1.0)];

/// With room to spare in every shard: nothing is to be displaced.
fn cache() -> Cache {
    let memory = Memory::builder().max_entries(2 * (STAY + END)).cleanup_interval(INTERVAL);
    Cache::builder().backend(memory.build().expect("valid")).build().expect("the defaults are valid")
}

fn set(cache: &Cache, number: usize, ttl: Ttl) {
    cache.set(name(number), &Blob::new(number), ttl).expect("memory does not fail");
}

/// Where the system tells.
fn threads() -> Option<usize> {
    Some(fs::read_dir("/proc/self/task").ok()?.count())
}

struct Round {
    quiet: Histogram<u64>,
    sweeping: Histogram<u64>,
    /// From the end of the lifetimes until all were removed.
    removed: Duration,
    /// How long removals went on.
    sweep: Duration,
}

/// `into` is how far into an interval the lifetimes end: sweeps come at a fixed beat, and no round is to favour one.
fn round(cache: &Cache, into: f64) -> Round {
    let end = Instant::now() + TO_FILL + QUIET + INTERVAL.mul_f64(into);
    (STAY..STAY + END).for_each(|number| set(cache, number, (end - Instant::now()).into()));
    assert!(Instant::now() + QUIET < end, "writing what ends took too long to leave a time of quiet");
    let phase = AtomicU8::new(NEITHER);
    thread::scope(|scope| {
        let readers = numbers("--threads").map_or(1, |threads| threads[0]);
        let readers: Vec<_> = (0..readers)
            .map(|reader| Random::new(reader as u64))
            .map(|random| scope.spawn(|| read(cache, random, &phase)))
            .collect();
        let (removed, sweep) = watch(cache, end, &phase);
        phase.store(OVER, Ordering::Relaxed);
        let (mut quiet, mut sweeping) = (latencies(), latencies());
        for reader in readers {
            let read = reader.join().expect("a reader returns");
            quiet.add(&read[usize::from(QUIETLY)]).expect("they are alike");
            sweeping.add(&read[usize::from(SWEEPING)]).expect("they are alike");
        }
        Round { quiet, sweeping, removed, sweep }
    })
}

/// More than the longest it takes to write what will end, so that all of it ends at once.
const TO_FILL: Duration = Duration::from_secs(3);
const QUIET: Duration = Duration::from_secs(2);

const QUIETLY: u8 = 0;
const SWEEPING: u8 = 1;
const NEITHER: u8 = 2;
const OVER: u8 = 3;

/// Tells the readers what their reads count as. Looks as often in every phase, as its looks cost them something too.
fn watch(cache: &Cache, end: Instant, phase: &AtomicU8) -> (Duration, Duration) {
    let expired = || cache.stats().expired.expect("memory counts what expired");
    let (before, mut seen) = (expired(), 0);
    let (mut looked, mut grown, mut sweep) = (Instant::now(), None, Duration::ZERO);
    loop {
        thread::sleep(Duration::from_millis(2));
        let (now, gone) = (Instant::now(), expired() - before);
        if gone > seen {
            (seen, grown) = (gone, Some(now));
        }
        if gone >= END as u64 {
            return (now - end, sweep);
        }
        assert!(now < end + 60 * INTERVAL, "{gone} of {END} expired entries were removed");
        if grown.is_some_and(|grown| now - grown < LULL) {
            phase.store(SWEEPING, Ordering::Relaxed);
            sweep += now - looked;
        } else {
            phase.store(if now < end { QUIETLY } else { NEITHER }, Ordering::Relaxed);
        }
        looked = now;
    }
}

/// A sweep that removes nothing for so long is over, or waits.
const LULL: Duration = Duration::from_millis(20);

/// Latencies by phase. Each begins where the one before ended, so that nothing falls between two reads.
fn read(cache: &Cache, mut random: Random, phase: &AtomicU8) -> [Histogram<u64>; 3] {
    let keys: Vec<String> = (0..1 << 18).map(|_| name(random.below(STAY))).collect();
    let mut latencies = [latencies(), latencies(), latencies()];
    let mut last = Instant::now();
    for key in keys.iter().cycle() {
        let phase = phase.load(Ordering::Relaxed);
        if phase == OVER {
            break;
        }
        let found = black_box(cache.get_arc::<Blob>(key).expect("memory does not fail"));
        assert!(found.is_some(), "{key} stays");
        let now = Instant::now();
        latencies[usize::from(phase)].saturating_record((now - last).as_nanos() as u64);
        last = now;
    }
    latencies
}

/// Nanoseconds up to ten seconds, to three digits.
fn latencies() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 10_000_000_000, 3).expect("the bounds are valid")
}

fn row(rounds: &[Round], name: &str, quantile: f64) -> Row {
    let of = |pick: fn(&Round) -> &Histogram<u64>| {
        median(rounds.iter().map(|round| pick(round).value_at_quantile(quantile) as f64).collect())
    };
    let figures = vec![("sweeping", of(|round| &round.sweeping)), ("quiet", of(|round| &round.quiet))];
    Row::of(name.to_owned(), "ns", figures)
}

fn over_quiet(rounds: &[Round], quantile: f64) -> f64 {
    let of = |latencies: &Histogram<u64>| latencies.value_at_quantile(quantile) as f64;
    median(rounds.iter().map(|round| of(&round.sweeping) / of(&round.quiet)).collect())
}
