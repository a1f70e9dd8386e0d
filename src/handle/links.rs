//! Where the connections of a server handle hang: one set per world, made when that world first asks.

use std::any::Any;
use std::sync::{Arc, Mutex, PoisonError};

/// At most one link of each type, shared by all who use the handle.
#[derive(Default)]
pub(crate) struct Links(Mutex<Vec<Arc<dyn Any + Send + Sync>>>);

impl Links {
    /// The link of this type. Called when a cache is built, not when it is used.
    pub(crate) fn link<L: Any + Send + Sync>(&self, make: impl FnOnce() -> L) -> Arc<L> {
        // Links are pushed whole, so a poisoned lock guards a whole list.
        let mut links = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(link) = links.iter().find_map(|link| Arc::clone(link).downcast().ok()) {
            return link;
        }
        let link = Arc::new(make());
        links.push(Arc::clone(&link) as _);
        link
    }
}
