//! `get_or_compute`, and what running a loader comes to.

use super::call::Call;
use super::lease::Right;
use super::{Cache, maybe_async, rt};

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::chance::up_to;
use crate::codec::is_none;
use crate::entry::{Condition, Item, Object, Value};
use crate::error::{BoxError, Error, ErrorKind, Result};
use crate::event::EventKind;
use crate::fetched::{Fetched, Loaded};
use crate::key::Key;
use crate::policy::Policy;
use crate::ttl::{Lifetime, Ttl};

#[maybe_async]
impl Cache {
    /// The value; if there is none, what `load` gives, stored for `ttl`.
    ///
    /// Of all callers that miss the same key, in this process and in others, threads and tasks alike, one loads and
    /// the others wait for it, at most `max_wait`; then they load for themselves and store nothing. The deadline
    /// bounds the calls to the backend, not the loader. A write or removal of the key during the load, by whomever,
    /// keeps the loaded value from being stored; those who already waited still get it, those who come later do not.
    ///
    /// A value that was loaded but could not be stored for a fault of the server is returned all the same;
    /// the fault goes to the observer and the counters. One round trip for a hit, three for a miss.
    ///
    /// This is [`fetch`](Cache::fetch) under the cache's own policy.
    ///
    /// ```
    /// use lexigram_cache::Cache;
    /// use std::time::Duration;
    ///
    /// let cache = Cache::memory();
    /// let lines = cache.get_or_compute("lines", Duration::from_secs(60), || {
    ///     std::fs::read_to_string("Cargo.toml").map(|text| text.lines().count())
    /// })?;
    /// assert!(lines > 0);
    /// # Ok::<(), lexigram_cache::Error>(())
    /// ```
    ///
    /// # Errors
    /// `Loader` if the loader failed: it and all who waited get the error, see [`Error::loader`]; it is not
    /// cached. `LoaderPanicked` for those who waited for a loader that panicked; the panic itself goes on in
    /// the caller that led. `RecursiveLoad` if a loader asks for the key it is loading. Else as
    /// [`get`](Cache::get) and [`set`](Cache::set).
    ///
    /// # Panics
    /// If `load` does.
    pub async fn get_or_compute<T: Value, E: Into<BoxError>>(
        &self,
        key: impl AsRef<str>,
        ttl: impl Into<Ttl>,
        load: impl rt::Load() -> Result<T, E>,
    ) -> Result<T> {
        let mut call = self.call("get_or_compute")?;
        let key = call.key(key.as_ref())?;
        let ttl = call.input(ttl.into().resolve(self.inner.default_ttl))?;
        let policy = Policy { rules: self.inner.rules.clone(), ttl };
        let sight = self.look(&call, &key, &policy).await?;
        let fetched = self.obtain(&mut call, key, &policy, sight, load).await?;
        Ok(Arc::unwrap_or_clone(fetched.value))
    }

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
        let (loaded, took) = self.run(call, &key, policy, &right, load).await;
        call.deadline = self.deadline();
        match loaded.map(Into::into) {
            Ok(loaded) if loaded.store && policy.rules.in_time(took) => {
                let ttl = call.ttl(&loaded, policy)?;
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

    /// Runs the loader, renewing its lease meanwhile, and tells how it went and how long it took.
    async fn run<R, E: Into<BoxError>>(
        &self,
        call: &Call<'_>,
        key: &Key<'_>,
        policy: &Policy,
        right: &Right<'_>,
        load: impl rt::Load() -> Result<R, E>,
    ) -> (Result<R>, Duration) {
        let (id, joined) = (call.backend().flights().id(), [key.joined()]);
        let (hold, limit) = (policy.rules.lock_ttl, policy.rules.hard_limit);
        let work = || async move {
            rt::limited(limit, || async move { rt::loading(id, &joined, load).await }).await
        };
        let start = Instant::now();
        let loaded = match right.renewal() {
            Some(renewal) => {
                let renew = move || {
                    let renewal = renewal.clone();
                    async move { renewal.renew(hold).await }
                };
                rt::while_renewing(hold / 3, renew, work).await
            }
            None => work().await,
        };
        let took = start.elapsed();
        let loaded =
            loaded.map_or_else(|| Err(Error::hard_limit()), |loaded| loaded.map_err(Error::from_loader));
        (call.ran(loaded, took), took)
    }

    /// Stores a loaded value by right. Faults of the server are told but do not cost the caller its value.
    pub(super) async fn fill<T: Value>(
        &self,
        call: &Call<'_>,
        key: &Key<'_>,
        right: Right<'_>,
        value: &Arc<T>,
        lifetime: Lifetime,
        took: Option<Duration>,
    ) -> Result<()> {
        let condition = match right {
            Right::Lease(mut held) => {
                let item = call.pack_loaded(value, took)?;
                let Some(lease) = held.lease() else { return Ok(()) };
                let filled = call.backend().fill(key, lease, item, lifetime, call.deadline).await;
                // A value that is refused before it is sent leaves its lease to be given back.
                call.forgive(call.end(filled))?;
                held.spend();
                return Ok(());
            }
            Right::Replace(version, _mark) => Condition::Unchanged(version),
            Right::Overwrite => Condition::Always,
            Right::Nothing => return Ok(()),
        };
        let item = call.pack_loaded(value, took)?;
        let filled = call.backend().store(key, item, lifetime, &condition, call.deadline).await;
        call.forgive(call.end(filled))
    }

    /// Gives back what was not used. Faults are told; the caller has the loader's error to deal with.
    pub(super) async fn give_back(&self, call: &Call<'_>, key: &Key<'_>, right: Right<'_>) {
        if let Right::Lease(mut held) = right
            && let Some(lease) = held.spend()
        {
            let abandoned = call.backend().abandon(key, &lease, call.deadline).await;
            let _ = call.end(abandoned);
        }
    }
}

impl Cache {
    /// # Errors
    /// `RecursiveLoad` if the load of this key is what is running here.
    pub(super) fn refuse_recursion(&self, call: &Call<'_>, joined: &str) -> Result<()> {
        if !rt::is_loading(call.backend().flights().id(), joined) {
            return Ok(());
        }
        let text = "a loader asked for the key it is loading; load it under another key, or not at all";
        call.input(Err(Error::new(ErrorKind::RecursiveLoad, text)))
    }
}

impl Call<'_> {
    /// Tells how a loader went.
    pub(super) fn ran<R>(&self, loaded: Result<R>, took: Duration) -> Result<R> {
        if loaded.is_ok() {
            self.inner.load_time.note(took);
        }
        self.record(EventKind::Loaded { took, ok: loaded.is_ok() });
        self.input(loaded)
    }

    /// How long a loaded value is fresh: as its loader says, else its policy.
    fn ttl<T: Value>(&self, loaded: &Loaded<T>, policy: &Policy) -> Result<Lifetime> {
        let negative = policy.rules.negative_ttl.filter(|_| is_none(&loaded.value));
        match loaded.ttl.or(negative) {
            Some(ttl) => self.input(ttl.resolve(self.inner.default_ttl)),
            None => Ok(policy.ttl),
        }
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
