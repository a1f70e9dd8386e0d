//! What stands for a lease: a value of the key's own, so that whoever writes or removes the key, with whatever
//! client, ends the lease.
//!
//! It is `null` followed by 128 random bits as spaces and tabs. Every reader of JSON, in any language, sees null.

use crate::chance::fill;
use crate::error::{Error, ErrorKind, Result};

const NULL: &[u8] = b"null";
/// `lua/alive.lua` knows this length too.
const LENGTH: usize = NULL.len() + 128;

/// The placeholder of a new lease, which no other lease shares.
///
/// # Errors
/// `Unsupported` if the system gives no random numbers.
pub(crate) fn placeholder() -> Result<Vec<u8>> {
    let mut random = [0; 16];
    fill(&mut random).map_err(|error| {
        Error::new(ErrorKind::Unsupported, "the system gives no random numbers").with_source(error)
    })?;
    Ok(spelled(u128::from_ne_bytes(random)))
}

fn spelled(random: u128) -> Vec<u8> {
    let blank = |bit: u32| if random >> bit & 1 == 0 { b' ' } else { b'\t' };
    NULL.iter().copied().chain((0..128).map(blank)).collect()
}

/// Whether these bytes stand for a lease, whoever holds it.
pub(super) fn is_placeholder(bytes: &[u8]) -> bool {
    let blanks = bytes.strip_prefix(NULL).filter(|_| bytes.len() == LENGTH);
    blanks.is_some_and(|blanks| blanks.iter().all(|byte| matches!(byte, b' ' | b'\t')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bit_is_a_blank() {
        assert_eq!(spelled(0), [b"null".as_slice(), &[b' '; 128]].concat());
        assert_eq!(spelled(u128::MAX), [b"null".as_slice(), &[b'\t'; 128]].concat());
        let (low, high) = (spelled(1), spelled(1 << 127));
        assert_eq!((low[4], low[131], high[4], high[131]), (b'\t', b' ', b' ', b'\t'));
    }

    #[test]
    fn no_two_leases_share_a_placeholder() {
        let drawn: std::collections::HashSet<_> = (0..1_000).map(|_| placeholder().unwrap()).collect();
        assert_eq!(drawn.len(), 1_000);
        assert!(drawn.iter().all(|one| one.len() == 132 && is_placeholder(one)));
    }

    #[cfg(feature = "json")]
    #[test]
    fn a_reader_of_json_sees_null() {
        let read: serde_json::Value = serde_json::from_slice(&placeholder().unwrap()).unwrap();
        assert!(read.is_null());
    }

    #[test]
    fn a_value_is_no_placeholder() {
        let long = spelled(7);
        let mut other = long.clone();
        other[60] = b'\n';
        let blanks = [b' '; 132];
        for value in [b"null".as_slice(), b"", b"null ", &long[1..], &long[..131], &other, &blanks] {
            assert!(!is_placeholder(value), "{value:?}");
        }
        assert!(!is_placeholder(&[long.as_slice(), b" "].concat()));
    }
}
