//! Leading the loads of many keys: take what can be taken, load it in one call, then wait for other processes.

use super::call::Call;
use super::degrade::Answer;
use super::lead::Claim;
use super::lease::{Held, Right};
use super::load_many::{OPERATION, Unseen};
use super::look::Judged;
use super::mark::Mark;
use super::wait::Patience;
use super::{Cache, maybe_async, rt};

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use crate::engine::flight::{Landing, Leader};
use crate::engine::protect::Verdict;
use crate::entry::{Ask, Lease, Lookup, Object, Value};
use crate::error::{BoxError, Result};
use crate::event::EventKind;
use crate::key::{Key, KeyText};
use crate::policy::Policy;

/// A key that is ours to load and to store.
struct Granted<'a> {
    key: Key<'a>,
    /// `None` where the load is not shared.
    leader: Option<Leader>,
    right: Right<'a>,
}

#[maybe_async]
impl Cache {
    /// Leads the loads of these keys. What is ours lands before anybody else's is waited for, so two overlapping
    /// batches cannot wait for each other. Returns the keys that were waited for in vain.
    pub(super) async fn lead_many<T: Value, E: Into<BoxError>>(
        &self,
        (lead, unseen): (Vec<(String, Leader)>, &Unseen),
        policy: &Policy,
        patience: &Patience,
        load: &mut impl rt::LoadMany(&[String]) -> Result<HashMap<String, T>, E>,
        values: &mut HashMap<String, T>,
    ) -> Result<Vec<String>> {
        let (names, leaders): (Vec<_>, Vec<_>) = lead.into_iter().unzip();
        let mut call = self.call(OPERATION)?;
        let keys = names.iter().map(|name| call.key(name)).collect::<Result<Vec<_>>>()?;
        let mut waiting: Vec<(Key<'_>, Leader)> = keys.into_iter().zip(leaders).collect();
        let mut waited = false;
        while !waiting.is_empty() {
            let (mut granted, mut busy) = (Vec::new(), Vec::new());
            let keys: Vec<Key<'_>> = waiting.iter().map(|(key, _)| *key).collect();
            let claims = self.claim_many::<T>(&call, &keys, policy, unseen).await?;
            for ((key, leader), claim) in waiting.into_iter().zip(claims) {
                match claim {
                    Claim::Granted(right) => granted.push(Granted { key, leader: Some(leader), right }),
                    Claim::Busy(token) => {
                        leader.stand_for(Some(&token));
                        busy.push((key, leader));
                    }
                    Claim::Found(value) => {
                        call.record(EventKind::Joined);
                        // As with a single key: those who came before the first claim look for themselves.
                        if waited {
                            leader.land(Landing::Value(Arc::clone(&value) as Arc<dyn Object>));
                        }
                        values.insert(key.name().to_owned(), Arc::unwrap_or_clone(value));
                    }
                }
            }
            self.load_granted(&mut call, granted, policy, load, values).await?;
            waiting = busy;
            if !waiting.is_empty() && !patience.pause(&policy.rules).await {
                break;
            }
            waited = true;
            call.deadline = self.deadline();
        }
        Ok(waiting.into_iter().map(|(key, _)| key.name().to_owned()).collect())
    }

    /// Loads without sharing, for a cache that protects nothing; a write during the load still wins.
    pub(super) async fn load_for_themselves<T: Value, E: Into<BoxError>>(
        &self,
        names: Vec<String>,
        policy: &Policy,
        unseen: &Unseen,
        load: &mut impl rt::LoadMany(&[String]) -> Result<HashMap<String, T>, E>,
        values: &mut HashMap<String, T>,
    ) -> Result<()> {
        let mut call = self.call(OPERATION)?;
        let keys = self.keys_to_load(&call, &names)?;
        let mut granted = Vec::new();
        for (key, claim) in keys.iter().zip(self.claim_many::<T>(&call, &keys, policy, unseen).await?) {
            let right = match claim {
                Claim::Granted(right) => right,
                // Whoever has the lease stores.
                Claim::Busy(_) => Right::Nothing,
                Claim::Found(value) => {
                    values.insert(key.name().to_owned(), Arc::unwrap_or_clone(value));
                    continue;
                }
            };
            granted.push(Granted { key: *key, leader: None, right });
        }
        self.load_granted(&mut call, granted, policy, load, values).await
    }

    /// Loads for a caller whose values nobody else is to see.
    pub(super) async fn load_many_unstored<T: Value, E: Into<BoxError>>(
        &self,
        names: Vec<String>,
        policy: &Policy,
        load: &mut impl rt::LoadMany(&[String]) -> Result<HashMap<String, T>, E>,
        values: &mut HashMap<String, T>,
    ) -> Result<()> {
        let mut call = self.call(OPERATION)?;
        let unshared = |key| Granted { key, leader: None, right: Right::Nothing };
        let granted = self.keys_to_load(&call, &names)?.into_iter().map(unshared).collect();
        self.load_granted(&mut call, granted, policy, load, values).await
    }

    /// A second look at every key in sight; one round trip per server, or two where leases are taken.
    async fn claim_many<'a, T: Value>(
        &self,
        call: &Call<'a>,
        keys: &[Key<'a>],
        policy: &Policy,
        unseen: &Unseen,
    ) -> Result<Vec<Claim<'a, T>>> {
        let is_unseen = |key: &Key<'_>| unseen.contains(key.name());
        let asked: Vec<Key<'a>> = keys.iter().filter(|key| !is_unseen(key)).copied().collect();
        let seen = match asked.is_empty() {
            true => Vec::new(),
            false => call.look_at_each(&asked, Ask::Lease(policy.rules.lock_ttl)).await,
        };
        let mut seen = seen.into_iter();
        let seen = keys.iter().map(|key| match is_unseen(key) {
            true => Ok(Answer::Nothing),
            false => seen.next().unwrap_or(Ok(Answer::Nothing)),
        });
        let claim = |(key, seen): (&Key<'a>, Result<Answer>)| match seen {
            // As with a single key: without leases each process loads once by itself.
            Ok(Answer::Refused) => Ok(Claim::Granted(Right::Nothing)),
            Err(error) if error.code().is_some() => Ok(Claim::Granted(Right::Nothing)),
            Err(_) | Ok(Answer::Nothing) => Ok(Claim::Granted(Right::Unanswered)),
            Ok(Answer::Seen(Lookup::Hit(found))) => {
                let replace = |version| Claim::Granted(Right::Replace(version, Mark::none()));
                Ok(match call.judged::<T>(found, policy)? {
                    Judged::Value(kept) if kept.verdict <= Verdict::Early => Claim::Found(kept.value),
                    Judged::Value(kept) => replace(kept.version),
                    Judged::Unreadable(version) => replace(version),
                })
            }
            Ok(Answer::Seen(seen)) => Ok(call.claim_missing(*key, seen)),
        };
        // All of them, so that no lease is left behind by an error of another key.
        let claims: Vec<Result<Claim<'a, T>>> = keys.iter().zip(seen).map(claim).collect();
        claims.into_iter().collect()
    }

    /// Loads what is ours with one loader call, stores it, and tells those who wait.
    async fn load_granted<T: Value, E: Into<BoxError>>(
        &self,
        call: &mut Call<'_>,
        granted: Vec<Granted<'_>>,
        policy: &Policy,
        load: &mut impl rt::LoadMany(&[String]) -> Result<HashMap<String, T>, E>,
        values: &mut HashMap<String, T>,
    ) -> Result<()> {
        if granted.is_empty() {
            return Ok(());
        }
        for Granted { leader, right, .. } in &granted {
            if let Some(leader) = leader {
                right.tell(leader);
            }
        }
        let names: Vec<String> = granted.iter().map(|granted| granted.key.name().to_owned()).collect();
        let joined: Vec<KeyText> = granted.iter().map(|granted| granted.key.kept()).collect();
        let renewals = granted.iter().filter_map(|granted| granted.right.renewal()).collect();
        let load = || async move { load(&names).await };
        let (loaded, took) = self.run(call, &joined, renewals, &policy.rules, load).await;
        call.deadline = self.deadline();
        let (mut filling, mut unused, mut landing) = (Vec::new(), Vec::new(), Vec::new());
        let failure = loaded.as_ref().err().cloned();
        let mut loaded = loaded.unwrap_or_default();
        for Granted { key, leader, right } in granted {
            match (loaded.remove(key.name()).map(Arc::new), &failure) {
                (Some(value), _) => {
                    let is_nominal = right.is_nominal();
                    match policy.rules.in_time(took) {
                        true => filling.push((key, right, Arc::clone(&value))),
                        false => unused.push((key, right)),
                    }
                    landing.push((key, leader, value, is_nominal));
                }
                // Those who wait need not wait for the rights to be given back.
                (None, Some(error)) => {
                    if let Some(leader) = leader {
                        leader.land(Landing::Failed(error.clone()));
                    }
                    unused.push((key, right));
                }
                // Absent from the answer: the leader's drop tells those who wait.
                (None, None) => unused.push((key, right)),
            }
        }
        self.give_back_many(call, unused).await;
        let stored = self.fill_many(call, filling, policy, took).await;
        for (key, leader, value, is_nominal) in landing {
            if let Some(leader) = leader {
                if is_nominal && leader.is_detached() {
                    self.take_back(call, &key, &value).await;
                }
                leader.land(Landing::Value(Arc::clone(&value) as Arc<dyn Object>));
            }
            values.insert(key.name().to_owned(), Arc::unwrap_or_clone(value));
        }
        failure.map_or(stored, Err)
    }

    /// Stores what was loaded, each value by its right; one round trip per server for all that were missing.
    async fn fill_many<T: Value>(
        &self,
        call: &mut Call<'_>,
        filling: Vec<(Key<'_>, Right<'_>, Arc<T>)>,
        policy: &Policy,
        took: Option<Duration>,
    ) -> Result<()> {
        let (mut outcome, whole) = (Ok(()), call.deadline);
        for (part, deadline) in call.shares(filling, |(key, ..)| *key) {
            call.turn_to(deadline);
            let filled = self.fill_part(call, part, policy, took).await;
            outcome = outcome.and(filled);
        }
        call.turn_to(whole);
        outcome
    }

    async fn fill_part<T: Value>(
        &self,
        call: &Call<'_>,
        filling: Vec<(Key<'_>, Right<'_>, Arc<T>)>,
        policy: &Policy,
        took: Option<Duration>,
    ) -> Result<()> {
        let took = policy.rules.told(took);
        let (mut items, mut spent, mut result) = (Vec::new(), Vec::new(), Ok(()));
        for (key, right, value) in filling {
            let lifetime = call.stay(policy.ttl_of(&*value), policy);
            match right {
                Right::Lease(held) => match (call.pack_loaded(&value, took), held.lease().cloned()) {
                    (Ok(item), Some(lease)) => {
                        items.push((key, lease, item, lifetime));
                        spent.push(held);
                    }
                    (Ok(_), None) => {}
                    // Its lease is given back, and the others are stored all the same.
                    (Err(error), _) => result = Err(error),
                },
                right => {
                    let filled = self.fill(call, &key, right, &value, lifetime, took).await;
                    result = result.and(filled);
                }
            }
        }
        if items.is_empty() || call.is_cut_off() {
            return result;
        }
        let filled = call.backend().fill_many(items, call.deadline).await;
        if filled.is_ok() {
            spent.iter_mut().for_each(Held::spend);
        }
        result.and(call.forgive(call.absorb(filled)))
    }

    /// Gives back what was not used; one round trip per server.
    async fn give_back_many(&self, call: &Call<'_>, unused: Vec<(Key<'_>, Right<'_>)>) {
        let lease = |(key, right)| match right {
            Right::Lease(held) => held.lease().cloned().map(|lease| ((key, lease), held)),
            _ => None,
        };
        let held: Vec<((Key<'_>, Lease), Held<'_>)> = unused.into_iter().filter_map(lease).collect();
        if held.is_empty() {
            return;
        }
        for (part, deadline) in call.shares(held, |((key, _), _)| *key) {
            let (leases, mut spent): (Vec<_>, Vec<_>) = part.into_iter().unzip();
            let abandoned = call.backend().abandon_many(&leases, deadline).await;
            if let Ok(Some(())) = call.absorb(abandoned) {
                spent.iter_mut().for_each(Held::spend);
            }
        }
    }
}

impl Cache {
    fn keys_to_load<'a>(&'a self, call: &Call<'a>, names: &'a [String]) -> Result<Vec<Key<'a>>> {
        let keys = names.iter().map(|name| call.key(name)).collect::<Result<Vec<_>>>()?;
        keys.iter().try_for_each(|key| self.refuse_recursion(call, key))?;
        Ok(keys)
    }
}
