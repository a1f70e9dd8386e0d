use std::borrow::Borrow;

use lexigram_cache::{Cache, Memory, Ttl};

use super::Peer;
use crate::support::value::Kind;

pub struct Ours {
    pub cache: Cache,
    ttl: Ttl,
}

impl Ours {
    pub fn expiring(capacity: usize, ttl: impl Into<Ttl>) -> Ours {
        let memory = Memory::builder().max_entries(capacity).build().expect("the capacity is valid");
        let cache = Cache::builder().backend(memory).build().expect("the defaults are valid");
        Ours { cache, ttl: ttl.into() }
    }
}

impl<T: Kind> Peer<T> for Ours {
    const NAME: &'static str = "lexigram-cache";

    fn new(capacity: usize) -> Ours {
        Ours::expiring(capacity, Ttl::NEVER)
    }

    fn get(&self, key: &String) -> Option<T::Kept> {
        T::read(&self.cache, key)
    }

    fn set(&self, key: &String, value: &T) {
        self.cache.set(key, value, self.ttl).expect("memory does not fail");
    }

    fn get_or_insert<R>(&self, key: &String, load: impl FnOnce() -> T, read: impl FnOnce(&T) -> R) -> R {
        read(T::read_or_load(&self.cache, key, self.ttl, load).borrow())
    }

    fn len(&self) -> usize {
        self.cache.stats().entries.expect("memory counts its entries") as usize
    }
}
