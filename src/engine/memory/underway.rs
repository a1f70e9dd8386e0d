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

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::key::Prefix;

    /// Few names and fewer hashes, so that keys meet in every way.
    #[test]
    fn each_key_has_one_load_wherever_it_lies() {
        let whole = Prefix::default();
        let names: Vec<String> = (0..6).map(|n| format!("k{n}")).collect();
        let hashed = |n: usize| HashedKey { key: whole.key(&names[n]).unwrap(), hash: n as u64 / 2 };
        let (mut underway, mut model, mut seed) = (Underway::default(), HashMap::new(), 1_u64);
        for turn in 1..20_000_u64 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let (n, step) = ((seed >> 33) as usize % names.len(), (seed >> 60) % 8);
            let key = hashed(n);
            match step {
                0 if model.is_empty() => {
                    underway.begin(Load::new(&key, key.key.kept()));
                    underway.at(&key).set_number(turn);
                    model.insert(n, turn);
                }
                0..=2 => underway.at(&key).set_number(*model.entry(n).or_insert(turn)),
                3..=5 => {
                    let removed = underway.remove(&key).map(|load| load.number());
                    assert_eq!(removed, model.remove(&n));
                }
                6 => {
                    let odd = |number: u64| number % 2 == 1;
                    let removed = underway.remove_all(|load| odd(load.number())).len();
                    let before = model.len();
                    model.retain(|_, number| !odd(*number));
                    assert_eq!(removed, before - model.len());
                }
                _ => {
                    if let Some(load) = underway.take_first_if(|load| load.is_of(&key)) {
                        assert_eq!(Some(load.number()), model.remove(&n));
                    }
                }
            }
            for n in 0..names.len() {
                let found = underway.find(&hashed(n)).map(|load| load.number());
                assert_eq!(found, model.get(&n).copied(), "{n} at {turn}");
            }
            assert_eq!(underway.is_empty(), model.is_empty());
        }
    }
}
