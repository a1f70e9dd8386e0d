//! What running a loader comes to: what is stored, by what right, and what is told.

use super::call::Call;
use super::lease::{Renewal, Right};
use super::mark::Mark;
use super::{Cache, maybe_async, rt};

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::chance::up_to;
use crate::deadline::Deadline;
use crate::entry::{Condition, Found, Item, Object, Value};
use crate::error::{BoxError, Error, ErrorKind, Result};
use crate::event::EventKind;
use crate::fetched::{Fetched, Loaded};
use crate::key::{Key, KeyText};
use crate::now::now;
use crate::policy::{Policy, Rules};
use crate::ttl::Lifetime;

#[maybe_async]
impl Cache {
    /// Loads for a caller whose value nobody else is to see.
    pub(super) async fn load_unstored<'a, T: Value, L: Into<Loaded<T>>, E: Into<BoxError>>(
        &'a self,
        call: &mut Call<'a>,
        key: Key<'a>,
        policy: &Policy,
        load: impl rt::Load() -> Result<L, E>,
    ) -> Result<Fetched<Arc<T>>> {
        self.load_and_store(call, key, policy, Right::Nothing, load).await.map(Fetched::loaded)
    }

    /// Loads, and stores by right; gives the right back if there is nothing to store.
    pub(super) async fn load_and_store<'a, T: Value, L: Into<Loaded<T>>, E: Into<BoxError>>(
        &'a self,
        call: &mut Call<'a>,
        key: Key<'a>,
        policy: &Policy,
        right: Right<'a>,
        load: impl rt::Load() -> Result<L, E>,
    ) -> Result<Arc<T>> {
        let renewals = right.renewal().into_iter().collect();
        let (loaded, took) = self.run(call, &[key.kept()], renewals, &policy.rules, load).await;
        call.deadline = self.deadline();
        match loaded.map(Into::into) {
            Ok(loaded) if loaded.store && policy.rules.in_time(took) => {
                let ttl = match loaded.ttl {
                    Some(ttl) => call.input(ttl.resolve(self.inner.tuning.default_ttl()))?,
                    None => policy.ttl_of(&loaded.value),
                };
                let lifetime = call.stay(ttl, policy);
                let value = Arc::new(loaded.value);
                self.fill(call, &key, right, &value, lifetime, policy.rules.told(took)).await?;
                Ok(value)
            }
            Ok(loaded) => {
                self.give_back(call, &key, right).await;
                Ok(Arc::new(loaded.value))
            }
            Err(error) => {
                self.give_back(call, &key, right).await;
                Err(error)
            }
        }
    }

    /// Runs a loader of these keys, renewing meanwhile what keeps others from loading them, and tells how it went and
    /// how long it took.
    pub(super) async fn run<R, E: Into<BoxError>>(
        &self,
        call: &Call<'_>,
        keys: &[KeyText],
        renewals: Vec<Renewal>,
        rules: &Rules,
        load: impl rt::Load() -> Result<R, E>,
    ) -> (Result<R>, Option<Duration>) {
        if renewals.is_empty() {
            return self.run_bare(call, keys, rules, load).await;
        }
        let renewals: Arc<[Renewal]> = renewals.into();
        let (hold, limit) = (rules.lock_ttl, rules.hard_limit);
        let ends = limit.map(|limit| Deadline::after(limit).instant());
        let renew = move || {
            let renewals = Arc::clone(&renewals);
            // What comes after the limit is not stored, so others need not be kept from loading.
            async move { ends.is_none_or(|ends| now() < ends) && Renewal::renew_all(&renewals, hold).await }
        };
        let start = call.loading(keys, rules);
        let loaded = rt::while_renewing(hold / 3, renew, || call.limited(keys, limit, load)).await;
        call.ran(loaded, start)
    }

    /// [`run`](Cache::run), where nothing has to be renewed.
    #[inline(always)]
    pub(super) async fn run_bare<R, E: Into<BoxError>>(
        &self,
        call: &Call<'_>,
        keys: &[KeyText],
        rules: &Rules,
        load: impl rt::Load() -> Result<R, E>,
    ) -> (Result<R>, Option<Duration>) {
        let start = call.loading(keys, rules);
        let loaded = call.limited(keys, rules.hard_limit, load).await;
        call.ran(loaded, start)
    }

    /// Stores a loaded value by right, unless the server has failed this call before. Faults of the server are told but
    /// do not cost the caller its value.
    pub(super) async fn fill<T: Value>(
        &self,
        call: &Call<'_>,
        key: &Key<'_>,
        right: Right<'_>,
        value: &Arc<T>,
        lifetime: Lifetime,
        took: Option<Duration>,
    ) -> Result<()> {
        if call.is_cut_off() {
            return Ok(());
        }
        let (condition, _mark) = match right {
            Right::Lease(mut held) => {
                let item = call.pack_loaded(value, took)?;
                let Some(lease) = held.lease().cloned() else { return Ok(()) };
                let filled = call.backend().fill(key, &lease, item, lifetime, call.deadline).await;
                // Until the backend has answered, the lease may still be there to be given back.
                if filled.is_ok() {
                    held.spend();
                }
                return call.forgive(call.absorb(filled));
            }
            // The mark keeps other processes off until the value is stored.
            Right::Replace(version, mark) => (Condition::Unchanged(version), mark),
            Right::Overwrite => (Condition::Always, Mark::none()),
            Right::Nothing | Right::Unanswered => return Ok(()),
        };
        let item = call.pack_loaded(value, took)?;
        let filled = call.backend().store(key, item, lifetime, &condition, call.deadline).await;
        call.forgive(call.absorb(filled))
    }

    /// Removes what was just stored without a lease, since the key was written or removed while it was loaded.
    pub(super) async fn take_back<T: Value>(&self, call: &Call<'_>, key: &Key<'_>, value: &Arc<T>) {
        let found = call.backend().get(key, call.deadline).await;
        if let Ok(Some(found)) = call.absorb_to_nothing(found)
            && call.is_stored(value, &found)
            && let Ok(version) = found.into_version()
        {
            let _ = call.absorb(call.backend().remove(key, Some(&version), call.deadline).await);
        }
    }

    /// Gives back what was not used. Faults are told; the caller has the loader's error to deal with.
    pub(super) async fn give_back(&self, call: &Call<'_>, key: &Key<'_>, right: Right<'_>) {
        if let Right::Lease(mut held) = right
            && let Some(lease) = held.lease().cloned()
        {
            let abandoned = call.backend().abandon(key, &lease, call.deadline).await;
            if let Ok(Some(())) = call.absorb(abandoned) {
                held.spend();
            }
        }
    }
}

impl Cache {
    /// # Errors
    /// `RecursiveLoad` if the load of this key is what is running here.
    pub(super) fn refuse_recursion(&self, call: &Call<'_>, key: &Key<'_>) -> Result<()> {
        if !rt::is_loading(call.backend().loads_id(), key) {
            return Ok(());
        }
        let text = "a loader asked for the key it is loading; load it under another key, or not at all";
        call.input(Err(Error::new(ErrorKind::RecursiveLoad, text)))
    }
}

#[maybe_async]
impl Call<'_> {
    #[inline]
    async fn limited<R, E>(
        &self,
        keys: &[KeyText],
        limit: Option<Duration>,
        load: impl rt::Load() -> Result<R, E>,
    ) -> Result<Result<R, E>> {
        let id = self.backend().loads_id();
        rt::limited(limit, || async move { rt::loading(id, keys, load).await }).await
    }
}

impl Call<'_> {
    /// Tells that loaders of these keys begin; when, if anybody wants to know how long they take.
    #[inline]
    fn loading(&self, keys: &[KeyText], rules: &Rules) -> Option<Instant> {
        self.backend().loading(keys);
        self.is_timed(rules).then(now)
    }

    /// Tells how a loader went, and how long it took.
    #[inline(always)]
    fn ran<R, E: Into<BoxError>>(
        &self,
        loaded: Result<Result<R, E>>,
        start: Option<Instant>,
    ) -> (Result<R>, Option<Duration>) {
        let took = start.map(|start| now().saturating_duration_since(start));
        let loaded = match loaded {
            Ok(Ok(loaded)) => Ok(loaded),
            Ok(Err(error)) => Err(self.place(Error::from_loader(error))),
            Err(error) if error.is_timeout() => Err(self.place(Error::hard_limit())),
            Err(error) => Err(self.place(error)),
        };
        if let (Ok(_), Some(took)) = (&loaded, took) {
            self.inner.load_time.note(took);
        }
        let told = EventKind::Loaded { took: took.unwrap_or_default(), ok: loaded.is_ok() };
        self.inner.journal.record(self.operation, told);
        (loaded, took)
    }

    /// Whether this is the value that was stored, by its bytes, be the load time with them or not.
    fn is_stored<T: Value>(&self, value: &Arc<T>, found: &Found) -> bool {
        let bytes = |value: &Arc<T>| self.pack_loaded(value, None).and_then(Item::bytes);
        match found.item.open::<T>(&self.inner.codec).and_then(|held| bytes(&held)) {
            Ok(held) => bytes(value).is_ok_and(|stored| stored == held),
            Err(_) => false,
        }
    }

    /// Whether anybody wants to know how long a load takes: two readings of the clock are a good part of a miss in
    /// memory.
    fn is_timed(&self, rules: &Rules) -> bool {
        rules.need_load_time() || self.inner.journal.is_heard()
    }

    /// How long a loaded value stays: while it is fresh, some jitter, and the time it is kept after that.
    pub(super) fn stay(&self, ttl: Lifetime, policy: &Policy) -> Lifetime {
        ttl.plus(up_to(policy.rules.jitter)).plus(self.inner.prefix.stale_for())
    }

    /// A loaded value as the backend keeps it; memory shares it with the caller.
    pub(super) fn pack_loaded<T: Value>(&self, value: &Arc<T>, took: Option<Duration>) -> Result<Item> {
        match self.backend().keeps_objects() {
            true => Ok(Item::Object(Arc::clone(value) as Arc<dyn Object>)),
            false => self.input(self.inner.codec.encode_loaded::<T, T>(value, took).map(Item::Bytes)),
        }
    }
}
