//! Who leaves a full memory backend.

/// Which entry a full memory backend gives up.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum Eviction {
    /// This version's best choice; may change between versions.
    #[default]
    Default,
    /// The least recently used one, exactly so within each shard.
    Lru,
}
