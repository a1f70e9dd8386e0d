use std::borrow::Borrow;

use moka::sync::Cache;

use super::Peer;
use crate::support::value::Kind;

pub struct Moka<T: Kind>(Cache<String, T::Kept>);

impl<T: Kind> Peer<T> for Moka<T> {
    const NAME: &'static str = "moka";

    fn new(capacity: usize) -> Moka<T> {
        Moka(Cache::new(capacity as u64))
    }

    fn get(&self, key: &String) -> Option<T::Kept> {
        self.0.get(key)
    }

    fn set(&self, key: &String, value: &T) {
        self.0.insert(key.clone(), value.clone().keep());
    }

    fn get_or_insert<R>(&self, key: &String, load: impl FnOnce() -> T, read: impl FnOnce(&T) -> R) -> R {
        let kept = self.0.get_with_by_ref(key, || load().keep());
        read(kept.borrow())
    }

    fn len(&self) -> usize {
        self.0.entry_count() as usize
    }

    fn settle(&self) {
        self.0.run_pending_tasks();
    }
}
