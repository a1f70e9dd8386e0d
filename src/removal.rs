//! What leaves a memory backend, and why.

use std::any::Any;
use std::fmt;

use crate::entry::Object;

/// Why an entry left a memory backend.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum RemovalCause {
    /// Its time was up.
    Expired,
    /// It made room for another.
    Evicted,
    /// A new value took its place: `set`, `update`, `incr`, a load and their kin.
    Replaced,
    /// It was removed by its name: `delete`, `delete_many`, `take`.
    Deleted,
    /// It was removed with others: `clear`, `delete_prefix`, `delete_pattern`.
    Cleared,
}

/// An entry that has left a memory backend, as [`MemoryBuilder::on_removal`](crate::MemoryBuilder::on_removal) is
/// told of it.
pub struct Removal<'a> {
    pub(crate) key: &'a str,
    pub(crate) cause: RemovalCause,
    pub(crate) object: &'a dyn Object,
}

impl<'a> Removal<'a> {
    /// The whole key: the escaped prefix, a `:`, and the name.
    pub fn key(&self) -> &'a str {
        self.key
    }

    /// Why it left.
    pub fn cause(&self) -> RemovalCause {
        self.cause
    }

    /// The value, if it was stored as a `T`.
    pub fn value<T: 'static>(&self) -> Option<&'a T> {
        (self.object as &dyn Any).downcast_ref()
    }
}

/// Without the value, and with the key's length in the place of the key, which may be a secret.
impl fmt::Debug for Removal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Removal")
            .field("key_len", &self.key.len())
            .field("cause", &self.cause)
            .finish_non_exhaustive()
    }
}
