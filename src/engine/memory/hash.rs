//! How keys are hashed: as the text they join to, so that a prefix and a name find what their joined text stored.

use std::fmt;
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;

use super::super::Seed;
use crate::key::Key;

/// Hashes keys under a seed of its own, or as the user wants them hashed.
#[derive(Clone, Default)]
pub(crate) struct KeyHasher(Kind);

#[derive(Clone)]
enum Kind {
    Seeded(Seed),
    Own(Arc<dyn HashKey>),
}

impl Default for Kind {
    fn default() -> Kind {
        Kind::Seeded(Seed::default())
    }
}

impl KeyHasher {
    /// Hashes by this hasher.
    pub(crate) fn own(hasher: impl BuildHasher + Send + Sync + 'static) -> KeyHasher {
        KeyHasher(Kind::Own(Arc::new(hasher)))
    }

    /// Under which seed keys are hashed, unless the user's own hasher does it.
    pub(super) fn seed(&self) -> Option<&Seed> {
        match &self.0 {
            Kind::Seeded(seed) => Some(seed),
            Kind::Own(_) => None,
        }
    }

    #[inline(always)]
    pub(in super::super) fn hash(&self, key: &Key<'_>) -> u64 {
        match &self.0 {
            Kind::Seeded(seed) => hash(seed, key.prefix(), key.name()),
            Kind::Own(own) => own.hash_key(key.prefix(), key.name()),
        }
    }
}

impl fmt::Debug for KeyHasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Kind::Seeded(_) => "seeded",
            Kind::Own(_) => "the user's own",
        })
    }
}

/// A [`BuildHasher`] of whatever type.
trait HashKey: Send + Sync {
    fn hash_key(&self, prefix: &str, name: &str) -> u64;
}

impl<B: BuildHasher + Send + Sync> HashKey for B {
    fn hash_key(&self, prefix: &str, name: &str) -> u64 {
        hash(self, prefix, name)
    }
}

#[inline(always)]
pub(super) fn hash(build: &impl BuildHasher, prefix: &str, name: &str) -> u64 {
    match prefix.is_empty() && name.len() <= SHORT {
        true => hash_whole(build, name.as_bytes()),
        false => hash_joined(build, prefix.as_bytes(), name.as_bytes()),
    }
}

/// As [`hash`], of a key without a prefix that is no longer than [`BLOCK`].
#[inline(always)]
pub(super) fn hash_whole(build: &impl BuildHasher, key: &[u8]) -> u64 {
    let mut hasher = build.build_hasher();
    hasher.write(key);
    hasher.finish()
}

#[inline(never)]
fn hash_joined(build: &impl BuildHasher, prefix: &[u8], name: &[u8]) -> u64 {
    if prefix.is_empty() && name.len() <= BLOCK {
        return hash_whole(build, name);
    }
    let mut hasher = build.build_hasher();
    write_joined(&mut hasher, prefix, name);
    hasher.finish()
}

/// Writes what the joined text would come to, in blocks: where a hasher is given how many bytes at once may
/// change its hash.
fn write_joined(hasher: &mut impl Hasher, prefix: &[u8], name: &[u8]) {
    let (mut block, mut filled) = ([0; BLOCK], 0);
    for mut part in [prefix, name] {
        while !part.is_empty() {
            let (now, later) = part.split_at(part.len().min(BLOCK - filled));
            block[filled..filled + now.len()].copy_from_slice(now);
            filled += now.len();
            part = later;
            if filled == BLOCK {
                hasher.write(&block);
                filled = 0;
            }
        }
    }
    if filled > 0 {
        hasher.write(&block[..filled]);
    }
}

/// Keys up to so many bytes are hashed in a few steps, in place.
const SHORT: usize = 16;
/// Bytes that are hashed at once; most keys are shorter.
const BLOCK: usize = 128;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::Prefix;

    #[test]
    fn a_key_hashes_as_its_joined_text() {
        let hashers = [KeyHasher::default(), KeyHasher::own(std::hash::RandomState::new())];
        for (prefix, name) in [(1, 1), (1, 126), (1, 127), (127, 1), (200, 300), (127, 128), (0, 7)] {
            let prefix = Prefix::new(&"p".repeat(prefix));
            let name = "n".repeat(name);
            let key = prefix.key(&name).unwrap();
            let joined = key.joined();
            let whole = Prefix::default();
            for hasher in &hashers {
                assert_eq!(hasher.hash(&key), hasher.hash(&whole.key(&joined).unwrap()), "{joined}");
            }
        }
    }
}
