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
    fn is(&self, joined: &str) -> bool;
    /// The joined text, where there is one.
    fn joined(&self) -> Option<&str>;
}

impl Probe for HashedKey<'_> {
    fn hash(&self) -> u64 {
        self.hash
    }
    fn is(&self, joined: &str) -> bool {
        self.key.is(joined)
    }
    fn joined(&self) -> Option<&str> {
        None
    }
}

impl Probe for SlotKey {
    fn hash(&self) -> u64 {
        self.hash
    }
    fn is(&self, joined: &str) -> bool {
        *self.joined == *joined
    }
    fn joined(&self) -> Option<&str> {
        Some(&self.joined)
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
    fn eq(&self, other: &Self) -> bool {
        // One of the two is always the stored key, which is joined.
        match (self.joined(), other.joined()) {
            (Some(joined), _) => other.is(joined),
            (_, Some(joined)) => self.is(joined),
            (None, None) => false,
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
