//! `get_or_compute_many`: one loader call for exactly the keys that nobody has and nobody else is loading.

use super::call::Call;
use super::lease::{Claim, Held, Right};
use super::load::WaitUntil;
use super::many::distinct;
use super::{Cache, maybe_async, rt};

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::engine::flight::{Boarding, Flight, Landing, Leader};
use crate::entry::{Condition, Item, Lease, Object, Value};
use crate::error::{BoxError, Result};
use crate::event::EventKind;
use crate::key::Key;
use crate::ttl::{Lifetime, Ttl};

#[maybe_async]
impl Cache {
    /// The values by key; those that are missing come from one call of `load` with exactly the missing keys,
    /// and are stored for `ttl`. Keys that `load` does not return are absent from the answer.
    ///
    /// Keys that somebody else is loading, alone or in another batch, are waited for instead. `load` is called
    /// again only for keys whose loader went away without a result. One round trip per server for hits.
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
        let wanted = distinct(keys);
        let lifetime = self.call(OPERATION)?.lifetime(ttl)?;
        let wait_until = WaitUntil::new(self);
        let mut values = self.read_many::<T>(OPERATION, &wanted).await?;
        let mut missing: Vec<_> = wanted.into_iter().filter(|name| !values.contains_key(name)).collect();
        if !self.inner.protection.enabled {
            return self.load_alone(missing, Some(lifetime), &mut load, values).await;
        }
        let mut alone = Vec::new();
        while !missing.is_empty() {
            let boarded = self.board_many(missing)?;
            self.lead_many(boarded.lead, lifetime, &mut load, &mut values).await?;
            let rest = self.follow_many(boarded.follow, &wait_until, &mut values).await?;
            alone.extend(rest.alone);
            missing = rest.again;
        }
        self.load_alone(alone, None, &mut load, values).await
    }

    /// Loads without sharing, and stores only where a lifetime is given.
    async fn load_alone<T: Value, E: Into<BoxError>>(
        &self,
        names: Vec<String>,
        lifetime: Option<Lifetime>,
        load: &mut impl rt::LoadMany(&[String]) -> Result<HashMap<String, T>, E>,
        mut values: HashMap<String, T>,
    ) -> Result<HashMap<String, T>> {
        if names.is_empty() {
            return Ok(values);
        }
        let mut call = self.call(OPERATION)?;
        let keys = names.iter().map(|name| call.key(name)).collect::<Result<Vec<_>>>()?;
        let joined: Vec<String> = keys.iter().map(Key::joined).collect();
        for key in &joined {
            self.refuse_recursion(&call, key)?;
        }
        let wanted = names.clone();
        let mut loaded = self.run(&call, &joined, || async move { load(&wanted).await }).await?;
        let asked: HashSet<&String> = names.iter().collect();
        loaded.retain(|name, _| asked.contains(name));
        if let Some(lifetime) = lifetime {
            call.deadline = self.deadline();
            let items = call.pack_all(&loaded)?;
            let stored = call.backend().store_many(items, lifetime, &Condition::Always, call.deadline).await;
            call.forgive(call.end(stored))?;
        }
        values.extend(loaded);
        Ok(values)
    }

    /// Leads the loads of these keys with one loader call. They land before anybody else's are waited for, so
    /// two overlapping batches cannot wait for each other.
    async fn lead_many<T: Value, E: Into<BoxError>>(
        &self,
        lead: Vec<(String, Leader)>,
        lifetime: Lifetime,
        load: &mut impl rt::LoadMany(&[String]) -> Result<HashMap<String, T>, E>,
        values: &mut HashMap<String, T>,
    ) -> Result<()> {
        if lead.is_empty() {
            return Ok(());
        }
        let mut call = self.call(OPERATION)?;
        let (names, leaders): (Vec<_>, Vec<_>) = lead.into_iter().unzip();
        let keys = names.iter().map(|name| call.key(name)).collect::<Result<Vec<_>>>()?;
        let mut granted = Vec::new();
        for ((claim, leader), key) in self.claim_many(&call, &keys).await?.into_iter().zip(leaders).zip(&keys)
        {
            match claim {
                Claim::Granted(right) => granted.push((*key, leader, right)),
                Claim::Found(value) => land(leader, key, value, values),
            }
        }
        if granted.is_empty() {
            return Ok(());
        }
        let missing: Vec<String> = granted.iter().map(|(key, ..)| key.name().to_owned()).collect();
        let joined: Vec<String> = granted.iter().map(|(_, leader, _)| leader.key().clone()).collect();
        let loaded = self.run(&call, &joined, || async move { load(&missing).await }).await;
        call.deadline = self.deadline();
        let mut loaded = match loaded {
            Ok(loaded) => loaded,
            Err(error) => {
                // Those who wait need not wait for the rights to be given back.
                let land = |(key, leader, right): (_, Leader, _)| {
                    leader.land(Landing::Failed(error.clone()));
                    (key, right)
                };
                let rights: Vec<(Key<'_>, Right<'_>)> = granted.into_iter().map(land).collect();
                for (key, right) in rights {
                    self.give_back(&call, &key, right).await;
                }
                return Err(error);
            }
        };
        let (mut landing, mut filling) = (Vec::new(), Vec::new());
        for (key, leader, right) in granted {
            match loaded.remove(key.name()).map(Arc::new) {
                Some(value) => {
                    filling.push((key, right, Arc::clone(&value)));
                    landing.push((key, leader, value));
                }
                // Absent from the answer: the leader's drop tells those who wait.
                None => self.give_back(&call, &key, right).await,
            }
        }
        let stored = self.fill_many(&call, filling, lifetime).await;
        landing.into_iter().for_each(|(key, leader, value)| land(leader, &key, value, values));
        stored
    }

    /// A second look at every key; one round trip per server where bytes are held.
    async fn claim_many<'a, T: Value>(&self, call: &Call<'a>, keys: &[Key<'a>]) -> Result<Vec<Claim<'a, T>>> {
        let mut claims = Vec::with_capacity(keys.len());
        if call.backend().keeps_objects() {
            for key in keys {
                claims.push(self.claim(call, *key).await?);
            }
            return Ok(claims);
        }
        let found = call.backend().get_many(keys, call.deadline).await;
        for (key, found) in keys.iter().zip(call.end(found)?) {
            claims.push(match found {
                Some(found) => call.claim_found(found)?,
                None => Claim::Granted(Right::Lease(Held::new(call, *key, Lease { token: None }))),
            });
        }
        Ok(claims)
    }

    /// Stores what was loaded, each value by its right; one round trip per server for all that were missing,
    /// where bytes are held.
    async fn fill_many<T: Value>(
        &self,
        call: &Call<'_>,
        filling: Vec<(Key<'_>, Right<'_>, Arc<T>)>,
        lifetime: Lifetime,
    ) -> Result<()> {
        let mut missing = Vec::new();
        for (key, right, value) in filling {
            match right {
                Right::Lease(held) if held.is_nominal() => missing.push((key, call.pack_shared(&value)?)),
                right => self.fill(call, &key, right, &value, lifetime).await?,
            }
        }
        if missing.is_empty() {
            return Ok(());
        }
        let stored = call.backend().store_many(missing, lifetime, &Condition::Absent, call.deadline).await;
        call.forgive(call.end(stored))
    }

    /// Waits for the loads of others; returns the keys that are still to be had.
    async fn follow_many<T: Value>(
        &self,
        follow: Vec<(String, Arc<Flight>)>,
        wait_until: &WaitUntil,
        values: &mut HashMap<String, T>,
    ) -> Result<Follow> {
        let call = self.call(OPERATION)?;
        let mut rest = Follow::default();
        for (name, flight) in follow {
            match rt::landed(&flight, wait_until.instant()).await {
                Some(Landing::Value(object)) => match call.unpack::<T>(Item::Object(object))? {
                    Some(value) => {
                        call.record(EventKind::Joined);
                        values.insert(name, Arc::unwrap_or_clone(value));
                    }
                    None => rest.alone.push(name),
                },
                Some(Landing::Failed(error)) => return call.input(Err(error)),
                Some(Landing::Abandoned) => rest.again.push(name),
                None => {
                    let key = call.key(&name)?;
                    call.backend().flights().give_up(&key.joined(), &flight);
                    rest.alone.push(name);
                }
            }
        }
        Ok(rest)
    }
}

impl Cache {
    /// Sorts keys into those that are ours to load and those that others are loading.
    fn board_many(&self, names: Vec<String>) -> Result<Boarded> {
        let call = self.call(OPERATION)?;
        let mut boarded = Boarded::default();
        for name in names {
            let joined = call.key(&name)?.joined();
            self.refuse_recursion(&call, &joined)?;
            match call.backend().flights().board(joined) {
                Boarding::Lead(leader) => boarded.lead.push((name, leader)),
                Boarding::Follow(flight) => boarded.follow.push((name, flight)),
            }
        }
        Ok(boarded)
    }
}

#[derive(Default)]
struct Boarded {
    lead: Vec<(String, Leader)>,
    follow: Vec<(String, Arc<Flight>)>,
}

/// What waiting for others left open.
#[derive(Default)]
struct Follow {
    /// The loader went away: begin anew.
    again: Vec<String>,
    /// It took too long, or loaded another type: load without sharing and without storing.
    alone: Vec<String>,
}

fn land<T: Value>(leader: Leader, key: &Key<'_>, value: Arc<T>, values: &mut HashMap<String, T>) {
    leader.land(Landing::Value(Arc::clone(&value) as Arc<dyn Object>));
    values.insert(key.name().to_owned(), Arc::unwrap_or_clone(value));
}

const OPERATION: &str = "get_or_compute_many";
