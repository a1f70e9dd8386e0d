use std::num::NonZero;
use std::sync::{Mutex, MutexGuard};

use foldhash::fast::RandomState;
use lru::LruCache;

use super::Peer;
use crate::support::value::Kind;

/// One list behind one lock: exact LRU.
pub struct Locked<T: Kind>(Mutex<Lru<T>>);

type Lru<T> = LruCache<String, <T as Kind>::Kept, RandomState>;

impl<T: Kind> Locked<T> {
    fn list(&self) -> MutexGuard<'_, Lru<T>> {
        self.0.lock().expect("nobody panics with the lock")
    }
}

impl<T: Kind> Peer<T> for Locked<T> {
    const NAME: &'static str = "Mutex<lru>";

    fn new(capacity: usize) -> Locked<T> {
        let capacity = NonZero::new(capacity).expect("the capacity is valid");
        Locked(Mutex::new(LruCache::with_hasher(capacity, RandomState::default())))
    }

    fn get(&self, key: &String) -> Option<T::Kept> {
        self.list().get(key).cloned()
    }

    fn set(&self, key: &String, value: &T) {
        let (key, kept) = (key.clone(), value.clone().keep());
        let displaced = self.list().push(key, kept);
        // Freed without the lock.
        drop(displaced);
    }

    fn len(&self) -> usize {
        self.list().len()
    }
}
