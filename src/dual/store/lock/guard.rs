//! A lock as its holder has it.

use super::tenure::Tenure;
use super::{checked, maybe_async, rt};

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::engine::hold::Over;
use crate::error::{Error, ErrorKind, Result};
use crate::lock::{Released, Unlocked};

/// A lock that is held. Its drop gives the lock back: a thread waits for the server, at most for the store's timeout; a
/// task leaves that to another task, and outside a runtime to the end of the lock's time.
///
/// A child that was forked while it was held has a guard that is not valid and releases nothing; hand a lock over by
/// [`into_token`](LockGuard::into_token).
#[must_use = "the lock is released when its guard is dropped"]
pub struct LockGuard {
    tenure: Arc<Tenure>,
    /// `None` where it is not renewed.
    renewing: Mutex<Option<rt::Renewing>>,
    /// Nothing is left to give back.
    is_settled: bool,
}

impl LockGuard {
    pub(super) fn new(tenure: Arc<Tenure>) -> LockGuard {
        let guard = LockGuard { tenure, renewing: Mutex::new(None), is_settled: false };
        guard.renew();
        guard
    }

    /// What was there is for the caller to drop, after the lock.
    fn set_renewing(&self, renewing: Option<rt::Renewing>) -> Option<rt::Renewing> {
        std::mem::replace(&mut *self.renewing.lock().unwrap_or_else(PoisonError::into_inner), renewing)
    }

    /// The name it was asked for by.
    pub fn name(&self) -> &str {
        &self.tenure.place.name
    }

    /// Who the server knows as the holder: 128 random bits in hexadecimal. Whoever has it can
    /// [resume](super::LockStore::resume) the lock.
    pub fn token(&self) -> &str {
        &self.tenure.token
    }

    /// Above the number of every earlier holder of this name. Some sixteen digits, so that a float can hold it.
    pub fn fencing(&self) -> u64 {
        self.tenure.fencing()
    }

    /// Whether the lock is ours as far as can be known without asking: its time is not over, and no renewal has found it
    /// lost. Asks nobody.
    ///
    /// What is true here may be false when the next line runs: see [`LockStore`](super::LockStore).
    pub fn is_valid(&self) -> bool {
        self.tenure.is_valid()
    }

    /// How long it is certainly ours if it is not renewed: never more than the server would say. Zero once it is lost.
    pub fn remaining(&self) -> Duration {
        if self.tenure.is_valid() { self.tenure.left() } else { Duration::ZERO }
    }

    /// Leaves the lock held on the server, for another to [resume](super::LockStore::resume) it within the time that is
    /// left.
    pub fn into_token(mut self) -> String {
        self.tenure.end(Over::Left);
        self.is_settled = true;
        self.tenure.token.clone()
    }
}

#[maybe_async]
impl LockGuard {
    /// Holds it for so long from now, be that more or less than before, and renews it for that long from then on. One
    /// round trip, two on Memcached.
    ///
    /// # Errors
    /// `NotOwned` if it was lost; `InvalidTtl` under 10 ms and over 100 years; else those of the backend, upon which it
    /// is held for the longer or the shorter time, and [`remaining`](LockGuard::remaining) says the shorter.
    ///
    /// # Cancel safety
    /// As upon an error of the backend.
    pub async fn extend(&self, ttl: Duration) -> Result<()> {
        let extended = self.extended(ttl).await;
        extended.map_err(|error| self.tenure.inner.base.place("extend", error))
    }

    async fn extended(&self, ttl: Duration) -> Result<()> {
        let ttl = checked(ttl)?;
        if self.tenure.over().is_some() || !self.tenure.is_at_home() {
            return Err(lost());
        }
        if !self.tenure.prolong(ttl, self.tenure.inner.base.deadline()).await? {
            self.tenure.lose();
            return Err(lost());
        }
        self.tenure.set_ttl(ttl);
        self.renew();
        Ok(())
    }

    /// Begins to renew it at each third of its time, in place of what did so before.
    fn renew(&self) {
        if !self.tenure.inner.renewal {
            return;
        }
        let tenure = Arc::clone(&self.tenure);
        let renew = move || {
            let tenure = Arc::clone(&tenure);
            async move { tenure.renew().await }
        };
        let renewing = rt::renewing(self.tenure.ttl() / 3, renew);
        let _before = self.set_renewing(Some(renewing));
    }

    /// Gives the lock back, and says whether it was ours until now. One round trip, two on Memcached.
    ///
    /// # Errors
    /// Those of the backend. Then the drop of the guard tries once more, and the lock ends with its time at the latest.
    ///
    /// # Cancel safety
    /// The lock is given back all the same.
    pub async fn release(mut self) -> Result<Released> {
        let tenure = Arc::clone(&self.tenure);
        if !tenure.is_at_home() {
            return Ok(Released::NotOwned);
        }
        drop(self.set_renewing(None));
        let before = tenure.over();
        // A renewal that is under way is not to take this for a loss.
        tenure.end(Over::Left);
        let unlocked = tenure.give_up(tenure.inner.base.deadline()).await;
        let unlocked = unlocked.map_err(|error| tenure.inner.base.place("release", error))?;
        let is_over = before == Some(Over::Expired) || (before.is_none() && tenure.left().is_zero());
        self.is_settled = true;
        Ok(match unlocked {
            Unlocked::Released => Released::Released,
            Unlocked::Absent if is_over => Released::Expired,
            Unlocked::Absent | Unlocked::Foreign => Released::NotOwned,
        })
    }
}

fn lost() -> Error {
    let text = "the lock is not ours any more; whatever it protects may be in use by another";
    Error::new(ErrorKind::NotOwned, text)
}

impl Drop for LockGuard {
    fn drop(&mut self) {
        drop(self.set_renewing(None));
        let is_gone = self.is_settled || self.tenure.over() == Some(Over::Lost);
        if self.tenure.is_at_home() && !is_gone {
            self.tenure.end(Over::Left);
            Tenure::leave(Arc::clone(&self.tenure));
        }
    }
}

/// The token opens the lock, so it is not shown.
impl fmt::Debug for LockGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LockGuard")
            .field("name", &self.name())
            .field("fencing", &self.fencing())
            .field("remaining", &self.remaining())
            .finish_non_exhaustive()
    }
}
