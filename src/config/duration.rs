//! Durations as people write them: `30`, `2.5`, `"250ms"`, `"5m"`.

use std::time::Duration;

use super::fault::Text;
use super::tree::{Node, Value};
use crate::error::{Error, ErrorKind};

const EXPECTED: &str =
    "expected a duration: a number of seconds, or text such as \"250ms\", \"30s\", \"5m\", \"1h\", \"2d\"";

/// Reads a number of seconds, or text with a unit.
pub(super) fn read(node: &Node) -> Result<Duration, Text> {
    match &node.value {
        Value::Whole(seconds) => scaled(*seconds as f64, 1.0),
        Value::Real(seconds) => scaled(*seconds, 1.0),
        Value::Text(text) | Value::Loose(text) => parse(text),
        _ => Err(format!("{EXPECTED}; this is {}", node.noun()).into()),
    }
}

/// A duration as a configuration writes it: `30` or `2.5` are seconds, `250ms`, `30s`, `5m`, `1h`, `2d` say their unit.
///
/// ```
/// use lexigram_cache::config::parse_duration;
/// use std::time::Duration;
///
/// assert_eq!(parse_duration("250ms")?, Duration::from_millis(250));
/// assert!(parse_duration("5 minutes").is_err());
/// # Ok::<(), lexigram_cache::Error>(())
/// ```
///
/// # Errors
/// `Config` for any other text, without that text.
pub fn parse_duration(text: &str) -> Result<Duration, Error> {
    parse(text).map_err(|why| Error::new(ErrorKind::Config, why))
}

fn parse(text: &str) -> Result<Duration, Text> {
    let text = text.trim();
    let end = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let unit = match unit {
        "ms" => 0.001,
        "" | "s" => 1.0,
        "m" => 60.0,
        "h" => 3_600.0,
        "d" => 86_400.0,
        _ => return Err(EXPECTED.into()),
    };
    scaled(number.trim().parse().map_err(|_| EXPECTED)?, unit)
}

fn scaled(number: f64, unit: f64) -> Result<Duration, Text> {
    if number < 0.0 {
        return Err("a duration cannot be negative".into());
    }
    if !number.is_finite() {
        return Err(EXPECTED.into());
    }
    // Rounded to nanoseconds, so that 0.1 s and "100ms" are the same duration.
    Duration::try_from_secs_f64(number * unit).map_err(|_| "this duration is too long".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::source::Mark;

    fn duration(value: Value) -> Result<Duration, Text> {
        read(&Node { mark: Mark::default(), value })
    }

    fn text(text: &str) -> Result<Duration, Text> {
        duration(Value::Text(text.to_owned()))
    }

    #[test]
    fn a_number_is_seconds() {
        assert_eq!(duration(Value::Whole(30)).unwrap(), Duration::from_secs(30));
        assert_eq!(duration(Value::Real(2.5)).unwrap(), Duration::from_millis(2_500));
        assert_eq!(duration(Value::Whole(0)).unwrap(), Duration::ZERO);
    }

    #[test]
    fn text_carries_its_unit() {
        for (written, millis) in [
            ("250ms", 250),
            ("30s", 30_000),
            ("5m", 300_000),
            ("1.5h", 5_400_000),
            ("1 h", 3_600_000),
            ("2d", 172_800_000),
            ("30", 30_000),
            ("0.1", 100),
        ] {
            assert_eq!(text(written).unwrap(), Duration::from_millis(millis), "{written}");
        }
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        for written in ["", "ms", "5 minutes", "5M", "1h30m", "NaN", "inf", "-inf", "1e3s", "é", "5µs"] {
            assert!(text(written).is_err(), "{written}");
        }
        for number in [f64::NAN, f64::INFINITY, -0.5, 1e30] {
            assert!(duration(Value::Real(number)).is_err(), "{number}");
        }
        for number in [-1, i128::MAX, i128::MIN] {
            assert!(duration(Value::Whole(number)).is_err(), "{number}");
        }
        assert!(duration(Value::Bool(true)).is_err());
    }

    #[test]
    fn a_refusal_says_what_is_allowed_and_not_what_was_given() {
        let refusal = text("S3CR3T-7f2a").unwrap_err();
        assert!(refusal.contains("\"250ms\"") && !refusal.contains("S3CR3T"), "{refusal}");
    }
}
