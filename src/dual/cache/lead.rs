//! Leading a load: take the right to store, or wait for the process that has it; load, store, land.

use super::call::Call;
use super::lease::{Held, Right};
use super::look::{Judged, Kept};
use super::mark::Mark;
use super::wait::Patience;
use super::{Cache, maybe_async, rt};

use std::sync::Arc;

use crate::engine::flight::{Landing, Leader};
use crate::engine::protect::Verdict;
use crate::entry::{Ask, Lease, Lookup, Object, Value, Version};
use crate::error::{BoxError, ErrorKind, Result};
use crate::event::EventKind;
use crate::fetched::{Fetched, Loaded, Origin};
use crate::key::Key;
use crate::policy::Policy;

/// What a second look came to.
pub(super) enum Claim<'a, T> {
    Found(Arc<T>),
    Granted(Right<'a>),
    /// Another process is loading, under this token.
    Busy(Version),
}

#[maybe_async]
impl Cache {
    #[expect(clippy::too_many_arguments, reason = "all that a load needs, handed on once")]
    pub(super) async fn lead<'a, T: Value, L: Into<Loaded<T>>, E: Into<BoxError>>(
        &'a self,
        call: &mut Call<'a>,
        key: Key<'a>,
        policy: &Policy,
        leader: Leader,
        spare: Option<Kept<T>>,
        patience: &Patience,
        load: impl rt::Load() -> Result<L, E>,
    ) -> Result<Fetched<Arc<T>>> {
        let mut waited = false;
        let right = loop {
            match self.claim::<T>(call, key, policy).await? {
                Claim::Granted(right) => break right,
                Claim::Found(value) if waited => {
                    // It came after everybody who follows began to wait, so it is theirs too.
                    leader.land(Landing::Value(Arc::clone(&value) as Arc<dyn Object>));
                    return Ok(call.joined_value(value));
                }
                // It may have been gone again by the time some of those who follow asked: they look for themselves.
                Claim::Found(value) => return Ok(call.joined_value(value)),
                // Whoever wants a load of its own does not wait for one that began before.
                Claim::Busy(token) if policy.rules.force && !patience.is_over() => {
                    let older = Lease { token: Some(token) };
                    let abandoned = call.backend().abandon(&key, &older, call.deadline).await;
                    call.absorb(abandoned)?;
                }
                Claim::Busy(token) => {
                    leader.stand_for(Some(&token));
                    waited = true;
                    if !patience.pause(&policy.rules).await {
                        let served = self.in_vain(call, key, policy, spare, load).await;
                        // What was loaded now is newer than anybody's look at the token they follow by.
                        if let Ok(Fetched { value, source: Origin::Loaded, .. }) = &served {
                            leader.land(Landing::Value(Arc::clone(value) as Arc<dyn Object>));
                        }
                        return served;
                    }
                    call.deadline = self.deadline();
                }
            }
        };
        right.tell(&leader);
        let is_nominal = right.is_nominal();
        let loaded = self.load_and_store(call, key, policy, right, load).await;
        if let Ok(value) = &loaded
            && is_nominal
            && leader.is_detached()
        {
            self.take_back(call, &key, value).await;
        }
        leader.land(match &loaded {
            Ok(value) => Landing::Value(Arc::clone(value) as Arc<dyn Object>),
            Err(error) => Landing::Failed(error.clone()),
        });
        loaded.map(Fetched::loaded)
    }

    /// Loads without sharing, for a cache that protects nothing; a write during the load still wins.
    pub(super) async fn load_for_itself<'a, T: Value, L: Into<Loaded<T>>, E: Into<BoxError>>(
        &'a self,
        call: &mut Call<'a>,
        key: Key<'a>,
        policy: &Policy,
        load: impl rt::Load() -> Result<L, E>,
    ) -> Result<Fetched<Arc<T>>> {
        let right = match self.claim::<T>(call, key, policy).await? {
            Claim::Granted(right) => right,
            Claim::Found(value) => return Ok(call.joined_value(value)),
            // Whoever has the lease stores.
            Claim::Busy(_) => Right::Nothing,
        };
        self.load_and_store(call, key, policy, right, load).await.map(Fetched::loaded)
    }

    /// A second look, now that nobody else in this process loads this key: somebody may just have.
    async fn claim<'a, T: Value>(
        &self,
        call: &Call<'a>,
        key: Key<'a>,
        policy: &Policy,
    ) -> Result<Claim<'a, T>> {
        if call.is_cut_off() {
            return Ok(Claim::Granted(Right::Unanswered));
        }
        let ask = Ask::Lease(policy.rules.lock_ttl);
        let seen = call.backend().lookup(&key, ask, call.deadline).await;
        let is_refused = seen.as_ref().is_err_and(|error| error.code().is_some());
        let found = match call.absorb(seen) {
            Ok(Some(Lookup::Hit(found))) => found,
            Ok(Some(seen)) => return Ok(call.claim_missing(key, seen)),
            Err(error) if error.kind() == ErrorKind::Decode => return Ok(Claim::Granted(Right::Overwrite)),
            // Nobody can tell the processes apart: each loads once by itself.
            Ok(None) | Err(_) if is_refused => return Ok(Claim::Granted(Right::Nothing)),
            Ok(None) | Err(_) => return Ok(Claim::Granted(Right::Unanswered)),
        };
        let version = match call.judged::<T>(found, policy)? {
            Judged::Value(kept) if kept.verdict <= Verdict::Early => return Ok(Claim::Found(kept.value)),
            Judged::Value(kept) => kept.version,
            Judged::Unreadable(version) => version,
        };
        // No value of this type, which the first look has counted, or one that the caller does not take.
        let mark = if policy.rules.force {
            Some(Mark::none())
        } else {
            self.elect_after_failure(call, &key, policy).await
        };
        Ok(match mark {
            Some(mark) => Claim::Granted(Right::Replace(version, mark)),
            None => Claim::Busy(version),
        })
    }
}

impl<'a> Call<'a> {
    /// What a look at a key without a value came to.
    pub(super) fn claim_missing<T, V>(&self, key: Key<'a>, seen: Lookup<V>) -> Claim<'a, T> {
        match seen {
            Lookup::Lease(lease) => Claim::Granted(Right::Lease(Held::new(self, key, lease))),
            Lookup::Busy(token) => Claim::Busy(token),
            _ => Claim::Granted(Right::Lease(Held::new(self, key, Lease { token: None }))),
        }
    }

    pub(super) fn joined_value<T>(&self, value: Arc<T>) -> Fetched<Arc<T>> {
        self.record(EventKind::Joined);
        Fetched::just(value, Origin::Joined)
    }
}
