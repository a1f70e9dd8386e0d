//! A lock in hand, with all that it takes to renew it and to give it back from anywhere.

use super::{Inner, Place, maybe_async, rt};

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::chance;
use crate::clock::Moment;
use crate::deadline::Deadline;
use crate::engine::hold::{Hold, Over};
use crate::error::Result;
use crate::lock::{Claim, Unlocked};

pub(super) struct Tenure {
    pub(super) inner: Arc<Inner>,
    pub(super) place: Place,
    pub(super) token: String,
    /// Zero until the lock is ours.
    fencing: AtomicU64,
    /// A forked child has a copy of what is its parent's to renew and to release.
    process: u32,
    terms: Mutex<Terms>,
}

struct Terms {
    hold: Hold,
    ttl: Duration,
}

/// A step on the server that may hold the lock longer. However it ends, its outcome is taken note of.
struct Step<'a> {
    tenure: &'a Tenure,
    until: Moment,
    is_taken: bool,
}

impl Tenure {
    /// A lock that is not ours yet. Its time is counted from before it is asked for.
    pub(super) fn new(inner: &Arc<Inner>, place: Place, ttl: Duration) -> Arc<Tenure> {
        Tenure::of(inner, place, ttl, chance::token())
    }

    /// The lock of a token that was drawn before.
    pub(super) fn of(inner: &Arc<Inner>, place: Place, ttl: Duration, token: String) -> Arc<Tenure> {
        let hold = Hold::new(inner.until(ttl));
        Arc::new(Tenure {
            inner: Arc::clone(inner),
            place,
            token,
            fencing: AtomicU64::new(0),
            process: std::process::id(),
            terms: Mutex::new(Terms { hold, ttl }),
        })
    }

    pub(super) fn fencing(&self) -> u64 {
        self.fencing.load(Ordering::Relaxed)
    }

    pub(super) fn is_valid(&self) -> bool {
        self.terms().hold.over().is_none() && self.is_at_home() && !self.left().is_zero()
    }

    /// Whether this is the process that took it.
    pub(super) fn is_at_home(&self) -> bool {
        self.process == std::process::id()
    }

    pub(super) fn left(&self) -> Duration {
        let until = self.terms().hold.until();
        self.inner.left(until)
    }

    pub(super) fn over(&self) -> Option<Over> {
        self.terms().hold.over()
    }

    pub(super) fn ttl(&self) -> Duration {
        self.terms().ttl
    }

    pub(super) fn set_ttl(&self, ttl: Duration) {
        self.terms().ttl = ttl;
    }

    /// Ends what its holder knows of it as ours.
    pub(super) fn end(&self, over: Over) -> bool {
        self.terms().hold.end(over)
    }

    /// It is not ours any more: tells so, once.
    pub(super) fn lose(&self) {
        let over = if self.left().is_zero() { Over::Expired } else { Over::Lost };
        if self.end(over)
            && let Some(told) = &self.inner.on_loss
        {
            // On the caller's thread or on the one that renews all locks: neither is to end by it.
            let _ = catch_unwind(AssertUnwindSafe(|| told(&self.place.name)));
        }
    }

    /// Lets whoever waits in this process ask at once.
    fn call_next(&self) {
        self.inner.backend().turns().call(&self.place.queue());
    }

    fn step(&self, ttl: Duration) -> Step<'_> {
        self.terms().hold.begin();
        Step { tenure: self, until: self.inner.until(ttl), is_taken: false }
    }

    /// No user code runs under the lock, so a poisoned one guards whole terms.
    fn terms(&self) -> MutexGuard<'_, Terms> {
        self.terms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Step<'_> {
    fn drop(&mut self) {
        let mut terms = self.tenure.terms();
        match self.is_taken {
            true => terms.hold.taken(self.until),
            false => terms.hold.unknown(self.until),
        }
    }
}

#[maybe_async]
impl Tenure {
    /// Takes the lock, if nobody holds it. If it is not known whether it was taken, the token is removed again: nobody
    /// would know of it, and all would wait for its end.
    pub(super) async fn take(&self, wait: Option<Duration>, deadline: Deadline) -> Result<bool> {
        let claim = self.place.claim(&self.token, self.ttl())?;
        let claim = Claim { replicas: self.inner.replicas(), wait, ..claim };
        match self.inner.backend().lock(&claim, deadline).await {
            Ok(fencing) => {
                self.fencing.store(fencing.unwrap_or_default(), Ordering::Relaxed);
                Ok(fencing.is_some())
            }
            Err(error) => {
                self.take_back(deadline).await;
                Err(error)
            }
        }
    }

    /// Here if there is time left, else beside the caller.
    async fn take_back(&self, deadline: Deadline) {
        if deadline.remaining().is_ok() && self.give_up(deadline).await.is_ok() {
            return;
        }
        let (inner, place, token) = (Arc::clone(&self.inner), self.place.clone(), self.token.clone());
        rt::detach(move || async move {
            let tenure = Tenure::of(&inner, place, PATIENCE, token);
            tenure.give_back().await;
        });
    }

    /// Holds it for so long from now; says whether it still was ours.
    pub(super) async fn prolong(&self, ttl: Duration, deadline: Deadline) -> Result<bool> {
        let mut step = self.step(ttl);
        let claim = self.place.claim(&self.token, ttl)?;
        let fencing = self.inner.backend().keep_lock(&claim, deadline).await?;
        step.is_taken = fencing.is_some();
        if let Some(fencing) = fencing {
            self.fencing.store(fencing, Ordering::Relaxed);
        }
        Ok(fencing.is_some())
    }

    /// Renews it; says whether there is still something to renew. A server that does not answer may do so next time, as
    /// long as there is one.
    pub(super) async fn renew(&self) -> bool {
        if self.over().is_some() || !self.is_at_home() {
            return false;
        }
        let ttl = self.ttl();
        let deadline = self.inner.base.deadline_within(rt::patience(ttl / 3));
        let is_kept = match self.prolong(ttl, deadline).await {
            Ok(is_ours) => is_ours,
            Err(_) => !self.left().is_zero(),
        };
        if !is_kept {
            self.lose();
        }
        is_kept
    }

    /// Gives the lock back, for a drop.
    pub(super) fn leave(tenure: Arc<Tenure>) {
        let claim = tenure.place.claim(&tenure.token, tenure.ttl());
        if claim.is_ok_and(|claim| tenure.inner.backend().drop_lock(&claim)) {
            return tenure.call_next();
        }
        rt::leave(move || async move { tenure.give_back().await });
    }

    pub(super) async fn give_up(&self, deadline: Deadline) -> Result<Unlocked> {
        let claim = self.place.claim(&self.token, self.ttl())?;
        let unlocked = self.inner.backend().unlock(&claim, deadline).await;
        self.call_next();
        unlocked
    }

    /// Nobody is left to be told of a failure; the lock ends by itself.
    pub(super) async fn give_back(&self) {
        let _ = self.give_up(self.inner.base.deadline()).await;
    }
}

const PATIENCE: Duration = Duration::from_secs(1);
