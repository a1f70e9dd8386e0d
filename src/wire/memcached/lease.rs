//! Leases as items: what stands in a key while its value is being loaded.
//!
//! A lease is known by the CAS it was taken under. To hold it longer means to write it again, under a new CAS,
//! so a renewed one carries the first in its body: `null`, then a blank per bit, which JSON readers take for null.

use super::reply::Item;
use crate::entry::Version;

/// What a lease is known by.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Token {
    /// The CAS that it was taken under.
    pub(crate) cas: u64,
    /// The generation that it was taken in; 0 where the namespace has none.
    pub(crate) generation: u32,
}

/// The flags of leases that we write. The complement is never the flags of a value of the same generation, and
/// of no lease of another.
pub(crate) fn lease_flags(generation: u32) -> u32 {
    !generation
}

/// Whether the item is a lease of this generation: one that the server made, or one that we wrote.
pub(super) fn is_lease(item: &Item, generation: u32) -> bool {
    let made = item.marked && item.size == 0 && item.flags == generation;
    let written = item.flags == lease_flags(generation) && matches!(item.size, 0 | RENEWED);
    made || written
}

/// What a lease that was read with its body is known by.
pub(super) fn token(item: &Item, generation: u32) -> Option<Token> {
    is_lease(item, generation).then(|| Token { cas: first_cas(&item.bytes).unwrap_or(item.cas), generation })
}

impl Token {
    /// The body of the lease when it is renewed.
    pub(crate) fn body(self) -> Vec<u8> {
        let mut body = NULL.to_vec();
        body.extend((0..u64::BITS).map(|bit| if self.cas >> bit & 1 == 1 { b'\t' } else { b' ' }));
        body
    }
}

fn first_cas(body: &[u8]) -> Option<u64> {
    let blanks = body.strip_prefix(NULL).filter(|_| body.len() == RENEWED)?;
    let mut cas = 0;
    for (bit, blank) in blanks.iter().enumerate() {
        match blank {
            b'\t' => cas |= 1 << bit,
            b' ' => {}
            _ => return None,
        }
    }
    Some(cas)
}

const NULL: &[u8] = b"null";
const RENEWED: usize = NULL.len() + u64::BITS as usize;

impl From<Token> for Version {
    fn from(token: Token) -> Version {
        Version::Bytes([&token.cas.to_be_bytes()[..], &token.generation.to_be_bytes()].concat())
    }
}

impl Token {
    /// The token that was handed out as this version, if one was.
    pub(crate) fn of(version: &Version) -> Option<Token> {
        let Version::Bytes(bytes) = version else { return None };
        let (cas, generation) = bytes.split_first_chunk()?;
        let generation = generation.try_into().ok()?;
        Some(Token { cas: u64::from_be_bytes(*cas), generation: u32::from_be_bytes(generation) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_survives_its_version_and_its_body() {
        for (cas, generation) in [(1, 0), (u64::MAX, u32::MAX), (0x0123_4567_89ab_cdef, 1_790_000_000)] {
            let token = Token { cas, generation };
            assert_eq!(Token::of(&Version::from(token)), Some(token));
            assert_eq!(first_cas(&token.body()), Some(cas));
            assert_eq!(token.body().len(), RENEWED);
        }
    }

    #[test]
    fn other_versions_are_no_tokens() {
        for version in [Version::Number(7), Version::Bytes(vec![]), Version::Bytes(vec![0; 13])] {
            assert_eq!(Token::of(&version), None, "{version:?}");
        }
    }

    #[test]
    fn other_bodies_name_no_cas() {
        for body in [&b""[..], b"null", &[b' '; RENEWED], &[b"null".as_slice(), &[b'x'; 64]].concat()] {
            assert_eq!(first_cas(body), None);
        }
    }

    #[cfg(feature = "json")]
    #[test]
    fn a_renewed_lease_is_null_to_readers_of_json() {
        let body = Token { cas: 0xaaaa_5555, generation: 0 }.body();
        assert_eq!(serde_json::from_slice::<Option<u8>>(&body).unwrap(), None);
    }
}
