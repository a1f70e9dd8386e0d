//! The fast path: to read an entry that is there and not past its time, or to write onto it, while nobody else is in the
//! way, in a store that has nothing special about it. Whatever takes more is left to the way of all calls.
//!
//! Most of a hit is waiting for memory far away, and what hides that is how many calls a processor has under way at once.
//! Their number ends with the instructions, loads and stores that it can keep in mind. Hence one run of code, inlined up to
//! the verbs' callers, that asks for nothing twice and has next to nothing to keep on the stack.

use std::mem::{self, ManuallyDrop};
use std::sync::Arc;

use super::super::Seed;
use super::super::sync::atomic::{AtomicBool, Ordering};
use super::Store;
use super::hash::{hash, hash_whole};
use super::shard::Shard;
use super::slab::HeldMut;
use crate::clock::Moment;
use crate::entry::Object;
use crate::eviction::Eviction;
use crate::key::{KeyText, Plain, Prefix};
use crate::removal::RemovalCause;

/// A namespace's way to the entries of a store that hashes keys in our way, and whose order no read changes.
pub(crate) struct FastPath {
    /// Whether keys may be plain: there is no prefix, and the way is open.
    plain: AtomicBool,
    open: AtomicBool,
    store: Arc<Store>,
    seed: Seed,
    prefix: Prefix,
    /// Whether nobody weighs values, nor is told of those that leave.
    replaces: bool,
}

/// What the fast path leads to.
pub(crate) enum Glance<R> {
    Seen(R),
    Nothing(Nothing),
    /// It takes another way to tell.
    Unclear,
}

/// Where there was no entry.
#[derive(Clone, Copy)]
pub(crate) struct Nothing {
    pub(super) hash: u64,
    /// The shard's number then.
    pub(super) number: u64,
}

impl FastPath {
    /// The fast path to what is under this prefix in a store, if there is one.
    pub(crate) fn into(store: &Arc<Store>, prefix: &Prefix) -> Option<FastPath> {
        let seed = store.hasher.seed().filter(|_| store.common.eviction == Eviction::Default)?;
        let replaces = store.common.weight.is_none() && store.listener.is_none();
        Some(FastPath {
            plain: AtomicBool::new(prefix.as_str().is_empty()),
            open: AtomicBool::new(true),
            store: Arc::clone(store),
            seed: seed.clone(),
            prefix: prefix.clone(),
            replaces,
        })
    }

    /// From now on it leads nowhere.
    pub(crate) fn close(&self) {
        self.plain.store(false, Ordering::Relaxed);
        self.open.store(false, Ordering::Relaxed);
    }

    #[inline]
    fn is_open(&self) -> bool {
        self.open.load(Ordering::Relaxed)
    }

    pub(super) fn store(&self) -> &Store {
        &self.store
    }

    pub(super) fn prefix(&self) -> &Prefix {
        &self.prefix
    }

    /// What `make` makes of the value; it runs under a lock. Of keys whose values are not kept past their time.
    #[inline(always)]
    pub(crate) fn find<R>(&self, name: &str, make: impl FnOnce(&Arc<dyn Object>) -> R) -> Glance<R> {
        match Plain::of(name).filter(|_| self.plain.load(Ordering::Relaxed)) {
            Some(key) => {
                let hash = hash_whole(&self.seed, key.bytes());
                // Moved: of a key that is borrowed the compiler forgets between which lengths it is, and looks again.
                self.find_at(hash, move |kept| kept.is_plain(key), make)
            }
            None => self.find_joined(name, make),
        }
    }

    /// Of any key. By itself, or what it calls would take the registers from plain ones.
    #[inline(never)]
    fn find_joined<R>(&self, name: &str, make: impl FnOnce(&Arc<dyn Object>) -> R) -> Glance<R> {
        let Some(key) = self.prefix.named(name).filter(|_| self.is_open()) else { return Glance::Unclear };
        let (prefix, name) = (key.prefix(), key.name());
        self.find_at(hash(&self.seed, prefix, name), |kept| kept.is_joined(prefix, name), make)
    }

    #[inline(always)]
    fn find_at<R>(
        &self,
        hash: u64,
        is_meant: impl FnOnce(&KeyText) -> bool,
        make: impl FnOnce(&Arc<dyn Object>) -> R,
    ) -> Glance<R> {
        let Some(mut shard) = self.store.cell(hash).try_lock() else { return Glance::Unclear };
        let Shard { queues, number, .. } = &mut *shard;
        let Some(HeldMut { slot, object }) = queues.spot(hash as u32) else {
            return Glance::Nothing(Nothing { hash, number: *number });
        };
        if !is_meant(&slot.key) || self.store.clock().has_passed(slot.end) {
            return Glance::Unclear;
        }
        slot.count_use();
        // Unlocking cannot fail, which the compiler does not know: it would have what was made lie in memory, to drop it.
        let made = ManuallyDrop::new(make(object));
        drop(shard);
        Glance::Seen(ManuallyDrop::into_inner(made))
    }

    /// Puts a value in the place of one that is there; gives it back where there is more to do than that.
    pub(crate) fn replace(
        &self,
        name: &str,
        object: Arc<dyn Object>,
        end: Moment,
    ) -> Result<(), Arc<dyn Object>> {
        let Some(key) = self.prefix.named(name).filter(|_| self.replaces && self.is_open()) else {
            return Err(object);
        };
        let hash = hash(&self.seed, key.prefix(), key.name());
        let cell = self.store.cell(hash);
        let Some(mut shard) = cell.try_lock() else { return Err(object) };
        let Shard { queues, loads, number } = &mut *shard;
        let Some(HeldMut { slot, object: held }) = queues.spot(hash as u32) else { return Err(object) };
        if !slot.key.is(&key) || self.store.clock().has_passed(slot.end) || !loads.is_empty() {
            return Err(object);
        }
        *number += 1;
        (slot.number, slot.end) = (*number as u32, end);
        slot.count_use();
        let replaced = mem::replace(held, object);
        drop(shard);
        cell.counts.of(RemovalCause::Replaced).fetch_add(1, Ordering::Relaxed);
        drop(replaced);
        Ok(())
    }
}
