//! `get_or_compute_many`: one loader call for exactly the keys that nobody has and nobody else is loading.

use super::call::Call;
use super::look::Judged;
use super::many::distinct;
use super::wait::Patience;
use super::{Cache, maybe_async, rt};

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::engine::flight::{Boarding, Flight, Landing, Leader};
use crate::engine::protect::Verdict;
use crate::entry::{Ask, Item, Lookup, Value, Version};
use crate::error::{BoxError, Result};
use crate::event::EventKind;
use crate::key::Key;
use crate::policy::Policy;
use crate::ttl::Ttl;

pub(super) const OPERATION: &str = "get_or_compute_many";

/// Keys to be had, each with the token that it was last seen under.
type Missing = Vec<(String, Option<Version>)>;

#[maybe_async]
impl Cache {
    /// The values by key; those that are missing come from one call of `load` with exactly the missing keys,
    /// and are stored for `ttl`. Keys that `load` does not return are absent from the answer.
    ///
    /// Keys that somebody else is loading, alone or in another batch, here or in another process, are waited for
    /// instead, under the cache's own policy. `load` is called again only for keys whose loader went away without a
    /// result, or took too long. Values past their time are loaded anew. One round trip per server for hits, three
    /// where values are missing.
    ///
    /// ```
    /// use lexigram_cache::{Cache, Ttl};
    /// use std::collections::HashMap;
    ///
    /// let cache = Cache::memory();
    /// cache.set("a", &1, Ttl::NEVER)?;
    /// let values = cache.get_or_compute_many(["a", "bb"], Ttl::NEVER, |missing: &[String]| {
    ///     assert_eq!(missing, ["bb"]);
    ///     Ok::<_, std::io::Error>(missing.iter().map(|key| (key.clone(), key.len())).collect())
    /// })?;
    /// assert_eq!(values, HashMap::from([("a".into(), 1), ("bb".into(), 2)]));
    /// # Ok::<(), lexigram_cache::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`get_or_compute`](Cache::get_or_compute); one failure fails the call, and values that were loaded
    /// before it are stored all the same.
    ///
    /// # Panics
    /// If `load` does.
    pub async fn get_or_compute_many<T: Value, E: Into<BoxError>>(
        &self,
        keys: impl IntoIterator<Item = impl AsRef<str>>,
        ttl: impl Into<Ttl>,
        mut load: impl rt::LoadMany(&[String]) -> Result<HashMap<String, T>, E>,
    ) -> Result<HashMap<String, T>> {
        let call = self.call(OPERATION)?;
        let ttl = call.input(ttl.into().resolve(self.inner.default_ttl))?;
        let policy = Policy { rules: self.inner.rules.clone(), ttl };
        let patience = Patience::new(&policy);
        let mut values = HashMap::new();
        let mut missing = self.look_many(&call, distinct(keys), &policy, &mut values).await?;
        if !policy.rules.enabled {
            let names = missing.into_iter().map(|(name, _)| name).collect();
            self.load_for_themselves(names, &policy, &mut load, &mut values).await?;
            return Ok(values);
        }
        let (mut alone, mut in_vain, mut outdated) = (Vec::new(), Vec::new(), HashSet::new());
        while !missing.is_empty() {
            let boarded = self.board_many(missing, &mut outdated)?;
            in_vain.extend(self.lead_many(boarded.lead, &policy, &patience, &mut load, &mut values).await?);
            let rest = self.follow_many(boarded.follow, &patience, &mut values).await?;
            in_vain.extend(rest.in_vain);
            alone.extend(rest.alone);
            let again = rest.again.into_iter().chain(boarded.again).collect();
            missing = self.look_many(&self.call(OPERATION)?, again, &policy, &mut values).await?;
            if patience.is_over() {
                // Whoever keeps writing the keys is not waited for without end.
                in_vain.extend(missing.drain(..).map(|(name, _)| name));
            }
        }
        if !in_vain.is_empty()
            && let Some(error) = policy.rules.waited_in_vain()
        {
            return call.input(Err(error));
        }
        alone.extend(in_vain);
        self.load_many_unstored(alone, &policy, &mut load, &mut values).await?;
        Ok(values)
    }

    /// Looks at all keys; one round trip per server. Returns those that are to be had.
    async fn look_many<T: Value>(
        &self,
        call: &Call<'_>,
        names: Vec<String>,
        policy: &Policy,
        values: &mut HashMap<String, T>,
    ) -> Result<Missing> {
        if names.is_empty() {
            return Ok(Missing::new());
        }
        let keys = names.iter().map(|name| call.key(name)).collect::<Result<Vec<_>>>()?;
        let ask = call.ask(policy);
        let seen = call.backend().lookup_many(&keys, ask, call.deadline).await;
        let (wanted, mut missing, mut unreadable) = (names.len(), Missing::new(), Vec::new());
        for ((name, key), seen) in names.iter().zip(&keys).zip(call.end(seen)?) {
            let shown = match seen {
                Lookup::Hit(found) => match call.judged::<T>(found, policy)? {
                    Judged::Value(kept) if kept.verdict <= Verdict::Early => {
                        values.insert(name.clone(), Arc::unwrap_or_clone(kept.value));
                        continue;
                    }
                    Judged::Value(kept) => Some(kept.version),
                    Judged::Unreadable(_) if ask == Ask::Value => {
                        unreadable.push((missing.len(), *key));
                        None
                    }
                    Judged::Unreadable(version) => Some(version),
                },
                Lookup::Busy(token) => Some(token),
                _ => None,
            };
            missing.push((name.clone(), shown));
        }
        let (positions, keys): (Vec<usize>, Vec<Key<'_>>) = unreadable.into_iter().unzip();
        if !keys.is_empty() {
            for (position, version) in positions.into_iter().zip(call.versions_now(&keys).await) {
                missing[position].1 = version;
            }
        }
        call.record(EventKind::Hit((wanted - missing.len()) as u64));
        call.record(EventKind::Miss(missing.len() as u64));
        Ok(missing)
    }

    /// Waits for the loads of others; returns the keys that are still to be had.
    async fn follow_many<T: Value>(
        &self,
        follow: Vec<(String, Arc<Flight>)>,
        patience: &Patience,
        values: &mut HashMap<String, T>,
    ) -> Result<Rest> {
        let call = self.call(OPERATION)?;
        let mut rest = Rest::default();
        for (name, flight) in follow {
            match call.input(rt::landed(&flight, patience.ends()).await)? {
                Some(Landing::Value(object)) => match call.unpack::<T>(&Item::Object(object))? {
                    Some(value) => {
                        call.record(EventKind::Joined);
                        values.insert(name, Arc::unwrap_or_clone(value));
                    }
                    None => rest.alone.push(name),
                },
                Some(Landing::Failed(error)) => return call.input(Err(error)),
                Some(Landing::Abandoned) => rest.again.push(name),
                None => {
                    call.give_up(&call.key(&name)?, &flight);
                    rest.in_vain.push(name);
                }
            }
        }
        Ok(rest)
    }
}

impl Cache {
    /// Sorts keys into those that are ours to load, those that others are loading, and those to look at again.
    fn board_many(&self, missing: Missing, outdated: &mut HashSet<String>) -> Result<Boarded> {
        let call = self.call(OPERATION)?;
        let mut boarded = Boarded::default();
        for (name, shown) in missing {
            let key = call.key(&name)?;
            self.refuse_recursion(&call, &key)?;
            match call.input(call.backend().board(&key, shown.as_ref()))? {
                Boarding::Lead(leader) => boarded.lead.push((name, leader)),
                Boarding::Follow(flight) => boarded.follow.push((name, flight)),
                Boarding::Outdated(flight) => {
                    if !outdated.insert(name.clone()) {
                        call.give_up(&key, &flight);
                    }
                    boarded.again.push(name);
                }
            }
        }
        Ok(boarded)
    }
}

#[derive(Default)]
struct Boarded {
    lead: Vec<(String, Leader)>,
    follow: Vec<(String, Arc<Flight>)>,
    again: Vec<String>,
}

/// What waiting for others left open.
#[derive(Default)]
struct Rest {
    /// The loader went away: look again.
    again: Vec<String>,
    /// It loaded another type: load without sharing and without storing.
    alone: Vec<String>,
    /// It took too long: the same, if the policy says so.
    in_vain: Vec<String>,
}
