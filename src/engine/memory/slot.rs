//! How a key lies in a shard: hashed once, compared in two parts.

use std::borrow::Borrow;
use std::hash::{BuildHasher, BuildHasherDefault, Hash, Hasher};

use crate::key::Key;

/// A key together with its hash, which also picked the shard.
#[derive(Clone, Copy)]
pub(crate) struct HashedKey<'a> {
    pub(crate) key: Key<'a>,
    pub(crate) hash: u64,
}

impl<'a> HashedKey<'a> {
    #[inline]
    pub(crate) fn new(key: Key<'a>, seed: &impl BuildHasher) -> HashedKey<'a> {
        let mut hasher = seed.build_hasher();
        hasher.write(key.prefix().as_bytes());
        hasher.write(key.name().as_bytes());
        HashedKey { key, hash: hasher.finish() }
    }
}

/// A key as a shard owns it.
pub(crate) struct SlotKey {
    hash: u64,
    joined: Box<str>,
}

impl SlotKey {
    pub(crate) fn joined(&self) -> &str {
        &self.joined
    }
}

impl From<HashedKey<'_>> for SlotKey {
    fn from(hashed: HashedKey<'_>) -> SlotKey {
        SlotKey { hash: hashed.hash, joined: hashed.key.joined().into() }
    }
}

/// Lets a shard find an owned key by a borrowed one in two parts, without joining it.
pub(crate) trait Probe {
    fn hash(&self) -> u64;
    /// The prefix and the name; of a stored key, which is joined, nothing and all of it.
    fn parts(&self) -> (&str, &str);
}

impl Probe for HashedKey<'_> {
    #[inline]
    fn hash(&self) -> u64 {
        self.hash
    }
    #[inline]
    fn parts(&self) -> (&str, &str) {
        (self.key.prefix(), self.key.name())
    }
}

impl Probe for SlotKey {
    #[inline]
    fn hash(&self) -> u64 {
        self.hash
    }
    #[inline]
    fn parts(&self) -> (&str, &str) {
        ("", &self.joined)
    }
}

impl<'a> Borrow<dyn Probe + 'a> for SlotKey {
    fn borrow(&self) -> &(dyn Probe + 'a) {
        self
    }
}

impl Hash for dyn Probe + '_ {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(Probe::hash(self));
    }
}

impl PartialEq for dyn Probe + '_ {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        // One of the two is always a stored key.
        match (self.parts(), other.parts()) {
            (("", joined), (prefix, name)) | ((prefix, name), ("", joined)) => {
                joined.len() == prefix.len() + name.len()
                    && joined.as_bytes().ends_with(name.as_bytes())
                    && joined.as_bytes().starts_with(prefix.as_bytes())
            }
            _ => false,
        }
    }
}

impl Eq for dyn Probe + '_ {}

impl Hash for SlotKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

impl PartialEq for SlotKey {
    fn eq(&self, other: &SlotKey) -> bool {
        self.joined == other.joined
    }
}

impl Eq for SlotKey {}

/// Passes on the hash that the key brings along.
#[derive(Clone, Default)]
pub(crate) struct PassThrough(u64);

pub(crate) type PassThroughBuilder = BuildHasherDefault<PassThrough>;

impl Hasher for PassThrough {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
    fn write(&mut self, bytes: &[u8]) {
        // Keys only ever write their u64; anything else still hashes, if badly.
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }
}
