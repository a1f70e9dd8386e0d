//! Where the loads in flight of a shard lie: most shards have none or one, which no table has to be asked for.

use hashbrown::HashTable;

use super::loads::Load;
use super::slot::HashedKey;

/// At most one load for each key.
#[derive(Default)]
pub(super) struct Underway {
    /// One that found this place free.
    first: Option<Load>,
    /// All others.
    more: HashTable<Load>,
}

impl Underway {
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.first.is_none() && self.more.is_empty()
    }

    #[inline]
    pub(super) fn find(&mut self, key: &HashedKey<'_>) -> Option<&mut Load> {
        match &mut self.first {
            Some(load) if load.is_of(key) => Some(load),
            _ if self.more.is_empty() => None,
            _ => self.more.find_mut(key.hash, |load| load.is_of(key)),
        }
    }

    /// The load of this key, begun if there is none.
    pub(super) fn at(&mut self, key: &HashedKey<'_>) -> &mut Load {
        let is_first = match &self.first {
            Some(load) => load.is_of(key),
            // It may have come while the first place was taken.
            None => self.more.find(key.hash, |load| load.is_of(key)).is_none(),
        };
        if is_first {
            return self.first.get_or_insert_with(|| Load::new(key, key.key.kept()));
        }
        let entry = self.more.entry(key.hash, |load| load.is_of(key), |load| load.hash);
        entry.or_insert_with(|| Load::new(key, key.key.kept())).into_mut()
    }

    /// Takes in the only load of all.
    #[inline]
    pub(super) fn begin(&mut self, load: Load) {
        debug_assert!(self.is_empty(), "another may be of the same key");
        self.first = Some(load);
    }

    /// Takes out what lies in the first place, by what it is known by beside its key.
    #[inline]
    pub(super) fn take_first_if(&mut self, is_meant: impl FnOnce(&Load) -> bool) -> Option<Load> {
        self.first.take_if(|load| is_meant(load))
    }

    #[inline]
    pub(super) fn remove(&mut self, key: &HashedKey<'_>) -> Option<Load> {
        match self.first.take_if(|load| load.is_of(key)) {
            None if !self.more.is_empty() => {
                let found = self.more.find_entry(key.hash, |load| load.is_of(key));
                found.ok().map(|load| load.remove().0)
            }
            first => first,
        }
    }

    pub(super) fn remove_all(&mut self, meant: impl Fn(&Load) -> bool) -> Vec<Load> {
        let more = self.more.extract_if(|load| meant(load));
        self.first.take_if(|load| meant(load)).into_iter().chain(more).collect()
    }
}
