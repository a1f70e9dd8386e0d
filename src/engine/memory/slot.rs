//! What a shard keeps of an entry, and how a key finds it: hashed once, compared in two parts.

use std::borrow::Borrow;
use std::hash::{BuildHasherDefault, Hash, Hasher};
use std::sync::Arc;

use smol_str::SmolStr;

use crate::clock::Moment;
use crate::entry::Object;
use crate::key::Key;

/// An entry without its key.
pub(super) struct Slot {
    pub(super) object: Arc<dyn Object>,
    /// When it leaves; before that it may be past its time and only be kept.
    pub(super) end: Moment,
    /// Which write it came from.
    pub(super) number: u64,
    /// In units of the budget; zero where nothing is weighed.
    pub(super) weight: u32,
    /// How often it was read lately, up to a few times.
    pub(super) uses: u8,
}

/// A key together with its hash, which also picked the shard.
#[derive(Clone, Copy)]
pub(super) struct HashedKey<'a> {
    pub(super) key: &'a Key<'a>,
    pub(super) hash: u64,
}

/// A key as a shard owns it. Up to 23 bytes lie in place, so that looking one up follows no further pointer.
#[derive(Clone)]
pub(super) struct SlotKey {
    pub(super) joined: SmolStr,
    pub(super) hash: u64,
}

impl From<&HashedKey<'_>> for SlotKey {
    fn from(hashed: &HashedKey<'_>) -> SlotKey {
        SlotKey { joined: hashed.key.kept(), hash: hashed.hash }
    }
}

/// Lets a shard find an owned key by a borrowed one in two parts, without joining it.
pub(super) trait Probe {
    fn hash(&self) -> u64;
    /// Whether this is its joined text.
    fn is(&self, joined: &str) -> bool;
    /// The joined text, if it has been joined.
    fn joined(&self) -> Option<&str>;
}

impl Probe for HashedKey<'_> {
    #[inline]
    fn hash(&self) -> u64 {
        self.hash
    }
    #[inline]
    fn is(&self, joined: &str) -> bool {
        self.key.is(joined)
    }
    #[inline]
    fn joined(&self) -> Option<&str> {
        None
    }
}

impl Probe for SlotKey {
    #[inline]
    fn hash(&self) -> u64 {
        self.hash
    }
    #[inline]
    fn is(&self, joined: &str) -> bool {
        self.joined == joined
    }
    #[inline]
    fn joined(&self) -> Option<&str> {
        Some(&self.joined)
    }
}

impl<'a> Borrow<dyn Probe + 'a> for SlotKey {
    #[inline]
    fn borrow(&self) -> &(dyn Probe + 'a) {
        self
    }
}

impl Hash for dyn Probe + '_ {
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(Probe::hash(self));
    }
}

impl PartialEq for dyn Probe + '_ {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        // One of the two is always a stored key.
        match (other.joined(), self.joined()) {
            (Some(joined), _) => self.is(joined),
            (None, Some(joined)) => other.is(joined),
            (None, None) => false,
        }
    }
}

impl Eq for dyn Probe + '_ {}

impl Hash for SlotKey {
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

impl PartialEq for SlotKey {
    #[inline]
    fn eq(&self, other: &SlotKey) -> bool {
        self.joined == other.joined
    }
}

impl Eq for SlotKey {}

/// Passes on the hash that the key brings along.
#[derive(Clone, Default)]
pub(super) struct PassThrough(u64);

pub(super) type PassThroughBuilder = BuildHasherDefault<PassThrough>;

impl Hasher for PassThrough {
    #[inline]
    fn finish(&self) -> u64 {
        self.0
    }
    #[inline]
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
