//! `get_or_compute`: one load per key, shared by everyone who misses it meanwhile.

use super::call::Call;
use super::{Cache, maybe_async, rt};

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use crate::engine::flight::{Boarding, Landing, Leader};
use crate::entry::{Condition, Found, Item, Lease, Lookup, Object, Value, Version};
use crate::error::{BoxError, Error, ErrorKind, Result};
use crate::event::EventKind;
use crate::key::Key;
use crate::ttl::{Lifetime, Ttl};

/// What gives the right to store a loaded value.
pub(super) enum Right {
    /// The key held nothing.
    Lease(Lease),
    /// The key held bytes that are no value of this type; they may be replaced as long as they are the same.
    Replace(Version),
    /// The key held something that no cache has written.
    Overwrite,
}

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
            if !self.inner.protection.enabled {
                let value = Arc::new(self.run(&call, &[key.joined()], load).await?);
                call.deadline = self.deadline();
                self.store_loaded(&call, &key, &value, lifetime).await?;
                return Ok(Arc::unwrap_or_clone(value));
            }
            match self.board(&call, key.joined())? {
                Boarding::Lead(leader) => {
                    let value = self.lead(&mut call, &key, lifetime, leader, load).await?;
                    return Ok(Arc::unwrap_or_clone(value));
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
                    None => return self.run(&call, &[key.joined()], load).await,
                },
            }
        }
    }

    /// Joins or begins the load of a key.
    ///
    /// # Errors
    /// `RecursiveLoad` if this very load is what is running here.
    pub(super) fn board(&self, call: &Call<'_>, joined: String) -> Result<Boarding> {
        let flights = call.backend().flights();
        if rt::is_loading(flights.id(), &joined) {
            let text = "a loader asked for the key it is loading; load it under another key, or not at all";
            return call.input(Err(Error::new(ErrorKind::RecursiveLoad, text)));
        }
        Ok(flights.board(joined))
    }

    /// Leads a load: looks once more, loads, stores, lands.
    async fn lead<T: Value, E: Into<BoxError>>(
        &self,
        call: &mut Call<'_>,
        key: &Key<'_>,
        lifetime: Lifetime,
        leader: Leader,
        load: impl rt::Load() -> Result<T, E>,
    ) -> Result<Arc<T>> {
        let right = match self.claim(call, key).await {
            Ok(Claim::Found(value)) => {
                leader.land(Landing::Value(Arc::clone(&value) as Arc<dyn Object>));
                return Ok(value);
            }
            Ok(Claim::Granted(right)) => right,
            Err(error) => {
                leader.land(Landing::Failed(error.clone()));
                return Err(error);
            }
        };
        let value = match self.run(call, std::slice::from_ref(leader.key()), load).await {
            Ok(value) => Arc::new(value),
            Err(error) => {
                // Those who wait need not wait for the lease to be given back.
                leader.land(Landing::Failed(error.clone()));
                self.give_back(call, key, &right).await;
                return Err(error);
            }
        };
        call.deadline = self.deadline();
        let stored = self.fill(call, key, right, &value, lifetime).await;
        leader.land(Landing::Value(Arc::clone(&value) as Arc<dyn Object>));
        stored.map(|()| value)
    }

    /// A second look, now that nobody else in this process loads this key: somebody may just have.
    pub(super) async fn claim<T: Value>(&self, call: &Call<'_>, key: &Key<'_>) -> Result<Claim<T>> {
        let seen = call.backend().lookup(key, call.deadline).await;
        match seen {
            Ok(Lookup::Lease(lease)) => Ok(Claim::Granted(Right::Lease(lease))),
            Ok(Lookup::Hit(found)) => self.claim_found(call, found),
            Err(error) if error.kind() == ErrorKind::Decode => {
                call.reject(error).map(|()| Claim::Granted(Right::Overwrite))
            }
            Err(error) => call.end(Err(error)),
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

    /// Stores a loaded value by right. Faults of the server are told but do not cost the caller its value.
    pub(super) async fn fill<T: Value>(
        &self,
        call: &Call<'_>,
        key: &Key<'_>,
        right: Right,
        value: &Arc<T>,
        lifetime: Lifetime,
    ) -> Result<()> {
        let item = call.pack_shared(value)?;
        let condition = match right {
            Right::Lease(lease) => {
                let filled = call.backend().fill(key, &lease, item, lifetime, call.deadline).await;
                return call.forgive(call.end(filled));
            }
            Right::Replace(version) => Condition::Unchanged(version),
            Right::Overwrite => Condition::Always,
        };
        let filled = call.backend().store(key, item, lifetime, &condition, call.deadline).await;
        call.forgive(call.end(filled))
    }

    /// Stores a loaded value unconditionally.
    async fn store_loaded<T: Value>(
        &self,
        call: &Call<'_>,
        key: &Key<'_>,
        value: &Arc<T>,
        lifetime: Lifetime,
    ) -> Result<()> {
        let item = call.pack_shared(value)?;
        let stored = call.backend().store(key, item, lifetime, &Condition::Always, call.deadline).await;
        call.forgive(call.end(stored))
    }

    pub(super) async fn give_back(&self, call: &Call<'_>, key: &Key<'_>, right: &Right) {
        if let Right::Lease(lease) = right {
            let abandoned = call.backend().abandon(key, lease, self.deadline()).await;
            // Told to the observer; the caller has the loader's error to deal with.
            let _ = call.end(abandoned);
        }
    }
}

/// What a second look came to.
pub(super) enum Claim<T> {
    Found(Arc<T>),
    Granted(Right),
}

impl Call<'_> {
    /// A loaded value as the backend keeps it; memory shares it with the caller.
    pub(super) fn pack_shared<T: Value>(&self, value: &Arc<T>) -> Result<Item> {
        match self.backend().keeps_objects() {
            true => Ok(Item::Object(Arc::clone(value) as Arc<dyn Object>)),
            false => self.pack(&**value),
        }
    }

    /// Lets a fault of the server pass, since the loaded value is at hand; what is wrong with the value is
    /// still an error, or it would never be cached and nobody would know.
    pub(super) fn forgive<R>(&self, stored: Result<R>) -> Result<()> {
        match stored {
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::TooLarge | ErrorKind::InvalidTtl | ErrorKind::Encode
                ) =>
            {
                Err(error)
            }
            _ => Ok(()),
        }
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

impl Cache {
    /// What was found by a second look, unless it is no value of this type: then it may be replaced.
    pub(super) fn claim_found<T: Value>(&self, call: &Call<'_>, found: Found) -> Result<Claim<T>> {
        match call.unpack(found.item.clone())? {
            Some(value) => Ok(Claim::Found(value)),
            None => Ok(Claim::Granted(Right::Replace(call.input(found.into_version())?))),
        }
    }
}
