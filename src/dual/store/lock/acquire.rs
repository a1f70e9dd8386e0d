//! Taking a lock: at once, in turn with others, or from whoever hands it over.

use super::place::Place;
use super::tenure::Tenure;
use super::wait::Wait;
use super::{LockGuard, LockStore, checked, maybe_async, rt};

use std::sync::Arc;
use std::time::Duration;

use crate::error::{Error, ErrorKind, Result};

#[maybe_async]
impl LockStore {
    /// Takes the lock for so long if nobody holds it; `None` if somebody does. Waits for nobody, nor for those who wait.
    /// One round trip; four on Memcached and on a backend of one's own, or one if somebody holds it.
    ///
    /// # Errors
    /// `InvalidKey` for an empty name; `InvalidTtl` under 10 ms and over 100 years; else those of the backend. Upon any
    /// of them the lock is not held: what may have been taken is given back, before the error comes where there is time,
    /// else beside the caller.
    ///
    /// # Cancel safety
    /// What was taken for a future that is dropped is given back.
    pub async fn try_acquire(&self, name: &str, ttl: Duration) -> Result<Option<LockGuard>> {
        let taken = match Place::new(&self.inner.locks, name) {
            Ok(place) => self.attempt(&place, ttl, None).await,
            Err(error) => Err(error),
        };
        taken.map_err(|error| self.inner.base.place("try_acquire", error))
    }

    /// Takes the lock for so long, and waits for it if somebody holds it: at most `wait`, to which the timeout of one
    /// call may come. Those who wait in one process, and on clones of one backend, have their turns in the order in which
    /// they came. The first of them is woken when the lock is released: by Redis, on a connection that it keeps waiting
    /// meanwhile (half of `pool_size` may be), or else by whoever releases it in this process. It also looks by itself,
    /// every half second and when the time of the lock is over where Redis wakes it and every 5 to 50 ms elsewhere: for
    /// the lock of a holder that is gone, and for one that another process had.
    ///
    /// # Errors
    /// `Timeout` if it was not free within `wait`; else as [`try_acquire`](LockStore::try_acquire).
    ///
    /// # Cancel safety
    /// As [`try_acquire`](LockStore::try_acquire); the place in the queue is lost.
    pub async fn acquire(&self, name: &str, ttl: Duration, wait: Duration) -> Result<LockGuard> {
        let taken = match Place::new(&self.inner.locks, name) {
            Ok(place) => self.wait_for(&place, ttl, wait).await,
            Err(error) => Err(error),
        };
        taken.map_err(|error| self.inner.base.place("acquire", error))
    }

    async fn wait_for(&self, place: &Place, ttl: Duration, wait: Duration) -> Result<LockGuard> {
        let mut turn = self.queue_up(place, wait);
        loop {
            turn.come(Some((&self.inner, place))).await?;
            if let Some(guard) = self.attempt(place, ttl, turn.bell()).await? {
                return Ok(guard);
            }
        }
    }

    pub(super) fn queue_up(&self, place: &Place, wait: Duration) -> Wait<'_> {
        Wait::new(self.inner.backend().turns().take(place.queue().as_str().into()), wait)
    }

    /// Goes on with a lock whose holder has [handed over its token](LockGuard::into_token), in this process or another:
    /// holds it for so long from now, with the same fencing number. One round trip, two on Memcached.
    ///
    /// # Errors
    /// `NotOwned` if nobody holds the lock by this token; `InvalidKey`, `InvalidTtl` and those of the backend as
    /// [`try_acquire`](LockStore::try_acquire), upon which the lock is left as it is.
    ///
    /// ```
    /// use lexigram_cache::{LockStore, Memory};
    /// use std::time::Duration;
    ///
    /// let locks = LockStore::new(&Memory::default())?;
    /// let ttl = Duration::from_secs(30);
    /// let guard = locks.acquire("export", ttl, ttl)?;
    /// let (fencing, token) = (guard.fencing(), guard.into_token());
    /// // .. elsewhere:
    /// let guard = locks.resume("export", &token, ttl)?;
    /// assert_eq!(guard.fencing(), fencing);
    /// # Ok::<(), lexigram_cache::Error>(())
    /// ```
    pub async fn resume(&self, name: &str, token: &str, ttl: Duration) -> Result<LockGuard> {
        let resumed = match Place::new(&self.inner.locks, name) {
            Ok(place) => self.go_on(place, token, ttl).await,
            Err(error) => Err(error),
        };
        resumed.map_err(|error| self.inner.base.place("resume", error))
    }

    async fn go_on(&self, place: Place, token: &str, ttl: Duration) -> Result<LockGuard> {
        let inner = &self.inner;
        let tenure = Tenure::of(inner, place, checked(ttl)?, token.to_owned());
        if tenure.prolong(ttl, inner.base.deadline()).await? {
            return Ok(LockGuard::new(tenure));
        }
        let text = "nobody holds the lock by this token; its time may be over";
        Err(Error::new(ErrorKind::NotOwned, text))
    }

    /// Whether this is the first call for this name in such a period, of all callers on this server: what has to be done
    /// once an hour, by whoever comes first. Round trips as for [`try_acquire`](LockStore::try_acquire). A period begins
    /// with its first call, and lasts up to two seconds longer on Memcached.
    ///
    /// # Errors
    /// As [`try_acquire`](LockStore::try_acquire). Upon any of them the period has not begun.
    ///
    /// ```
    /// use lexigram_cache::{LockStore, Memory};
    /// use std::time::Duration;
    ///
    /// let locks = LockStore::new(&Memory::default())?;
    /// let hour = Duration::from_secs(3600);
    /// assert!(locks.once_per("clean up", hour)?);
    /// assert!(!locks.once_per("clean up", hour)?);
    /// # Ok::<(), lexigram_cache::Error>(())
    /// ```
    pub async fn once_per(&self, name: &str, period: Duration) -> Result<bool> {
        let first = match Place::new(&self.inner.periods, name) {
            Ok(place) => self.take(&place, period, None).await,
            Err(error) => Err(error),
        };
        first.map(|tenure| tenure.is_some()).map_err(|error| self.inner.base.place("once_per", error))
    }

    /// Whether somebody holds the lock, be it us or another. One round trip. What is true here may be false when the next
    /// line runs.
    ///
    /// # Errors
    /// `InvalidKey` for an empty name, else those of the backend.
    pub async fn is_locked(&self, name: &str) -> Result<bool> {
        let inner = &self.inner;
        let place = Place::new(&inner.locks, name).map_err(|error| inner.base.place("is_locked", error))?;
        let held = inner.backend().are_locked(&[place.key()?], inner.base.deadline()).await;
        held.map(|held| held == [true]).map_err(|error| inner.base.place("is_locked", error))
    }

    /// One try, after which the caller will wait so long to be woken.
    pub(super) async fn attempt(
        &self,
        place: &Place,
        ttl: Duration,
        wait: Option<Duration>,
    ) -> Result<Option<LockGuard>> {
        self.warn_once();
        Ok(self.take(place, ttl, wait).await?.map(LockGuard::new))
    }

    /// Runs to its end even if its caller is dropped: what was taken for nobody is given back.
    async fn take(
        &self,
        place: &Place,
        ttl: Duration,
        wait: Option<Duration>,
    ) -> Result<Option<Arc<Tenure>>> {
        let inner = &self.inner;
        let tenure = Tenure::new(inner, place.clone(), checked(ttl)?);
        let deadline = inner.base.deadline();
        if inner.backend().keeps_objects() {
            return Ok(tenure.take(wait, deadline).await?.then_some(tenure));
        }
        let (taking, giving_back) = (Arc::clone(&tenure), Arc::clone(&tenure));
        let take = move || async move { taking.take(wait, deadline).await };
        let give_back = move |taken: Result<bool>| async move {
            if taken.unwrap_or(false) {
                giving_back.give_back().await;
            }
        };
        Ok(rt::whole(take, give_back).await??.then_some(tenure))
    }
}
