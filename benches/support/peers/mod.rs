//! The caches side by side, each as its users would have it. Keys are owned strings everywhere; capacities count
//! entries.

mod cached;
mod locked;
mod mini_moka;
mod moka;
mod ours;
mod quick;

pub use cached::Cached;
pub use locked::Locked;
pub use mini_moka::MiniMoka;
pub use moka::Moka;
pub use ours::Ours;
pub use quick::Quick;

use super::value::Kind;

/// The work that every cache does alike.
pub trait Peer<T: Kind>: Sync {
    const NAME: &'static str;

    fn new(capacity: usize) -> Self;

    // One of them looks up owned strings only, so each is given one.
    #[allow(clippy::ptr_arg)]
    fn get(&self, key: &String) -> Option<T::Kept>;

    #[allow(clippy::ptr_arg)]
    fn set(&self, key: &String, value: &T);

    /// Reads the value; if there is none, the one loaded, which is then kept. By the cache's own way if it has one.
    #[allow(clippy::ptr_arg)]
    fn get_or_insert<R>(&self, key: &String, load: impl FnOnce() -> T, read: impl FnOnce(&T) -> R) -> R {
        use std::borrow::Borrow;

        if let Some(kept) = self.get(key) {
            return read(kept.borrow());
        }
        let value = load();
        self.set(key, &value);
        read(&value)
    }

    fn len(&self) -> usize;

    /// Does what the cache has put off.
    fn settle(&self) {}
}
