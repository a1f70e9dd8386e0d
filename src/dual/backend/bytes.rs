//! What every backend that holds bytes can do: five verbs of its own, everything else derived.

use super::{limit, lock, maybe_async, rt};

use std::time::Duration;

use crate::clock::Clock;
use crate::codec::{counter_from_text, counter_to_text};
use crate::deadline::Deadline;
use crate::decision::Decision;
use crate::engine::quota::Permits;
use crate::entry::{Ask, Condition, Entry, Fill, Lease, Lookup, Page, Version};
use crate::error::{Error, ErrorKind, Result};
use crate::key::{Key, Prefix};
use crate::lock::{Claim, Unlocked};
use crate::pattern::Pattern;
use crate::server::ServerInfo;
use crate::ttl::{Lifetime, Remaining};

/// What a cache needs of a place that holds bytes. Redis and Memcached implement it; so can yours.
///
/// Five methods are required; the others are derived from them and may be given where the backend has a
/// shorter way. Calls come from many threads or tasks at once. A call ends by its deadline. Errors follow
/// [`ErrorKind`](crate::ErrorKind): `Unavailable` and `Timeout` only if nothing was applied, `Ambiguous` if
/// something may have been; a miss is never an error.
///
/// `testing::contract` runs the promises of the built-in backends on yours.
#[maybe_async]
pub trait Backend: Send + Sync + 'static {
    /// A short name for errors and events.
    fn name(&self) -> &str;

    /// The value, if it is there and its time is not up.
    async fn get(&self, key: &Key<'_>, deadline: Deadline) -> Result<Option<Entry>>;

    /// Stores under a condition, which is checked and applied as one step; says whether it stored.
    async fn store(
        &self,
        key: &Key<'_>,
        bytes: &[u8],
        lifetime: Lifetime,
        condition: &Condition,
        deadline: Deadline,
    ) -> Result<bool>;

    /// Removes the value, or only this version of it, as one step; says whether there was one.
    async fn remove(&self, key: &Key<'_>, version: Option<&Version>, deadline: Deadline) -> Result<bool>;

    /// What is left of the value's lifetime; `None` if there is no value.
    async fn remaining(&self, key: &Key<'_>, deadline: Deadline) -> Result<Option<Remaining>>;

    /// One answer per key, in order. Derived: one `get` each.
    async fn get_many(&self, keys: &[Key<'_>], deadline: Deadline) -> Result<Vec<Option<Entry>>> {
        let mut entries = Vec::with_capacity(keys.len());
        for key in keys {
            entries.push(self.get(key, deadline).await?);
        }
        Ok(entries)
    }

    /// Stores each value under the same condition (never a version, which belongs to one key), after checking
    /// whatever can be checked of all. Derived: one `store` each; checks nothing.
    async fn store_many(
        &self,
        items: &[(Key<'_>, Vec<u8>)],
        lifetime: Lifetime,
        condition: &Condition,
        deadline: Deadline,
    ) -> Result<()> {
        for (key, bytes) in items {
            self.store(key, bytes, lifetime, condition, deadline).await?;
        }
        Ok(())
    }

    /// How many of these were there and are removed. Derived: one `remove` each.
    async fn remove_many(&self, keys: &[Key<'_>], deadline: Deadline) -> Result<u64> {
        let mut removed = 0;
        for key in keys {
            removed += u64::from(self.remove(key, None, deadline).await?);
        }
        Ok(removed)
    }

    /// Removes and returns, as one step. A lease is removed too, and a value that is kept past its time: either would
    /// bring back what was before the removal. Derived: `lookup`, then `remove` of that version, until they agree; does
    /// not know of values past their time.
    async fn take(&self, key: &Key<'_>, deadline: Deadline) -> Result<Option<Entry>> {
        loop {
            match self.lookup(key, Ask::Value, deadline).await? {
                Lookup::Hit(entry) => {
                    let version = entry.clone().into_version();
                    if self.remove(key, Some(&version), deadline).await? {
                        return Ok(Some(entry));
                    }
                }
                // It may just be filled, so only the next look tells.
                Lookup::Busy(token) => self.abandon(key, &Lease { token: Some(token) }, deadline).await?,
                Lookup::Absent | Lookup::Lease(_) => return Ok(None),
            }
            again(deadline).await?;
        }
    }

    /// Whether there is a value. Derived from `remaining`.
    async fn exists(&self, key: &Key<'_>, deadline: Deadline) -> Result<bool> {
        Ok(self.remaining(key, deadline).await?.is_some())
    }

    /// Gives a value a new lifetime. Derived: rewrites it, unless it changes meanwhile.
    async fn touch(&self, key: &Key<'_>, lifetime: Lifetime, deadline: Deadline) -> Result<bool> {
        loop {
            let Some(entry) = self.get(key, deadline).await? else { return Ok(false) };
            let same = Condition::Unchanged(entry.clone().into_version());
            if self.store(key, &entry.bytes, lifetime, &same, deadline).await? {
                return Ok(true);
            }
            again(deadline).await?;
        }
    }

    /// Adds to a decimal text, as one step, and keeps its lifetime; `lifetime` is for one that it makes.
    /// Derived: rewrites it, until it did not change meanwhile.
    ///
    /// # Errors
    /// `Decode` if the value is no integer, `TooLarge` if the sum leaves the range of `i64`.
    async fn add(&self, key: &Key<'_>, delta: i64, lifetime: Lifetime, deadline: Deadline) -> Result<i64> {
        loop {
            let (sum, left, condition) = match self.get(key, deadline).await? {
                None => (delta, lifetime, Condition::Absent),
                Some(entry) => {
                    let left = match self.remaining(key, deadline).await? {
                        // A value keeps its whole stay, of which `remaining` tells the part before its time is up.
                        Some(Remaining::For(left)) => Lifetime::For(left + key.stale_for()),
                        Some(Remaining::Never) => Lifetime::Never,
                        // It ended between the two looks.
                        None => continue,
                    };
                    (plus(&entry.bytes, delta)?, left, Condition::Unchanged(entry.into_version()))
                }
            };
            if self.store(key, &counter_to_text(sum), left, &condition, deadline).await? {
                return Ok(sum);
            }
            again(deadline).await?;
        }
    }

    /// Removes every value of this namespace whose name fits; says how many. Derived: `Unsupported`.
    async fn remove_matching(&self, prefix: &Prefix, pattern: &Pattern, deadline: Deadline) -> Result<u64> {
        let _ = (prefix, pattern, deadline);
        Err(Error::new(ErrorKind::Unsupported, "this backend cannot list its keys"))
    }

    /// A stretch of a walk over the names of this namespace that fit, from its beginning or from where the page before it
    /// told to go on. A walk meets every value that is there from its beginning to its end, and what comes or goes
    /// meanwhile or not; it may meet a name more than once. Leases are no values, nor is what is kept past its time. Holds
    /// up no other client for long, and keeps nothing between two pages. Derived: `Unsupported`.
    async fn list(
        &self,
        prefix: &Prefix,
        pattern: &Pattern,
        from: Option<&str>,
        deadline: Deadline,
    ) -> Result<Page> {
        let _ = (prefix, pattern, from, deadline);
        Err(Error::new(ErrorKind::Unsupported, "this backend cannot list its keys"))
    }

    /// Removes every value of this namespace; without a prefix everything but what stores keep, whose keys begin with
    /// `lexigram%`. Derived from `remove_matching`, with a pattern that does not match those.
    async fn clear(&self, prefix: &Prefix, deadline: Deadline) -> Result<()> {
        self.remove_matching(prefix, &Pattern::to_clear(prefix), deadline).await.map(drop)
    }

    /// Looks at a key, and takes the right to fill it if that is asked for. Derived: `get`, with `remaining` where
    /// the age is wanted, and a lease that only holds as long as the key stays absent.
    async fn lookup(&self, key: &Key<'_>, ask: Ask, deadline: Deadline) -> Result<Lookup> {
        let Some(mut entry) = self.get(key, deadline).await? else {
            return Ok(match ask {
                Ask::Lease(_) => Lookup::Lease(Lease { token: None }),
                _ => Lookup::Absent,
            });
        };
        if ask != Ask::Value && entry.remaining.is_none() {
            entry.remaining = self.remaining(key, deadline).await?;
        }
        Ok(Lookup::Hit(entry))
    }

    /// One answer per key, in order. Derived: one `lookup` each.
    async fn lookup_many(&self, keys: &[Key<'_>], ask: Ask, deadline: Deadline) -> Result<Vec<Lookup>> {
        let mut seen = Vec::with_capacity(keys.len());
        for key in keys {
            seen.push(self.lookup(key, ask, deadline).await?);
        }
        Ok(seen)
    }

    /// Holds a lease for so much longer from now; says whether it was still good. Derived: nothing to do.
    async fn renew(&self, key: &Key<'_>, lease: &Lease, hold: Duration, deadline: Deadline) -> Result<bool> {
        let _ = (key, lease, hold, deadline);
        Ok(true)
    }

    /// Stores under a lease, unless something has written or removed the key since it was taken. Derived:
    /// stores if the key still holds what stands for the lease; for one without a token, if the key is absent,
    /// which does not notice a write that was removed again.
    async fn fill(
        &self,
        key: &Key<'_>,
        lease: &Lease,
        bytes: &[u8],
        lifetime: Lifetime,
        deadline: Deadline,
    ) -> Result<bool> {
        let good = match &lease.token {
            Some(token) => Condition::Unchanged(token.clone()),
            None => Condition::Absent,
        };
        self.store(key, bytes, lifetime, &good, deadline).await
    }

    /// Stores each value under its lease, after checking whatever can be checked of all. Derived: one `fill`
    /// each; checks nothing.
    async fn fill_many(&self, fills: &[Fill<'_>], deadline: Deadline) -> Result<()> {
        for Fill { key, lease, bytes, lifetime } in fills {
            self.fill(key, lease, bytes, *lifetime, deadline).await?;
        }
        Ok(())
    }

    /// Gives a lease back unused. Derived: removes what stands for it.
    async fn abandon(&self, key: &Key<'_>, lease: &Lease, deadline: Deadline) -> Result<()> {
        if let Some(token) = &lease.token {
            self.remove(key, Some(token), deadline).await?;
        }
        Ok(())
    }

    /// Gives leases back unused. Derived: one `abandon` each.
    async fn abandon_many(&self, leases: &[(Key<'_>, Lease)], deadline: Deadline) -> Result<()> {
        for (key, lease) in leases {
            self.abandon(key, lease, deadline).await?;
        }
        Ok(())
    }

    /// Takes permits of a rate limit, as one step; `key` names its subject. Derived: `get`, [`Permits`] decide by this machine's
    /// time of day, and `store` if nothing changed meanwhile, until that holds. A backend whose server has a clock of its own and
    /// runs such a step by itself gives its own body by [`Permits::step`].
    ///
    /// # Errors
    /// `Conflict` if others kept changing it until the deadline.
    async fn take_permits(&self, key: &Key<'_>, permits: &Permits, deadline: Deadline) -> Result<Decision> {
        limit::take_permits(self, key, permits, deadline).await
    }

    /// Takes a lock that nobody holds, and answers with its fencing number: above all that its fence has given before,
    /// whatever became of the counter. `None` if somebody holds it. Whoever asks again with the same token may be given
    /// the same lock again. Derived: from `store` and `get`, four round trips, or one where somebody holds it.
    async fn lock(&self, claim: &Claim<'_>, deadline: Deadline) -> Result<Option<u64>> {
        lock::take(self, claim, deadline).await
    }

    /// Holds a lock for so much longer from now, if it still is this token's, and answers with its fencing number.
    /// Checked and applied as one step. Derived: from `get` and `store`.
    async fn keep_lock(&self, claim: &Claim<'_>, deadline: Deadline) -> Result<Option<u64>> {
        lock::keep(self, claim, deadline).await
    }

    /// Gives up a lock, if it still is this token's. Checked and applied as one step. Derived: from `get` and `remove`.
    async fn unlock(&self, claim: &Claim<'_>, deadline: Deadline) -> Result<Unlocked> {
        lock::give_up(self, claim, deadline).await
    }

    /// Waits so long, at most, for whoever unlocks next to wake the caller, and says whether that came to pass. `None` if
    /// nobody can be woken: then callers look again after a while. May return early. Derived: `None`, at once.
    async fn woken(&self, claim: &Claim<'_>, patience: Duration, deadline: Deadline) -> Result<Option<bool>> {
        let _ = (claim, patience, deadline);
        Ok(None)
    }

    /// Whether `lock` heeds [`Claim::replicas`]. Derived: no, and a lock store that asks for them cannot be built.
    fn confirms_replicas(&self) -> bool {
        false
    }

    /// Why locks may be lost here before their time, in sentences for a person. Derived: none is known.
    async fn lock_warnings(&self, deadline: Deadline) -> Result<Vec<String>> {
        let _ = deadline;
        Ok(Vec::new())
    }

    /// The positions of these keys by the server that each lives on: what becomes of one server tells nothing of the
    /// others. A cache that degrades asks for the parts of a batch one by one, so that a dead server costs it that
    /// server's keys only. Waits for nothing. Derived: all on one.
    fn by_server(&self, keys: &[Key<'_>]) -> Vec<Vec<usize>> {
        vec![(0..keys.len()).collect()]
    }

    /// What can be told without the server about storing this: a batch in parts is checked whole before its first part
    /// is written. Waits for nothing. Derived: nothing.
    fn check(&self, key: &Key<'_>, bytes: &[u8], lifetime: Lifetime) -> Result<()> {
        let _ = (key, bytes, lifetime);
        Ok(())
    }

    /// Told of each key, in joined form, whose loader is about to run in this process. Waits for nothing. Derived: nothing.
    fn loading(&self, key: &str) {
        let _ = key;
    }

    /// The clock that lifetimes go by, where that is in this process: locks and rate limits go by it then too. Derived: none; they go
    /// by the system's clocks.
    fn clock(&self) -> Option<Clock> {
        None
    }

    /// Whether every verb heeds [`Key::stale_for`]. Derived: no, and a cache that keeps values past their time
    /// cannot be built on it.
    fn keeps_stale(&self) -> bool {
        false
    }

    /// The steps in which it counts lifetimes. A cache rounds up to them how long it keeps values past their time.
    /// Derived: as fine as they are given.
    fn resolution(&self) -> Duration {
        Duration::ZERO
    }

    /// What each of its servers says of itself, for [`Cache::servers`](crate::Cache::servers). Derived: nothing is known.
    async fn servers(&self, deadline: Deadline) -> Result<Vec<ServerInfo>> {
        let _ = deadline;
        Ok(Vec::new())
    }

    /// One round trip that touches no value, for `health`. Derived: asks for a key that nobody has.
    async fn ping(&self, deadline: Deadline) -> Result<()> {
        let prefix = Prefix::default();
        let key = prefix.key("\u{0}ping")?;
        self.exists(&key, deadline).await.map(drop)
    }
}

/// Whether to try a conflicting write again.
#[maybe_async]
pub(in super::super) async fn again(deadline: Deadline) -> Result<()> {
    if deadline.remaining().is_err() {
        return Err(conflict());
    }
    rt::yield_now().await;
    Ok(())
}

/// Who has lost before and then runs out of time has run into the others, not into the server.
pub(in super::super) fn late(error: Error, lost: bool) -> Error {
    match error.kind() {
        ErrorKind::Timeout if lost => conflict().with_source(error),
        _ => error,
    }
}

/// Of a writer that kept losing until its deadline.
pub(super) fn conflict() -> Error {
    Error::new(ErrorKind::Conflict, "other writers kept changing the key until the deadline")
}

/// A counter's text plus a number.
pub(in super::super) fn plus(text: &[u8], delta: i64) -> Result<i64> {
    let sum = counter_from_text(text)?.checked_add(delta);
    sum.ok_or_else(Error::overflow)
}
