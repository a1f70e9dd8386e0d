//! How a thread knows what it is loading itself.

use std::cell::{Cell, RefCell};
use std::mem::ManuallyDrop;

use crate::key::{Key, KeyText};

/// A key, and the table that its load is listed in.
type Loaded = (usize, KeyText);

thread_local! {
    /// Calls of [`loading`] under way.
    static DEPTH: Cell<usize> = const { Cell::new(0) };
    /// What the outermost of them loads, if that is one key. Whoever puts it here takes it out again, so nothing has to
    /// be dropped at the end of a thread; to see to that would cost a good part of a miss in memory.
    static OUTERMOST: Cell<ManuallyDrop<Option<Loaded>>> = const { Cell::new(ManuallyDrop::new(None)) };
    /// What all others load.
    static INNER: RefCell<Vec<Loaded>> = const { RefCell::new(Vec::new()) };
}

/// Runs a loader, remembering what it loads for as long as it runs.
#[inline]
pub(crate) fn loading<R>(table: usize, keys: &[KeyText], load: impl FnOnce() -> R) -> R {
    let _leave = match keys {
        [key] if DEPTH.get() == 0 => Leave::outermost((table, key.clone())),
        keys => Leave::inner(table, keys),
    };
    load()
}

/// Forgets the innermost loads, also when the loader panics.
enum Leave {
    Outermost,
    /// How many there were before.
    Inner(usize),
}

impl Leave {
    #[inline]
    fn outermost(loaded: Loaded) -> Leave {
        OUTERMOST.set(ManuallyDrop::new(Some(loaded)));
        DEPTH.set(1);
        Leave::Outermost
    }

    #[inline(never)]
    fn inner(table: usize, keys: &[KeyText]) -> Leave {
        INNER.with_borrow_mut(|inner| {
            let before = inner.len();
            inner.extend(keys.iter().map(|key| (table, key.clone())));
            DEPTH.set(DEPTH.get() + 1);
            Leave::Inner(before)
        })
    }
}

impl Drop for Leave {
    #[inline]
    fn drop(&mut self) {
        DEPTH.set(DEPTH.get() - 1);
        match self {
            Leave::Outermost => drop(ManuallyDrop::into_inner(OUTERMOST.take())),
            Leave::Inner(before) => INNER.with_borrow_mut(|inner| inner.truncate(*before)),
        }
    }
}

/// Whether a loader running on this thread is loading this key.
#[inline]
pub(crate) fn is_loading(table: usize, key: &Key<'_>) -> bool {
    // A load within a load is rare.
    DEPTH.get() > 0 && is_among(table, *key)
}

#[inline(never)]
fn is_among(table: usize, key: Key<'_>) -> bool {
    let is_it = |(held, name): &Loaded| *held == table && name.is(&key);
    let outermost = OUTERMOST.take();
    let is_outermost = outermost.as_ref().is_some_and(is_it);
    OUTERMOST.set(outermost);
    is_outermost || INNER.with_borrow(|inner| inner.iter().any(is_it))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::Prefix;

    #[test]
    fn a_thread_knows_each_of_its_loads_until_it_ends() {
        let whole = Prefix::default();
        let is = |table, name| is_loading(table, &whole.key(name).unwrap());
        let long = "a key that is too long to lie in place";
        let keys = ["a", "b", long].map(KeyText::from);
        loading(1, &keys[2..], || {
            assert!(is(1, long) && !is(2, long) && !is(1, "a"));
            loading(2, &keys[..2], || assert!(is(1, long) && is(2, "a") && is(2, "b") && !is(1, "b")));
            assert!(is(1, long) && !is(2, "a"));
            loading(1, &keys[..1], || assert!(is(1, long) && is(1, "a")));
        });
        loading(3, &keys, || assert!(keys.iter().all(|key| is(3, key.as_str()))));
        assert!(!keys.iter().any(|key| (1..4).any(|table| is(table, key.as_str()))));
    }

    #[test]
    fn a_loader_that_panics_is_no_load_any_more() {
        let keys = ["a", "b"].map(KeyText::from);
        for keys in [&keys[..1], &keys[..]] {
            let panicked = std::panic::catch_unwind(|| loading(1, keys, || panic!("as planned")));
            assert!(panicked.is_err() && !is_loading(1, &Prefix::default().key("a").unwrap()));
        }
    }
}
