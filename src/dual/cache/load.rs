//! `get_or_compute`: one load per key, shared by everyone who misses it meanwhile.

use super::call::Call;
use super::lease::Claim;
use super::{Cache, maybe_async, rt};

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use crate::engine::flight::{Boarding, Landing};
use crate::entry::{Item, Object, Value};
use crate::error::{BoxError, Error, ErrorKind, Result};
use crate::event::EventKind;
use crate::key::Key;
use crate::ttl::{Lifetime, Ttl};

#[maybe_async]
impl Cache {
    /// The value; if there is none, what `load` gives, stored for `ttl`.
    ///
    /// Of all callers in this process that miss the same key, threads and tasks alike, one loads and the
    /// others wait for it, at most `max_wait`; then they load for themselves and store nothing. The deadline
    /// bounds the calls to the backend, not the loader. A write or removal of the key during the load keeps
    /// the loaded value from being stored in memory; those who already waited still get it.
    ///
    /// A value that was loaded but could not be stored for a fault of the server is returned all the same;
    /// the fault goes to the observer and the counters. One round trip for a hit, three for a miss.
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
        let (key, lifetime) = (call.key(key.as_ref())?, call.lifetime(ttl)?);
        let wait_until = WaitUntil::new(self);
        loop {
            let found = call.backend().get(&key, call.deadline).await;
            if let Some(value) = call.open(call.found(found)?)? {
                return Ok(Arc::unwrap_or_clone(value));
            }
            let joined = key.joined();
            self.refuse_recursion(&call, &joined)?;
            if !self.inner.protection.enabled {
                let value = self.load_and_store(&mut call, key, lifetime, &joined, load).await?;
                return Ok(Arc::unwrap_or_clone(value));
            }
            match call.backend().flights().board(joined) {
                Boarding::Lead(leader) => {
                    let loaded = self.load_and_store(&mut call, key, lifetime, leader.key(), load).await;
                    leader.land(match &loaded {
                        Ok(value) => Landing::Value(Arc::clone(value) as Arc<dyn Object>),
                        Err(error) => Landing::Failed(error.clone()),
                    });
                    return loaded.map(Arc::unwrap_or_clone);
                }
                Boarding::Follow(flight) => match rt::landed(&flight, wait_until.instant()).await {
                    Some(Landing::Value(object)) => {
                        if let Some(value) = call.unpack(Item::Object(object))? {
                            call.record(EventKind::Joined);
                            return Ok(Arc::unwrap_or_clone(value));
                        }
                        // Loaded as another type, which cannot be read as this one.
                        return self.run(&call, &[key.joined()], load).await;
                    }
                    Some(Landing::Failed(error)) => return call.input(Err(error)),
                    Some(Landing::Abandoned) => call.deadline = self.deadline(),
                    None => {
                        // Whoever comes later need not wait for a loader that may never end.
                        call.backend().flights().give_up(&key.joined(), &flight);
                        return self.run(&call, &[key.joined()], load).await;
                    }
                },
            }
        }
    }

    /// Looks once more, loads, and stores by the right that the look gave.
    async fn load_and_store<'a, T: Value, E: Into<BoxError>>(
        &'a self,
        call: &mut Call<'a>,
        key: Key<'a>,
        lifetime: Lifetime,
        joined: &String,
        load: impl rt::Load() -> Result<T, E>,
    ) -> Result<Arc<T>> {
        let right = match self.claim(call, key).await? {
            Claim::Found(value) => return Ok(value),
            Claim::Granted(right) => right,
        };
        let loaded = self.run(call, std::slice::from_ref(joined), load).await;
        call.deadline = self.deadline();
        match loaded {
            Ok(value) => {
                let value = Arc::new(value);
                self.fill(call, &key, right, &value, lifetime).await?;
                Ok(value)
            }
            Err(error) => {
                self.give_back(call, &key, right).await;
                Err(error)
            }
        }
    }

    /// Runs the loader and tells how it went.
    pub(super) async fn run<T, E: Into<BoxError>>(
        &self,
        call: &Call<'_>,
        keys: &[String],
        load: impl rt::Load() -> Result<T, E>,
    ) -> Result<T> {
        let start = Instant::now();
        let loaded = rt::loading(call.backend().flights().id(), keys, load).await;
        call.record(EventKind::Loaded { took: start.elapsed(), ok: loaded.is_ok() });
        call.input(loaded.map_err(Error::from_loader))
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

/// The end of a caller's patience with the loads of others. The clock is read when it is first needed.
pub(super) struct WaitUntil {
    max_wait: Duration,
    until: OnceLock<Instant>,
}

impl WaitUntil {
    pub(super) fn new(cache: &Cache) -> WaitUntil {
        WaitUntil { max_wait: cache.inner.protection.max_wait, until: OnceLock::new() }
    }

    pub(super) fn instant(&self) -> Instant {
        *self.until.get_or_init(|| crate::deadline::Deadline::after(self.max_wait).instant())
    }
}
