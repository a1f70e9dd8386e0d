use cached::{ConcurrentCached, ShardedLruCache};

use super::Peer;
use crate::support::value::Kind;

/// What `#[concurrent_cached(max_size = …)]` keeps its results in.
pub struct Cached<T: Kind>(ShardedLruCache<String, T::Kept>);

impl<T: Kind> Peer<T> for Cached<T> {
    const NAME: &'static str = "cached";

    fn new(capacity: usize) -> Cached<T> {
        Cached(ShardedLruCache::builder().max_size(capacity).build().expect("the capacity is valid"))
    }

    fn get(&self, key: &String) -> Option<T::Kept> {
        let Ok(kept) = self.0.cache_get(key);
        kept
    }

    fn set(&self, key: &String, value: &T) {
        let Ok(_) = self.0.cache_set(key.clone(), value.clone().keep());
    }

    fn len(&self) -> usize {
        self.0.len()
    }
}
