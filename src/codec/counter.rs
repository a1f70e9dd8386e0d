//! Decimal text: what counters are on every backend.

use crate::error::{Error, ErrorKind, Result};

/// The text of a counter.
pub(crate) fn counter_to_text(value: i64) -> Vec<u8> {
    value.to_string().into_bytes()
}

/// The counter that `text` holds.
///
/// # Errors
/// `Decode` if it is not a decimal integer, or none that fits.
pub(crate) fn counter_from_text(text: &[u8]) -> Result<i64> {
    let digits = decimal(text)
        .ok_or_else(|| Error::new(ErrorKind::Decode, "the stored value is not a decimal integer"))?;
    digits.parse().map_err(|_| {
        Error::new(
            ErrorKind::Decode,
            "the stored integer is outside the range of a counter, which is that of i64",
        )
    })
}

/// The digits of a canonical integer: no plus sign, no leading zero, no minus zero.
///
/// Trailing spaces are dropped, because Memcached pads a counter with them when `decr` makes it shorter.
pub(super) fn decimal(text: &[u8]) -> Option<&str> {
    let end = text.iter().rposition(|&byte| byte != b' ')? + 1;
    let text = &text[..end];
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    let canonical = match digits {
        [b'0'] => digits.len() == text.len(),
        [b'1'..=b'9', rest @ ..] => rest.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    std::str::from_utf8(text).ok().filter(|_| canonical)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_survives_its_text() {
        for value in [0, 1, -1, 42, i64::MIN, i64::MAX] {
            assert_eq!(counter_from_text(&counter_to_text(value)).unwrap(), value);
        }
    }

    #[test]
    fn only_canonical_integers_are_counters() {
        for text in
            ["", " ", "-", "+1", "01", "-0", "00", "1.0", "1e3", " 1", "1\n", "0x1", "1 2", "١", "null"]
        {
            assert_eq!(counter_from_text(text.as_bytes()).unwrap_err().kind(), ErrorKind::Decode, "{text:?}");
        }
    }

    #[test]
    fn a_counter_out_of_range_is_not_wrapped() {
        assert!(counter_from_text(b"9223372036854775808").is_err());
        assert!(counter_from_text(b"-9223372036854775809").is_err());
        assert!(counter_from_text("9".repeat(400).as_bytes()).is_err());
    }

    #[test]
    fn the_padding_of_memcached_is_no_part_of_the_number() {
        assert_eq!(counter_from_text(b"9 ").unwrap(), 9);
        assert_eq!(counter_from_text(b"0    ").unwrap(), 0);
    }
}
