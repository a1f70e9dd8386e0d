//! A look at a key before a load: whether what is there will do, and whose load the key waits for.

use super::call::Call;
use super::{Cache, maybe_async};

use std::sync::Arc;
use std::time::Duration;

use crate::chance::chance;
use crate::engine::protect::{Age, Verdict};
use crate::entry::{Ask, Found, Item, Lookup, Value, Version};
use crate::error::Result;
use crate::event::EventKind;
use crate::fetched::{Fetched, Origin, Staleness};
use crate::key::Key;
use crate::policy::Policy;
use crate::ttl::Remaining;

/// What a first look came to.
pub(super) enum Sight<T> {
    /// Serve this.
    Fresh(Fetched<Arc<T>>),
    /// Serve this, and have one caller reload it.
    Reload(Kept<T>),
    /// Load. What the key showed, be it a value that the caller does not take, is `spare` and `shown`.
    Missing { spare: Option<Kept<T>>, shown: Option<Version> },
}

/// A value that is there, with what it takes to judge and to replace it.
pub(super) struct Kept<T> {
    pub(super) value: Arc<T>,
    pub(super) version: Version,
    pub(super) verdict: Verdict,
    age: Option<Duration>,
    origin: Origin,
}

impl<T> Kept<T> {
    /// The same once more, for who works beside the caller.
    pub(super) fn again(&self) -> Kept<T> {
        let Kept { value, version, verdict, age, origin } = self;
        let (value, version, origin) = (Arc::clone(value), version.clone(), origin.clone());
        Kept { value, version, verdict: *verdict, age: *age, origin }
    }

    /// The value as it is; if it is past its time, with the reason why it has to do.
    pub(super) fn serve(self, why: Staleness) -> Fetched<Arc<T>> {
        let source = match self.verdict {
            Verdict::Fresh | Verdict::Early => self.origin,
            Verdict::Stale | Verdict::Unwanted => Origin::Stale(why),
        };
        Fetched { value: self.value, source, age: self.age }
    }
}

#[maybe_async]
impl Cache {
    /// The first look: by the shortest way, unless the age of the value matters.
    pub(super) async fn look<T: Value>(
        &self,
        call: &Call<'_>,
        key: &Key<'_>,
        policy: &Policy,
    ) -> Result<Sight<T>> {
        let ask = call.ask(policy);
        let seen = call.backend().lookup(key, ask, call.deadline).await;
        let shown = match seen {
            Ok(Lookup::Hit(found)) if ask == Ask::Age => return call.sight(found, policy),
            Ok(Lookup::Hit(found)) => match call.unpack(found.item)? {
                Some(value) => return Ok(Sight::Fresh(call.hit(value))),
                // Whoever loads in its place stands for its version, which the shortest look does not tell.
                None => call.version_now(key).await,
            },
            Ok(Lookup::Busy(token)) => Some(token),
            Ok(_) => None,
            Err(error) => call.found::<()>(Err(error)).map(|_| None)?,
        };
        call.record(EventKind::Miss(1));
        Ok(Sight::Missing { spare: None, shown })
    }
}

#[maybe_async]
impl Call<'_> {
    async fn version_now(&self, key: &Key<'_>) -> Option<Version> {
        match self.backend().lookup(key, Ask::Age, self.deadline).await {
            Ok(Lookup::Hit(found)) => found.into_version().ok(),
            Ok(Lookup::Busy(token)) => Some(token),
            _ => None,
        }
    }
}

impl Call<'_> {
    /// How much a first look has to tell.
    pub(super) fn ask(&self, policy: &Policy) -> Ask {
        match policy.rules.need_age() || !self.inner.prefix.stale_for().is_zero() {
            true => Ask::Age,
            false => Ask::Value,
        }
    }

    fn hit<T>(&self, value: Arc<T>) -> Fetched<Arc<T>> {
        self.record(EventKind::Hit(1));
        Fetched { value, source: self.origin(), age: None }
    }

    fn origin(&self) -> Origin {
        if self.backend().keeps_objects() { Origin::Memory } else { Origin::Remote }
    }

    fn sight<T: Value>(&self, found: Found, policy: &Policy) -> Result<Sight<T>> {
        let version = self.input(found.clone().into_version())?;
        let Some(kept) = self.kept::<T>(found, policy)? else {
            self.record(EventKind::Miss(1));
            return Ok(Sight::Missing { spare: None, shown: Some(version) });
        };
        self.record(if kept.verdict == Verdict::Unwanted { EventKind::Miss(1) } else { EventKind::Hit(1) });
        Ok(match kept.verdict {
            Verdict::Fresh => Sight::Fresh(kept.serve(Staleness::Refreshing)),
            Verdict::Early | Verdict::Stale => Sight::Reload(kept),
            Verdict::Unwanted => Sight::Missing { shown: Some(kept.version.clone()), spare: Some(kept) },
        })
    }

    /// A value with its age judged; `None` if it is no `T`.
    ///
    /// # Errors
    /// `Decode`, on a cache that decodes strictly.
    pub(super) fn kept<T: Value>(&self, found: Found, policy: &Policy) -> Result<Option<Kept<T>>> {
        let remaining = found.remaining.unwrap_or(Remaining::Never);
        let took = policy.rules.early.and_then(|_| self.load_time(&found.item));
        let version = self.input(found.clone().into_version())?;
        let Some(value) = self.unpack::<T>(found.item)? else { return Ok(None) };
        let age = Age { ttl: policy.ttl_of(&*value), remaining, kept: self.inner.prefix.stale_for() };
        let verdict = policy.rules.judge(age, took, chance());
        Ok(Some(Kept { value, version, verdict, age: age.since_load(), origin: self.origin() }))
    }

    /// How long the load of this value took, as its frame tells, else as loads here take.
    fn load_time(&self, item: &Item) -> Option<Duration> {
        let told = match item {
            Item::Bytes(bytes) => self.inner.codec.load_time(bytes),
            Item::Object(_) => None,
        };
        told.or_else(|| self.inner.load_time.estimate())
    }
}
