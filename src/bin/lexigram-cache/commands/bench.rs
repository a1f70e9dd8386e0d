//! `bench`: how long reads and writes take from here.

use std::process;
use std::thread;
use std::time::{Duration, Instant};

use lexigram_cache::{Cache, Error};
use serde_json::json;

use crate::tool::arguments::{Bench, Common};
use crate::tool::chart;
use crate::tool::configured::{Target, address};
use crate::tool::failure::{Code, Failure};
use crate::tool::output::Output;
use crate::tool::percentiles::Percentiles;
use crate::tool::table::Table;
use crate::tool::time::{latency, micros};

/// What was measured of one kind of call.
pub struct Measured {
    pub call: &'static str,
    pub per_second: f64,
    pub latencies: Percentiles,
}

impl Measured {
    /// Each with its name.
    pub fn percentiles(&mut self) -> [(&'static str, Duration); 5] {
        PERCENTILES.map(|(name, part)| (name, self.latencies.at(part)))
    }
}

const PERCENTILES: [(&str, f64); 5] =
    [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999), ("max", 1.0)];

pub fn run(common: &Common, bench: Bench, output: &mut Output<'_>) -> Result<Code, Failure> {
    let target = Target::find(common)?;
    let value = "x".repeat(bench.size as usize);
    let measured = [
        measure("set", &target.cache, &bench, |cache, key| cache.set(key, &value, LIFETIME)),
        measure("get", &target.cache, &bench, |cache, key| cache.get::<String>(key).map(drop)),
    ];
    // What a failure leaves behind is gone after its lifetime.
    let keys = (0..bench.threads).flat_map(|thread| (0..KEYS).map(move |nth| key(thread, nth)));
    target.cache.delete_many(keys)?;
    let mut measured = measured.into_iter().collect::<Result<Vec<Measured>, Failure>>()?;
    show(&mut measured, output)?;
    if let Some(path) = &bench.svg {
        let place = format!("{}, {}", target.backend.name, address(&target.backend.kind));
        let title = format!("{place}: {} threads, values of {} bytes", bench.threads, bench.size);
        std::fs::write(path, chart::bars(&title, &mut measured))
            .map_err(|error| Failure::file(path, &error))?;
    }
    Ok(Code::Done)
}

fn measure(
    call: &'static str,
    cache: &Cache,
    bench: &Bench,
    act: impl Fn(&Cache, &str) -> Result<(), Error> + Sync,
) -> Result<Measured, Failure> {
    let begun = Instant::now();
    let act = &act;
    let each = |thread: u8| {
        move || {
            let keys: Vec<String> = (0..KEYS).map(|nth| key(thread, nth)).collect();
            let share = bench.requests.div_ceil(bench.threads.into()) as usize;
            let mut latencies = Percentiles::default();
            for key in keys.iter().cycle().take(share) {
                let begun = Instant::now();
                act(cache, key)?;
                latencies.note(begun.elapsed());
            }
            Ok::<_, Error>(latencies)
        }
    };
    let latencies = thread::scope(|scope| {
        let threads: Vec<_> = (0..bench.threads).map(|thread| scope.spawn(each(thread))).collect();
        let mut all = Percentiles::default();
        for thread in threads {
            let panicked = || Failure::new(Code::System, "a thread of the measurement has panicked");
            all.take_in(thread.join().map_err(|_| panicked())??);
        }
        Ok::<_, Failure>(all)
    })?;
    let per_second = latencies.len() as f64 / begun.elapsed().as_secs_f64();
    Ok(Measured { call, per_second, latencies })
}

fn show(measured: &mut [Measured], output: &mut Output<'_>) -> Result<(), Failure> {
    let mut table = Table::new(&["CALL", "PER SECOND", "P50", "P90", "P99", "P99.9", "MAX"]);
    for measured in measured {
        let (percentiles, per_second) = (measured.percentiles(), measured.per_second.round());
        let [p50, p90, p99, p999, max] = percentiles.map(|(_, latency)| micros(latency));
        if output.is_json() {
            output.object(&json!({
                "call": measured.call, "count": measured.latencies.len(), "per_second": per_second,
                "p50_us": p50, "p90_us": p90, "p99_us": p99, "p999_us": p999, "max_us": max,
            }))?;
        }
        let figures = percentiles.map(|(_, figure)| latency(figure));
        table.row([measured.call.to_owned(), per_second.to_string()].into_iter().chain(figures));
    }
    if !output.is_json() {
        table.lines().try_for_each(|line| output.text(line))?;
    }
    Ok(())
}

/// Keys that no other run and nobody else has.
fn key(thread: u8, nth: u32) -> String {
    format!("lexigram-bench:{}:{thread}:{nth}", process::id())
}

const KEYS: u32 = 100;
const LIFETIME: Duration = Duration::from_secs(60);
