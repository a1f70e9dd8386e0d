//! Several holders at a time: as many locks under one name.

use super::place::Place;
use super::{LockGuard, LockStore, maybe_async};

use std::time::Duration;

use crate::chance::chance;
use crate::error::{Error, ErrorKind, Result};

/// At most so many holders at a time; made by [`LockStore::semaphore`]. A cheap clone.
///
/// ```
/// use lexigram_cache::{LockStore, Memory};
/// use std::time::Duration;
///
/// let ttl = Duration::from_secs(30);
/// let exports = LockStore::new(&Memory::default())?.semaphore("exports", 2)?;
/// let (one, two) = (exports.try_acquire(ttl)?, exports.try_acquire(ttl)?);
/// assert!(one.is_some() && two.is_some() && exports.try_acquire(ttl)?.is_none());
/// drop(one);
/// assert!(exports.try_acquire(ttl)?.is_some());
/// # Ok::<(), lexigram_cache::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Semaphore {
    store: LockStore,
    place: Place,
    permits: u32,
}

impl Semaphore {
    pub(super) fn new(store: LockStore, name: &str, permits: u32) -> Result<Semaphore> {
        let place = Place::new(&store.inner.semaphores, name).and_then(|place| {
            if (1..=MOST_PERMITS).contains(&permits) {
                return Ok(place);
            }
            let text = format!("a semaphore has 1 to {MOST_PERMITS} permits, not {permits}");
            Err(Error::new(ErrorKind::Config, text))
        });
        let place = place.map_err(|error| store.inner.base.place("semaphore", error))?;
        Ok(Semaphore { store, place, permits })
    }

    /// How many may hold it at a time.
    pub fn permits(&self) -> u32 {
        self.permits
    }
}

#[maybe_async]
impl Semaphore {
    /// Takes a permit for so long if one is free. Its guard is that of a lock; the fencing numbers of all permits rise
    /// together. One round trip if none is free, else as many more as a lock takes, and again for each permit that
    /// another was faster to take.
    ///
    /// # Errors
    /// As [`LockStore::try_acquire`].
    ///
    /// # Cancel safety
    /// As [`LockStore::try_acquire`].
    pub async fn try_acquire(&self, ttl: Duration) -> Result<Option<LockGuard>> {
        let taken = self.attempt(ttl).await;
        taken.map_err(|error| self.store.inner.base.place("try_acquire", error))
    }

    /// Takes a permit for so long, and waits for one as [`LockStore::acquire`] does, but is woken by nobody in another
    /// process.
    ///
    /// # Errors
    /// As [`LockStore::acquire`].
    ///
    /// # Cancel safety
    /// As [`LockStore::acquire`].
    pub async fn acquire(&self, ttl: Duration, wait: Duration) -> Result<LockGuard> {
        let taken = self.wait_for(ttl, wait).await;
        taken.map_err(|error| self.store.inner.base.place("acquire", error))
    }

    async fn wait_for(&self, ttl: Duration, wait: Duration) -> Result<LockGuard> {
        let mut turn = self.store.queue_up(&self.place, wait);
        loop {
            turn.come(None).await?;
            if let Some(guard) = self.attempt(ttl).await? {
                return Ok(guard);
            }
        }
    }

    async fn attempt(&self, ttl: Duration) -> Result<Option<LockGuard>> {
        let places: Vec<Place> = (0..self.permits).map(|number| self.place.slot(number)).collect();
        let inner = &self.store.inner;
        let keys = places.iter().map(Place::key).collect::<Result<Vec<_>>>()?;
        let held = inner.backend().are_locked(&keys, inner.base.deadline()).await?;
        let mut free: Vec<&Place> =
            places.iter().zip(held).filter_map(|(place, held)| (!held).then_some(place)).collect();
        while !free.is_empty() {
            // Another than others try, most likely.
            let place = free.swap_remove(((chance() * free.len() as f64) as usize).min(free.len() - 1));
            let taken = self.store.attempt(place, ttl, None).await?;
            if taken.is_some() {
                return Ok(taken);
            }
        }
        Ok(None)
    }
}

/// One look names them all.
const MOST_PERMITS: u32 = 1_024;
