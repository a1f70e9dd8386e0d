//! Keys as Memcached can carry them: at most 250 bytes, printable ASCII without blanks.

use sha2::{Digest, Sha256};

use crate::key::Key;

/// A key that is one token of one command.
pub(crate) type WireKey = String;

/// The key as it is where Memcached can carry it; else a readable head, `~`, and a 128-bit digest.
///
/// Never cut short: two long keys with one head have two digests. A key that looks like a digested one is
/// digested too, so the two kinds never meet. SHA-256 (FIPS 180-4), its first half.
pub(crate) fn wire_key(key: &Key<'_>) -> WireKey {
    let joined = key.joined();
    if joined.len() <= LONGEST && joined.bytes().all(is_plain) && !looks_digested(&joined) {
        return joined;
    }
    digested("key", &joined)
}

/// Where a namespace keeps its generation: a digested form of another domain, which no user's key has.
pub(crate) fn generation_key(prefix: &str) -> WireKey {
    digested("generation", prefix)
}

const LONGEST: usize = 250;
const HEAD: usize = 150;
const DIGEST: usize = 32;

fn digested(domain: &str, text: &str) -> WireKey {
    let digest = Sha256::new().chain_update(domain).chain_update([0]).chain_update(text).finalize();
    let plain = |byte: u8| if is_plain(byte) { char::from(byte) } else { '_' };
    let mut wire: String = text.bytes().take(HEAD).map(plain).collect();
    wire.push('~');
    for byte in &digest[..DIGEST / 2] {
        wire.push(char::from_digit(u32::from(byte >> 4), 16).unwrap_or('0'));
        wire.push(char::from_digit(u32::from(byte & 15), 16).unwrap_or('0'));
    }
    wire
}

fn looks_digested(joined: &str) -> bool {
    let bytes = joined.as_bytes();
    let Some(mark) = bytes.len().checked_sub(DIGEST + 1) else { return false };
    bytes[mark] == b'~' && bytes[mark + 1..].iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_graphic()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::Prefix;

    fn wire(prefix: &str, name: &str) -> String {
        wire_key(&Prefix::new(prefix).key(name).unwrap())
    }

    #[test]
    fn a_plain_key_is_sent_as_it_is() {
        assert_eq!(wire("app", "user:1"), "app:user:1");
        assert_eq!(wire("", &"x".repeat(250)), "x".repeat(250));
    }

    #[test]
    fn every_byte_and_every_length_becomes_one_token() {
        for code in 0..=255_u32 {
            let name = format!("a{}b", char::from_u32(code).unwrap());
            for name in [name.clone(), name.repeat(200)] {
                let wire = wire("p", &name);
                assert!(wire.len() <= LONGEST && wire.bytes().all(is_plain), "{name:?} → {wire}");
            }
        }
    }

    #[test]
    fn long_keys_with_one_head_do_not_meet() {
        let long = "x".repeat(300);
        assert_ne!(wire("", &long), wire("", &(long.clone() + "y")));
        assert!(wire("app", &long).starts_with("app:xxx"));
    }

    #[test]
    fn nobody_can_name_the_digested_key_of_another() {
        let target = wire("", &"x".repeat(300));
        assert_ne!(wire("", &target), target);
        let generation = generation_key("app:");
        assert_ne!(wire("", &generation), generation);
    }
}
