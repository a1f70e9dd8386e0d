//! Who reloads a value that is still there: a mark under a key of its own keeps other processes from it.
//!
//! Only an economy: two processes that reload at once both store under the version they saw, so one of them does.

use super::super::backend::BackendHandle;
use super::call::Call;
use super::{Cache, maybe_async, rt};

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use crate::deadline::Deadline;
use crate::entry::{Condition, Item};
use crate::error::Result;
use crate::key::{Key, Prefix};
use crate::policy::Policy;
use crate::ttl::Lifetime;

/// The right to reload; its drop lets the next reload begin.
pub(super) struct Mark {
    place: Option<Arc<Place>>,
    /// Whether another holder of the same mark clears it.
    lent: bool,
}

/// Where a mark lies. Memory needs none, since nobody else can see its values.
pub(super) struct Place {
    cache: Cache,
    /// The verb that marks.
    operation: &'static str,
    name: String,
}

/// The namespace of marks. A name in it is a whole joined key.
static MARKS: LazyLock<Prefix> = LazyLock::new(|| Prefix::new("lexigram-reload"));

impl Mark {
    pub(super) fn none() -> Mark {
        Mark { place: None, lent: false }
    }

    fn at(place: Arc<Place>) -> Mark {
        Mark { place: Some(place), lent: false }
    }

    /// The same, for who renews it and leaves the rest to its owner.
    pub(super) fn lend(&self) -> Mark {
        Mark { place: self.place.clone(), lent: true }
    }

    /// What has to be renewed while a load lasts.
    pub(super) fn place(&self) -> Option<Arc<Place>> {
        self.place.clone()
    }
}

#[maybe_async]
impl Cache {
    /// The right to reload this key, unless another process has it. If that cannot be told, each process reloads
    /// for itself.
    pub(super) async fn elect(&self, call: &Call<'_>, key: &Key<'_>, policy: &Policy) -> Option<Mark> {
        if call.backend().keeps_objects() {
            return Some(Mark::none());
        }
        let mark = Mark::at(Place::of(call, key));
        let marked = mark.set(policy.rules.lock_ttl, &Condition::Absent, call.deadline).await;
        mark.won(call.absorb(marked))
    }

    /// The same for a caller that has nothing to serve meanwhile: that a reload failed is no reason to wait.
    pub(super) async fn elect_after_failure(
        &self,
        call: &Call<'_>,
        key: &Key<'_>,
        policy: &Policy,
    ) -> Option<Mark> {
        if let Some(mark) = self.elect(call, key, policy).await {
            return Some(mark);
        }
        let mark = Mark::at(Place::of(call, key));
        let marked = mark.set_after_failure(policy.rules.lock_ttl, call.deadline).await;
        mark.won(call.absorb(marked))
    }
}

impl Mark {
    /// A mark that may have been set by a request without an answer is cleared with the others.
    fn won(mut self, marked: Result<Option<bool>>) -> Option<Mark> {
        if let Ok(Some(false)) = marked {
            self.place = None;
            return None;
        }
        Some(self)
    }
}

#[maybe_async]
impl Mark {
    async fn set(&self, time: Duration, condition: &Condition, deadline: Deadline) -> Result<bool> {
        match &self.place {
            Some(place) => place.write(LOADING, time, condition, deadline).await,
            None => Ok(true),
        }
    }

    async fn set_after_failure(&self, time: Duration, deadline: Deadline) -> Result<bool> {
        match &self.place {
            Some(place) => place.mark_after_failure(time, deadline).await,
            None => Ok(true),
        }
    }

    /// Keeps every process from reloading for so long, because the reload failed.
    pub(super) async fn keep(mut self, call: &Call<'_>, time: Duration) {
        let is_kept = !time.is_zero() && !call.is_cut_off();
        let Some(place) = self.place.as_ref().filter(|_| is_kept) else { return };
        let kept = place.write(FAILED, time, &Condition::Always, call.deadline).await;
        if let Ok(Some(_)) = call.absorb(kept) {
            self.place = None;
        }
    }
}

impl Place {
    fn of(call: &Call<'_>, key: &Key<'_>) -> Arc<Place> {
        Arc::new(Place { cache: call.cache(), operation: call.operation, name: key.joined() })
    }

    fn backend(&self) -> &BackendHandle {
        &self.cache.inner.backend
    }

    /// Never shorter than that, wherever in a step of the backend's clock it begins.
    fn lifetime(&self, time: Duration) -> Result<Lifetime> {
        Ok(Lifetime::new(time)?.plus(self.backend().resolution()))
    }
}

#[maybe_async]
impl Place {
    async fn write(
        &self,
        state: &[u8],
        time: Duration,
        condition: &Condition,
        deadline: Deadline,
    ) -> Result<bool> {
        let (key, lifetime) = (MARKS.key(&self.name)?, self.lifetime(time)?);
        self.backend().store(&key, Item::Bytes(state.to_vec()), lifetime, condition, deadline).await
    }

    /// Takes the place of a mark that tells a failure.
    async fn mark_after_failure(&self, time: Duration, deadline: Deadline) -> Result<bool> {
        let condition = match self.backend().get(&MARKS.key(&self.name)?, deadline).await? {
            Some(found) if matches!(&found.item, Item::Bytes(state) if state == FAILED) => {
                Condition::Unchanged(found.into_version()?)
            }
            Some(_) => return Ok(false),
            None => Condition::Absent,
        };
        self.write(LOADING, time, &condition, deadline).await
    }

    /// Whether the mark was still there to be kept for so much longer. A server that does not answer may do so next
    /// time.
    pub(super) async fn renew(&self, hold: Duration) -> bool {
        let (Ok(key), Ok(lifetime)) = (MARKS.key(&self.name), self.lifetime(hold)) else { return false };
        let call = self.cache.call_beside(self.operation).at_most(rt::patience(hold / 3));
        let renewed = call.backend().touch(&key, lifetime, call.deadline).await;
        call.heed(renewed).unwrap_or(true)
    }

    /// Clears the mark beside the caller.
    fn leave(self: Arc<Self>) {
        rt::detach(move || async move { self.clear().await });
    }

    async fn clear(&self) {
        if let Ok(key) = MARKS.key(&self.name) {
            // After a failure the mark ends by itself, as a lease does.
            let call = self.cache.call_beside(self.operation);
            let _ = call.backend().remove(&key, None, call.deadline).await;
        }
    }
}

impl Drop for Mark {
    fn drop(&mut self) {
        if let Some(place) = self.place.take().filter(|_| !self.lent) {
            place.leave();
        }
    }
}

/// What a mark holds while a reload is under way.
const LOADING: &[u8] = b"1";
/// And while none is to be tried, since the last one failed.
const FAILED: &[u8] = b"0";
