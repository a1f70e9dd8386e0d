//! Lifetimes and durations, as people and files write them.

use std::time::Duration;

use lexigram_cache::config::parse_duration;
use lexigram_cache::{Remaining, Ttl};
use serde_json::Value;

/// A lifetime that can be compared, which [`Ttl`] by itself cannot be put into a table by.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Life {
    /// What the backend's configuration says.
    Default,
    Never,
    For(Duration),
}

impl From<Life> for Ttl {
    fn from(life: Life) -> Ttl {
        match life {
            Life::Default => Ttl::DEFAULT,
            Life::Never => Ttl::NEVER,
            Life::For(duration) => duration.into(),
        }
    }
}

/// `5m`, `250ms`, `30`; `never`; `default`.
pub fn life(text: &str) -> Result<Life, String> {
    match text {
        "never" => Ok(Life::Never),
        "default" => Ok(Life::Default),
        _ => match duration(text)? {
            Duration::ZERO => Err("a lifetime of zero keeps nothing; use del to remove a value".to_owned()),
            duration => Ok(Life::For(duration)),
        },
    }
}

pub fn duration(text: &str) -> Result<Duration, String> {
    parse_duration(text).map_err(|error| error.to_string())
}

/// Seconds for a machine, `"never"` where there is no end.
pub fn remaining_json(remaining: Remaining) -> Value {
    match remaining {
        Remaining::Never => "never".into(),
        Remaining::For(left) => seconds(left).into(),
    }
}

pub fn remaining_text(remaining: Remaining) -> String {
    match remaining {
        Remaining::Never => "never".to_owned(),
        Remaining::For(left) => format!("{} s", seconds(left)),
    }
}

/// Whole milliseconds, as seconds. Rounded up: a value that is there has some time left.
fn seconds(duration: Duration) -> f64 {
    duration.as_nanos().div_ceil(1_000_000) as f64 / 1_000.0
}

/// A latency in the unit in which it is read best.
pub fn latency(duration: Duration) -> String {
    match duration.as_secs_f64() {
        seconds if seconds >= 1.0 => format!("{seconds:.2} s"),
        seconds if seconds >= 0.001 => format!("{:.2} ms", seconds * 1e3),
        seconds => format!("{:.1} µs", seconds * 1e6),
    }
}

pub fn micros(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e7).round() / 10.0
}
