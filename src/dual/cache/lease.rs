//! The right to store what was loaded: used up by storing, given back however else it ends.

use super::super::backend::BackendHandle;
use super::call::Call;
use super::mark::{Mark, Place};
use super::{Cache, maybe_async, rt};

use std::sync::Arc;
use std::time::Duration;

use crate::engine::flight::Leader;
use crate::entry::{Lease, Version};
use crate::error::Result;
use crate::key::Key;

/// What gives the right to store a loaded value.
pub(super) enum Right<'a> {
    /// The key held nothing.
    Lease(Held<'a>),
    /// The key held this version; it may be replaced as long as that is there. The mark keeps other processes
    /// from loading too.
    Replace(Version, Mark),
    /// The key held something that no cache has written.
    Overwrite,
    /// The server gives no leases; what is loaded is not stored.
    Nothing,
    /// The server did not answer, so nobody can tell which state of the key the load is of. It is not stored either.
    Unanswered,
}

impl Right<'_> {
    /// What those who look at the key see while the load is under way; `None` where they see nothing.
    fn token(&self) -> Option<&Version> {
        match self {
            Right::Lease(Held::Server(tenure)) => tenure.as_ref()?.lease.token.as_ref(),
            Right::Replace(version, _) => Some(version),
            _ => None,
        }
    }

    /// Has the load stand for the state of the key that the right is for.
    pub(super) fn tell(&self, leader: &Leader) {
        match self {
            // Who comes later may have seen what others did to the key meanwhile.
            Right::Unanswered => leader.stand_alone(),
            right => leader.stand_for(right.token()),
        }
    }

    /// Whether the backend keeps no leases, so that only this process knows of a removal during the load.
    pub(super) fn is_nominal(&self) -> bool {
        matches!(self, Right::Lease(Held::Server(Some(tenure))) if tenure.lease.token.is_none())
    }

    /// What has to be renewed while a load lasts.
    pub(super) fn renewal(&self) -> Option<Renewal> {
        match self {
            Right::Lease(held) => held.tenure().map(Renewal::Lease),
            Right::Replace(_, mark) => mark.place().map(Renewal::Mark),
            _ => None,
        }
    }
}

/// What keeps other processes from loading while a load lasts.
pub(super) enum Renewal {
    Lease(Arc<Tenure>),
    Mark(Arc<Place>),
}

/// A lease in hand. A panic, an early return or a dropped task gives it back.
pub(super) enum Held<'a> {
    Memory { backend: &'a BackendHandle, key: Key<'a>, lease: Option<Lease> },
    Server(Option<Arc<Tenure>>),
}

/// A lease on a server, with all that it takes to renew it and to give it back from anywhere.
pub(super) struct Tenure {
    cache: Cache,
    /// The verb that took it.
    operation: &'static str,
    name: String,
    pub(super) lease: Lease,
}

impl<'a> Held<'a> {
    pub(super) fn new(call: &Call<'a>, key: Key<'a>, lease: Lease) -> Held<'a> {
        if call.backend().keeps_objects() {
            return Held::Memory { backend: call.backend(), key, lease: Some(lease) };
        }
        Held::Server(Some(Arc::new(Tenure {
            cache: call.cache(),
            operation: call.operation,
            name: key.name().to_owned(),
            lease,
        })))
    }

    pub(super) fn lease(&self) -> Option<&Lease> {
        match self {
            Held::Memory { lease, .. } => lease.as_ref(),
            Held::Server(tenure) => tenure.as_ref().map(|tenure| &tenure.lease),
        }
    }

    /// The lease is used up; nobody gives it back any more.
    pub(super) fn spend(&mut self) {
        match self {
            Held::Memory { lease, .. } => *lease = None,
            Held::Server(tenure) => *tenure = None,
        }
    }

    /// Leases in memory do not end.
    fn tenure(&self) -> Option<Arc<Tenure>> {
        match self {
            Held::Server(Some(tenure)) if tenure.lease.token.is_some() => Some(Arc::clone(tenure)),
            _ => None,
        }
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        match self {
            Held::Memory { backend, key, lease: Some(lease) } => backend.drop_lease(key, lease),
            Held::Server(tenure) => {
                if let Some(tenure) = tenure.take().filter(|tenure| tenure.lease.token.is_some()) {
                    Tenure::leave(tenure);
                }
            }
            Held::Memory { .. } => {}
        }
    }
}

#[maybe_async]
impl Renewal {
    /// Whether there is still something to renew.
    async fn renew(&self, hold: Duration) -> bool {
        match self {
            Renewal::Lease(tenure) => tenure.renew(hold).await,
            Renewal::Mark(place) => place.renew(hold).await,
        }
    }

    /// Whether any of them has something to renew.
    pub(super) async fn renew_all(renewals: &[Renewal], hold: Duration) -> bool {
        let mut any = false;
        for renewal in renewals {
            any |= renewal.renew(hold).await;
        }
        any
    }
}

#[maybe_async]
impl Tenure {
    /// Whether there is still something to renew. A server that does not answer may do so next time.
    async fn renew(&self, hold: Duration) -> bool {
        let call = self.cache.call_beside(self.operation).at_most(rt::patience(hold / 3));
        let Ok(key) = call.key(&self.name) else { return false };
        let renewed = call.backend().renew(&key, &self.lease, hold, call.deadline).await;
        call.heed(renewed).unwrap_or(true)
    }

    /// Gives the lease back beside the caller.
    fn leave(tenure: Arc<Tenure>) {
        rt::detach(move || async move { tenure.give_back().await });
    }

    /// Whoever waits need not wait for the lease to end by itself. That it does is all that follows from a failure, which
    /// is told to nobody: a batch that its server has left would tell of it once for each key.
    async fn give_back(&self) {
        let call = self.cache.call_beside(self.operation);
        if let Ok(key) = call.key(&self.name) {
            let _ = call.backend().abandon(&key, &self.lease, call.deadline).await;
        }
    }
}

impl Call<'_> {
    /// Lets a fault of the server pass, since the loaded value is at hand; what is wrong with the value is
    /// still an error, or it would never be cached and nobody would know.
    pub(super) fn forgive<R>(&self, stored: Result<R>) -> Result<()> {
        use crate::error::ErrorKind::{Encode, InvalidTtl, TooLarge};
        match stored {
            Err(error) if matches!(error.kind(), TooLarge | InvalidTtl | Encode) => Err(error),
            _ => Ok(()),
        }
    }
}
