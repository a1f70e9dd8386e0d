//! Reloading a value that is served meanwhile: one caller of one process does it, and not again too soon after a
//! failure.

use super::call::Call;
use super::lease::Right;
use super::look::Kept;
use super::mark::Mark;
use super::{Cache, maybe_async, rt};

use std::sync::Arc;

use crate::deadline::Deadline;
use crate::engine::flight::{Boarding, Flight, Landing, Leader};
use crate::engine::protect::Verdict;
use crate::engine::throttle::Pause;
use crate::entry::{Item, Object, Value};
use crate::error::{BoxError, Result};
use crate::fetched::{Fetched, Loaded, Staleness};
use crate::key::Key;
use crate::policy::Policy;

/// Who reloads.
enum Election {
    Won(Leader, Mark),
    /// Somebody in this process does.
    Follow(Arc<Flight>),
    /// Nobody here, for this reason.
    Lost(Staleness),
}

#[maybe_async]
impl Cache {
    /// Reloads a value in the caller's own time, if the caller is the one to do it.
    pub(super) async fn reload<'a, T: Value, L: Into<Loaded<T>>, E: Into<BoxError>>(
        &'a self,
        call: &mut Call<'a>,
        key: Key<'a>,
        policy: &Policy,
        kept: Kept<T>,
        load: impl rt::Load() -> Result<L, E>,
    ) -> Result<Fetched<Arc<T>>> {
        match self.stand(call, &key, policy, &kept).await {
            Election::Won(leader, mark) => {
                self.load_over(call, key, policy, (leader, mark), kept, load).await
            }
            Election::Follow(flight) => self.wait_softly(call, policy, kept, flight).await,
            Election::Lost(why) => Ok(kept.serve(why)),
        }
    }

    /// Has a value reloaded beside the callers, if nobody else does it.
    pub(super) async fn reload_beside<
        'a,
        T: Value,
        L: Into<Loaded<T>> + 'static,
        E: Into<BoxError> + 'static,
    >(
        &'a self,
        call: &Call<'a>,
        key: Key<'a>,
        policy: &Policy,
        kept: Kept<T>,
        load: impl rt::LaterLoad<Result<L, E>>,
    ) -> Result<Fetched<Arc<T>>> {
        let (leader, mark) = match self.stand(call, &key, policy, &kept).await {
            Election::Won(leader, mark) => (leader, mark),
            Election::Follow(flight) => return self.wait_softly(call, policy, kept, flight).await,
            Election::Lost(why) => return Ok(kept.serve(why)),
        };
        let flight = leader.flight();
        let (cache, name, rules, base) = (self.clone(), key.name().to_owned(), policy.clone(), kept.again());
        let operation = call.operation;
        let job = move || async move {
            let mut call = cache.call_beside(operation);
            if let Ok(key) = call.key(&name) {
                let load = || async move { load.run().await };
                let _ = cache.load_over(&mut call, key, &rules, (leader, mark), base, load).await;
            }
        };
        if self.inner.background.start(job) {
            return self.wait_softly(call, policy, kept, flight).await;
        }
        Ok(kept.serve(Staleness::Refreshing))
    }

    /// Whether this caller is the one to reload: nobody else in this process, then nobody in any other.
    async fn stand<T>(&self, call: &Call<'_>, key: &Key<'_>, policy: &Policy, kept: &Kept<T>) -> Election {
        let throttle = call.backend().throttle();
        match throttle.pause(key.kept().as_str()) {
            Some(Pause::Failed) => return Election::Lost(Staleness::BackingOff),
            Some(Pause::Elsewhere) => return Election::Lost(Staleness::Refreshing),
            None => {}
        }
        let leader = match call.backend().board(key, Some(&kept.version)) {
            Ok(Boarding::Lead(leader)) => leader,
            Ok(Boarding::Follow(flight)) => return Election::Follow(flight),
            // It reloads another value than the one that is there: the next caller may reload this one.
            Ok(Boarding::Outdated(flight)) => {
                call.give_up(key, &flight);
                return Election::Lost(Staleness::Refreshing);
            }
            Err(_) => return Election::Lost(Staleness::Refreshing),
        };
        let Some(mark) = self.elect(call, key, policy).await else {
            throttle.hold(leader.key().as_str(), policy.rules.retry_interval, Pause::Elsewhere);
            return Election::Lost(Staleness::Refreshing);
        };
        leader.stand_for(Some(&kept.version));
        Election::Won(leader, mark)
    }

    /// Loads a value in the place of one that is still there, and falls back on that one.
    async fn load_over<'a, T: Value, L: Into<Loaded<T>>, E: Into<BoxError>>(
        &'a self,
        call: &mut Call<'a>,
        key: Key<'a>,
        policy: &Policy,
        (leader, mark): (Leader, Mark),
        kept: Kept<T>,
        load: impl rt::Load() -> Result<L, E>,
    ) -> Result<Fetched<Arc<T>>> {
        let right = Right::Replace(kept.version.clone(), mark.lend());
        match self.load_and_store(call, key, policy, right, load).await {
            Ok(value) => {
                leader.land(Landing::Value(Arc::clone(&value) as Arc<dyn Object>));
                Ok(Fetched::loaded(value))
            }
            Err(error) => {
                let backoff = policy.rules.backoff;
                call.backend().throttle().hold(leader.key().as_str(), backoff, Pause::Failed);
                leader.land(Landing::Failed(error.clone()));
                mark.keep(call, backoff).await;
                Ok(kept.serve(Staleness::LoadFailed(error)))
            }
        }
    }

    /// Waits for another's reload as long as the policy's soft limit says, if there is only a stale value to serve.
    async fn wait_softly<T: Value>(
        &self,
        call: &Call<'_>,
        policy: &Policy,
        kept: Kept<T>,
        flight: Arc<Flight>,
    ) -> Result<Fetched<Arc<T>>> {
        let Some(limit) = policy.rules.soft_limit.filter(|_| kept.verdict == Verdict::Stale) else {
            return Ok(kept.serve(Staleness::Refreshing));
        };
        match rt::landed(&flight, Deadline::after(limit).instant()).await.unwrap_or_default() {
            Some(Landing::Value(object)) => match call.unpack(&Item::Object(object))? {
                Some(value) => Ok(call.joined_value(value)),
                None => Ok(kept.serve(Staleness::Refreshing)),
            },
            Some(Landing::Failed(error)) => Ok(kept.serve(Staleness::LoadFailed(error))),
            Some(Landing::Abandoned) => Ok(kept.serve(Staleness::Refreshing)),
            None => Ok(kept.serve(Staleness::WaitTimedOut)),
        }
    }
}
