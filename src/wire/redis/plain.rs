//! The replies that most calls get, read in one pass over their bytes.
//!
//! The library reads whatever a server may say, for which it makes itself a buffer of 8 KiB each time; and a word of an array
//! takes it three times as many instructions.

use redis::Value;

/// The next value of a reply that has come whole; `None` if the library has to read it, or to say what is wrong with it.
pub(super) fn value(rest: &mut &[u8]) -> Option<Value> {
    value_within(rest, DEEPEST)
}

fn value_within(rest: &mut &[u8], deepest: usize) -> Option<Value> {
    let (kind, text) = line(rest)?.split_first()?;
    match (kind, text) {
        (b'+', b"OK") => Some(Value::Okay),
        (b'$' | b'*', b"-1") | (b'_', b"") => Some(Value::Nil),
        (b':', _) => number(text).map(Value::Int),
        (b'$', _) => bytes(rest, number(text)?),
        (b'*', _) => array(rest, number(text)?, deepest.checked_sub(1)?),
        _ => None,
    }
}

fn bytes(rest: &mut &[u8], length: usize) -> Option<Value> {
    let (bytes, behind) = rest.split_at_checked(length)?;
    *rest = behind.strip_prefix(b"\r\n")?;
    Some(Value::BulkString(bytes.to_vec()))
}

fn array(rest: &mut &[u8], length: usize, deepest: usize) -> Option<Value> {
    // No value takes fewer bytes: what a wrong length promises, memory is not taken for.
    let mut values = Vec::with_capacity(length.min(rest.len() / b"+\r\n".len()));
    for _ in 0..length {
        values.push(value_within(rest, deepest)?);
    }
    Some(Value::Array(values))
}

fn number<N: std::str::FromStr>(text: &[u8]) -> Option<N> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

fn line<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let end = rest.iter().position(|byte| *byte == b'\r')?;
    let (line, behind) = rest.split_at(end);
    *rest = behind.strip_prefix(b"\r\n")?;
    Some(line)
}

/// More than any reply of ours nests.
const DEEPEST: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use redis::parse_redis_value;

    const SHORT: &[&str] = &["$-1\r\n", "*-1\r\n", "+OK\r\n", "+PONG\r\n", "-ERR no\r\n", "_\r\n", "#t\r\n"];

    /// What a server may say, whole.
    fn said() -> impl Strategy<Value = Vec<u8>> {
        let word = prop_oneof![
            any::<Vec<u8>>()
                .prop_map(|bytes| [format!("${}\r\n", bytes.len()).as_bytes(), &bytes, b"\r\n"].concat()),
            any::<i64>().prop_map(|number| format!(":{number}\r\n").into_bytes()),
            prop::sample::select(SHORT).prop_map(|word| word.as_bytes().to_vec()),
        ];
        word.prop_recursive(5, 40, 8, |inner| {
            prop::collection::vec(inner, 0..8)
                .prop_map(|inner| [format!("*{}\r\n", inner.len()).into_bytes(), inner.concat()].concat())
        })
    }

    proptest! {
        #[test]
        fn what_it_reads_the_library_reads_alike(said in said()) {
            let mut rest = &said[..];
            if let Some(value) = value(&mut rest) {
                prop_assert_eq!(value, parse_redis_value(&said).unwrap());
                prop_assert!(rest.is_empty());
            }
        }

        #[test]
        fn no_bytes_make_it_panic_or_take_much(bytes in any::<Vec<u8>>()) {
            let _ = value(&mut &bytes[..]);
        }
    }

    #[test]
    fn the_replies_of_most_calls_need_no_library() {
        for said in
            [&b"+OK\r\n"[..], b"$-1\r\n", b"$2\r\n\r\n\r\n", b":-7\r\n", b"*2\r\n$1\r\na\r\n*1\r\n:1\r\n"]
        {
            let mut rest = said;
            assert!(value(&mut rest).is_some_and(|_| rest.is_empty()), "{said:?}");
        }
    }

    #[test]
    fn what_is_cut_short_or_promises_too_much_is_left_to_the_library() {
        for said in
            [&b"$3\r\nab\r\n"[..], b"$1\r\nab\r", b"$9999999999\r\na\r\n", b"*999999999\r\n:1\r\n", b":x\r\n"]
        {
            assert_eq!(value(&mut &said[..]), None, "{said:?}");
        }
        assert_eq!(value(&mut &b"*1\r\n".repeat(100_000)[..]), None);
    }
}
