//! Bounds the memory that a value takes while it is read from bytes that nobody vouches for.
//!
//! A byte of input may become much in memory: an empty list is one byte of postcard and 24 of a `Vec`, and `None` is a byte
//! for a struct of any size. Whoever reads therefore pays from a [`Budget`] for what the value is made of, before it is
//! made, by the sizes that its types have in this build.
//!
//! * An element of a sequence or a map has its [`price`], growth of its collection included.
//! * What lies inside of another (a field, what an option or an enum holds) was paid for with it. What is larger than the
//!   place where it goes cannot lie there: it is in a box, and is paid for on its own.
//! * Text and bytes take no more than they did in the input, and that is there already.
//!
//! Where it is blind:
//!
//! * `untagged`, `tag` and `flatten` read into a tree first. The tree is paid for; what is made of it afterwards is not seen.
//! * A hand-written `Deserialize` may take what it was not given.
//! * A `LinkedList` of what is smaller than its links takes several times what is paid.

use std::cell::Cell;

use serde::de::Error;

use super::fault::Fault;

/// What one value may take.
pub(super) struct Budget {
    most: usize,
    left: Cell<usize>,
    is_spent: Cell<bool>,
}

impl Budget {
    /// For a value that is stored in so many bytes, by a client where values unpack to at most `limit`.
    pub(super) fn new(stored: usize, limit: usize) -> Budget {
        let most = stored.saturating_mul(PER_STORED).max(limit.saturating_mul(PER_UNPACKED)).max(LEAST);
        Budget { most, left: Cell::new(most), is_spent: Cell::new(false) }
    }

    /// Pays for so many bytes.
    #[inline]
    pub(super) fn pay<E: Error>(&self, bytes: usize) -> Result<(), E> {
        match self.left.get().checked_sub(bytes) {
            Some(left) => {
                self.left.set(left);
                Ok(())
            }
            None => Err(self.refuse()),
        }
    }

    /// Pays for a value of this size that lies on its own.
    #[cold]
    pub(super) fn pay_boxed<E: Error>(&self, size: usize) -> Result<(), E> {
        self.pay(size.saturating_add(HEADER))
    }

    /// Pays for all elements of a collection.
    #[cfg(feature = "postcard")]
    #[inline(never)]
    pub(super) fn pay_for<E: Error>(&self, size: usize, count: usize) -> Result<(), E> {
        self.pay(price(size).saturating_mul(count.saturating_add(FIRST)))
    }

    #[cold]
    fn refuse<E: Error>(&self) -> E {
        self.is_spent.set(true);
        self.left.set(0);
        E::custom("it is too large in memory")
    }

    /// Why a value was refused, if the budget was the reason.
    pub(super) fn fault(&self) -> Option<Fault> {
        let most = self.most >> 20;
        self.is_spent.get().then(|| {
            format!(
                "it might take more than {most} MiB of memory; store it in parts, or allow more by \
                 `Compression::with_limit`"
            )
            .into()
        })
    }
}

/// What an element takes in a collection that grows: while it moves to twice the room, it has three times what it needs, and
/// a hash table, which is full at seven eighths, has a byte more for each. What is no larger than a byte takes no more than
/// text does.
pub(super) const fn price(size: usize) -> usize {
    if size > 1 { (size + 1) * 4 } else { 0 }
}

/// As so many more counts the first element: collections begin with room for several, and a node of a B-tree has room for
/// eleven.
pub(super) const FIRST: usize = 2;

/// What an allocation takes beside its content.
const HEADER: usize = 16;

/// With what was unpacked, and texts that are copied out of it, a mebibyte then takes at most 64 MiB.
const LEAST: usize = 48 << 20;

/// A value that comes as it is may be larger than any that was packed: it may take as much for each of its bytes as a
/// mebibyte may.
const PER_STORED: usize = 48;

/// As much as `LEAST` is for each of the bytes that may be unpacked by default.
const PER_UNPACKED: usize = 12;
