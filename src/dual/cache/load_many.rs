//! `get_or_compute_many`: one loader call for exactly the keys that nobody has and nobody else is loading.

use super::call::Call;
use super::look::Judged;
use super::wait::Patience;
use super::{Cache, maybe_async, rt};

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::engine::flight::{Boarding, Flight, Landing, Leader};
use crate::engine::protect::Verdict;
use crate::entry::{Ask, Item, Lookup, Value, Version};
use crate::error::{BoxError, Result};
use crate::event::EventKind;
use crate::key::{Key, distinct};
use crate::policy::Policy;
use crate::ttl::Ttl;

pub(super) const OPERATION: &str = "get_or_compute_many";

/// Keys to be had, each with the token that it was last seen under.
type Missing = Vec<(String, Option<Version>)>;

/// Keys whose server has failed the call, which asks it no more.
pub(super) type Unseen = HashSet<String>;

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
        let ttl = call.input(ttl.into().resolve(self.inner.tuning.default_ttl()))?;
        let policy = Policy { rules: self.inner.tuning.rules(), ttl };
        let patience = Patience::new(&policy);
        let mut values = HashMap::new();
        let mut unseen = Unseen::new();
        let mut missing = self.look_many(&call, distinct(keys), &policy, &mut values, &mut unseen).await?;
        if !policy.rules.enabled {
            let names = missing.into_iter().map(|(name, _)| name).collect();
            self.load_for_themselves(names, &policy, &unseen, &mut load, &mut values).await?;
            return Ok(values);
        }
        let (mut alone, mut in_vain, mut outdated) = (Vec::new(), Vec::new(), HashSet::new());
        while !missing.is_empty() {
            let boarded = self.board_many(missing, &unseen, &mut outdated)?;
            let led = (boarded.lead, &unseen);
            in_vain.extend(self.lead_many(led, &policy, &patience, &mut load, &mut values).await?);
            let rest = self.follow_many(boarded.follow, &patience, &mut values).await?;
            in_vain.extend(rest.in_vain);
            alone.extend(rest.alone);
            let again = rest.again.into_iter().chain(boarded.again).collect();
            let call = self.call(OPERATION)?;
            missing = self.look_many(&call, again, &policy, &mut values, &mut unseen).await?;
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

    /// Looks at all keys that are not known to be out of sight; one round trip per server. Returns those that are to be
    /// had.
    async fn look_many<T: Value>(
        &self,
        call: &Call<'_>,
        names: Vec<String>,
        policy: &Policy,
        values: &mut HashMap<String, T>,
        unseen: &mut Unseen,
    ) -> Result<Missing> {
        let (out_of_sight, names): (Vec<_>, Vec<_>) =
            names.into_iter().partition(|name| unseen.contains(name));
        let mut missing: Missing = out_of_sight.into_iter().map(|name| (name, None)).collect();
        if names.is_empty() {
            return Ok(missing);
        }
        let keys = names.iter().map(|name| call.key(name)).collect::<Result<Vec<_>>>()?;
        let ask = call.ask(policy);
        let (known, mut hits, mut unreadable) = (missing.len(), 0, Vec::new());
        for ((name, key), seen) in names.iter().zip(&keys).zip(call.look_at_each(&keys, ask).await) {
            let shown = match seen?.seen() {
                Some(Lookup::Hit(found)) => match call.judged::<T>(found, policy)? {
                    Judged::Value(kept) if kept.verdict <= Verdict::Early => {
                        values.insert(name.clone(), Arc::unwrap_or_clone(kept.value));
                        hits += 1;
                        continue;
                    }
                    Judged::Value(kept) => Some(kept.version),
                    Judged::Unreadable(_) if ask == Ask::Value => {
                        unreadable.push((missing.len(), *key));
                        None
                    }
                    Judged::Unreadable(version) => Some(version),
                },
                Some(Lookup::Busy(token)) => Some(token),
                Some(_) => None,
                None => {
                    unseen.insert(name.clone());
                    None
                }
            };
            missing.push((name.clone(), shown));
        }
        let (positions, keys): (Vec<usize>, Vec<Key<'_>>) = unreadable.into_iter().unzip();
        if !keys.is_empty() {
            for (position, version) in positions.into_iter().zip(call.versions_now(&keys).await) {
                missing[position].1 = version;
            }
        }
        call.record(EventKind::Hit(hits));
        call.record(EventKind::Miss((missing.len() - known) as u64));
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
    fn board_many(
        &self,
        missing: Missing,
        unseen: &Unseen,
        outdated: &mut HashSet<String>,
    ) -> Result<Boarded> {
        let call = self.call(OPERATION)?;
        let mut boarded = Boarded::default();
        for (name, shown) in missing {
            let key = call.key(&name)?;
            self.refuse_recursion(&call, &key)?;
            match call.board(&key, shown.as_ref(), unseen.contains(&name))? {
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
