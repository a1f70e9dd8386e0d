use mini_moka::sync::{Cache, ConcurrentCacheExt};

use super::Peer;
use crate::support::value::Kind;

pub struct MiniMoka<T: Kind>(Cache<String, T::Kept>);

impl<T: Kind> Peer<T> for MiniMoka<T> {
    const NAME: &'static str = "mini-moka";

    fn new(capacity: usize) -> MiniMoka<T> {
        MiniMoka(Cache::new(capacity as u64))
    }

    fn get(&self, key: &String) -> Option<T::Kept> {
        self.0.get(key)
    }

    fn set(&self, key: &String, value: &T) {
        self.0.insert(key.clone(), value.clone().keep());
    }

    fn len(&self) -> usize {
        self.0.entry_count() as usize
    }

    fn settle(&self) {
        self.0.sync();
    }
}
