//! A look at a key before a load: whether what is there will do, and whose load the key waits for.

use super::call::Call;
use super::degrade::Answer;
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

/// What a value that is there is to a caller.
pub(super) enum Judged<T> {
    Value(Kept<T>),
    /// It is no `T`; who loads in its place replaces this version.
    Unreadable(Version),
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
            Ok(Lookup::Hit(found)) => match call.unpack(&found.item)? {
                Some(value) => return Ok(Sight::Fresh(call.hit(value))),
                None => call.versions_now(std::slice::from_ref(key)).await.pop().flatten(),
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
    /// What those stand for who load in the place of values that cannot be read. The shortest look does not tell
    /// versions apart; if this one fails, nobody is followed.
    pub(super) async fn versions_now(&self, keys: &[Key<'_>]) -> Vec<Option<Version>> {
        let shown = |answer: Result<Answer>| match answer {
            Ok(Answer::Seen(Lookup::Hit(found))) => found.into_version().ok(),
            Ok(Answer::Seen(Lookup::Busy(token))) => Some(token),
            _ => None,
        };
        self.look_at_each(keys, Ask::Age).await.into_iter().map(shown).collect()
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
        let kept = match self.judged::<T>(found, policy)? {
            Judged::Value(kept) => kept,
            Judged::Unreadable(version) => {
                self.record(EventKind::Miss(1));
                return Ok(Sight::Missing { spare: None, shown: Some(version) });
            }
        };
        self.record(if kept.verdict == Verdict::Unwanted { EventKind::Miss(1) } else { EventKind::Hit(1) });
        Ok(match kept.verdict {
            Verdict::Fresh => Sight::Fresh(kept.serve(Staleness::Refreshing)),
            Verdict::Early | Verdict::Stale => Sight::Reload(kept),
            Verdict::Unwanted => Sight::Missing { shown: Some(kept.version.clone()), spare: Some(kept) },
        })
    }

    /// What is there, with its age judged.
    ///
    /// # Errors
    /// `Decode`, on a cache that decodes strictly.
    pub(super) fn judged<T: Value>(&self, found: Found, policy: &Policy) -> Result<Judged<T>> {
        let value = self.unpack::<T>(&found.item)?;
        let took = policy.rules.early.and_then(|_| self.load_time(&found.item));
        let remaining = found.remaining.unwrap_or(Remaining::Never);
        let version = self.input(found.into_version())?;
        let Some(value) = value else { return Ok(Judged::Unreadable(version)) };
        let age = Age { ttl: policy.ttl_of(&*value), remaining, kept: self.inner.prefix.stale_for() };
        // Only an early reload is left to chance.
        let verdict = policy.rules.judge(age, took, took.map_or(1.0, |_| chance()));
        Ok(Judged::Value(Kept { value, version, verdict, age: age.since_load(), origin: self.origin() }))
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
