//! `get_or_compute` and `get_or_compute_arc`: the shortest way from a miss in memory to a stored value, and the door to
//! all others.

use super::at_hand::Taken;
use super::call::Call;
use super::{Cache, maybe_async, rt};

use std::any::Any;
use std::sync::Arc;

use crate::engine::memory::{Lone, Missing, Sought, viewing};
use crate::entry::{Object, Value};
use crate::error::{BoxError, Result};
use crate::event::EventKind;
use crate::key::Key;
use crate::policy::Policy;
use crate::ttl::{Lifetime, Ttl};

const COMPUTE: &str = "get_or_compute";

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
    /// `Loader` if the loader failed: it and all who waited get the error, see [`loader`](crate::Error::loader); it is not
    /// cached. `LoaderPanicked` for those who waited for a loader that panicked; the panic itself goes on in
    /// the caller that led. `RecursiveLoad` if a loader asks for the key it is loading. Else as
    /// [`get`](Cache::get) and [`set`](Cache::set).
    ///
    /// # Panics
    /// If `load` does.
    #[inline(always)]
    pub async fn get_or_compute<T: Value, E: Into<BoxError>>(
        &self,
        key: impl AsRef<str>,
        ttl: impl Into<Ttl>,
        load: impl rt::Load() -> Result<T, E>,
    ) -> Result<T> {
        let (key, ttl) = (key.as_ref(), ttl.into());
        let missing = match self.seek(key, |object| viewing(|| Taken::of(object))) {
            Some(Sought::Here(taken)) => match taken.open() {
                Some(value) if ttl.is_sound() => return Ok(self.hit(COMPUTE, value)),
                _ => None,
            },
            Some(Sought::Missing(missing)) => Some(missing),
            None => None,
        };
        self.compute::<Own, T, E>(key, ttl, missing, load).await
    }

    /// [`get_or_compute`](Cache::get_or_compute) without a clone: on memory what comes out is the very value that is
    /// stored.
    ///
    /// # Errors
    /// As [`get_or_compute`](Cache::get_or_compute).
    ///
    /// # Panics
    /// If `load` does.
    #[inline(always)]
    pub async fn get_or_compute_arc<T: Value, E: Into<BoxError>>(
        &self,
        key: impl AsRef<str>,
        ttl: impl Into<Ttl>,
        load: impl rt::Load() -> Result<T, E>,
    ) -> Result<Arc<T>> {
        let (key, ttl) = (key.as_ref(), ttl.into());
        let missing = match self.seek(key, Arc::clone) {
            Some(Sought::Here(object)) => match (object as Arc<dyn Any + Send + Sync>).downcast() {
                Ok(value) if ttl.is_sound() => return Ok(self.hit(COMPUTE, value)),
                _ => None,
            },
            Some(Sought::Missing(missing)) => Some(missing),
            None => None,
        };
        self.compute::<Shared, T, E>(key, ttl, missing, load).await
    }

    /// What is not at hand.
    #[inline(never)]
    async fn compute<O: Outlet<T>, T: Value, E: Into<BoxError>>(
        &self,
        key: &str,
        ttl: Ttl,
        missing: Option<Missing<'_>>,
        load: impl rt::Load() -> Result<T, E>,
    ) -> Result<O::Out> {
        let mut call = self.call_beside(COMPUTE);
        call.refuse_closed()?;
        let (key, ttl) = (call.key(key)?, call.input(ttl.resolve(self.inner.tuning.default_ttl()))?);
        let missing = match missing {
            Some(missing) => Some(missing),
            None => match self.seek_on(key) {
                Some(Sought::Here(object)) => match (object as Arc<dyn Any + Send + Sync>).downcast() {
                    Ok(value) => return Ok(self.hit(COMPUTE, O::shared(value))),
                    Err(_of_another_type) => None,
                },
                Some(Sought::Missing(missing)) => Some(missing),
                None => None,
            },
        };
        if let Some(missing) = missing {
            let kept = key.kept();
            if let Some(lone) = call.input(missing.lead(&kept))? {
                return self.load_alone::<O, T, E>(&call, key, ttl, lone, load).await;
            }
        }
        let policy = Policy { rules: self.inner.tuning.rules(), ttl };
        let sight = self.look(&call, &key, &policy).await?;
        let fetched = self.obtain(&mut call, key, &policy, sight, load).await?;
        Ok(O::shared(fetched.value))
    }

    /// Loads what memory by itself has just been found to lack.
    async fn load_alone<'a, O: Outlet<T>, T: Value, E: Into<BoxError>>(
        &self,
        call: &Call<'a>,
        key: Key<'a>,
        ttl: Lifetime,
        lone: Lone<'a>,
        load: impl rt::Load() -> Result<T, E>,
    ) -> Result<O::Out> {
        self.inner.journal.record(COMPUTE, EventKind::Miss(1));
        self.refuse_recursion(call, &key)?;
        let keys = std::slice::from_ref(lone.kept());
        // Where it comes to be, a value goes into the memory that it is to stay in: every result on its way out would
        // move all of it.
        let load = || async move { load().await.map(Arc::new) };
        match self.run_bare(call, keys, self.inner.tuning.first(), load).await.0 {
            Ok(kept) => {
                let out = O::of(&kept);
                call.input(lone.land(kept as Arc<dyn Object>, call.backend().end_of(ttl)))?;
                Ok(out)
            }
            Err(error) => {
                lone.fail(error.clone());
                Err(error)
            }
        }
    }
}

/// What a caller gets: a value of its own, or the one that is kept.
trait Outlet<T> {
    type Out;

    /// Of a value that memory keeps too.
    fn of(kept: &Arc<T>) -> Self::Out;

    fn shared(value: Arc<T>) -> Self::Out;
}

enum Own {}

impl<T: Clone> Outlet<T> for Own {
    type Out = T;

    #[inline]
    fn of(kept: &Arc<T>) -> T {
        T::clone(kept)
    }

    fn shared(value: Arc<T>) -> T {
        Arc::unwrap_or_clone(value)
    }
}

enum Shared {}

impl<T> Outlet<T> for Shared {
    type Out = Arc<T>;

    #[inline]
    fn of(kept: &Arc<T>) -> Arc<T> {
        Arc::clone(kept)
    }

    fn shared(value: Arc<T>) -> Arc<T> {
        value
    }
}
