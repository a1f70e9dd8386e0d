use std::borrow::Borrow;
use std::convert::Infallible;

use quick_cache::sync::Cache;

use super::Peer;
use crate::support::value::Kind;

pub struct Quick<T: Kind>(Cache<String, T::Kept>);

impl<T: Kind> Peer<T> for Quick<T> {
    const NAME: &'static str = "quick_cache";

    fn new(capacity: usize) -> Quick<T> {
        Quick(Cache::new(capacity))
    }

    fn get(&self, key: &String) -> Option<T::Kept> {
        self.0.get(key)
    }

    fn set(&self, key: &String, value: &T) {
        self.0.insert(key.clone(), value.clone().keep());
    }

    fn get_or_insert<R>(&self, key: &String, load: impl FnOnce() -> T, read: impl FnOnce(&T) -> R) -> R {
        let Ok(kept) = self.0.get_or_insert_with(key, || Ok::<_, Infallible>(load().keep()));
        read(kept.borrow())
    }

    fn len(&self) -> usize {
        self.0.len()
    }
}
