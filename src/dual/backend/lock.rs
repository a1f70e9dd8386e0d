//! Locks: what a backend needs no steps of its own for.
//!
//! Taking one is: store the token where nothing is, draw a number, and store the number beside the token if that is still
//! there unchanged. So whoever stalls in between and loses the lock does not come back with a number above its successor's.

use super::bytes::again;
use super::{Backend, BackendHandle, Kind, maybe_async};

use std::time::Duration;

use crate::clock::Clock;
use crate::deadline::Deadline;
use crate::entry::{Condition, Entry};
use crate::error::Result;
use crate::key::Key;
use crate::lock::{Claim, Strength, Unlocked};
use crate::now::unix_micros;
use crate::ttl::Lifetime;

#[maybe_async]
pub(super) async fn take<B: Backend + ?Sized>(
    backend: &B,
    claim: &Claim<'_>,
    deadline: Deadline,
) -> Result<Option<u64>> {
    let (pending, hold) = (claim.pending(), lifetime(backend, claim.hold));
    if !backend.store(&claim.key, pending.as_bytes(), hold, &Condition::Absent, deadline).await? {
        return Ok(None);
    }
    let mut seen = backend.get_many(&[claim.key, claim.fence], deadline).await?;
    let (last, standing) = (seen.pop().flatten(), seen.pop().flatten());
    let Some(standing) = standing.filter(|entry| claim.is_ours(&entry.bytes)) else { return Ok(None) };
    let fencing = number(backend, &claim.fence, last, deadline).await?;
    let unchanged = Condition::Unchanged(standing.into_version());
    let held = claim.held(fencing);
    let taken = backend.store(&claim.key, held.as_bytes(), hold, &unchanged, deadline).await?;
    Ok(taken.then_some(fencing))
}

/// Draws a number above all before. A counter that is gone, or has come back from an earlier time, is overtaken by the
/// clock, which runs faster than locks are taken.
#[maybe_async]
async fn number<B: Backend + ?Sized>(
    backend: &B,
    fence: &Key<'_>,
    mut last: Option<Entry>,
    deadline: Deadline,
) -> Result<u64> {
    loop {
        let (number, condition) = match last {
            None => (0, Condition::Absent),
            Some(entry) => (drawn(&entry.bytes), Condition::Unchanged(entry.into_version())),
        };
        let next = unix_micros().max(number.saturating_add(1));
        let text = next.to_string();
        if backend.store(fence, text.as_bytes(), Lifetime::Never, &condition, deadline).await? {
            return Ok(next);
        }
        again(deadline).await?;
        last = backend.get(fence, deadline).await?;
    }
}

#[maybe_async]
pub(super) async fn keep<B: Backend + ?Sized>(
    backend: &B,
    claim: &Claim<'_>,
    deadline: Deadline,
) -> Result<Option<u64>> {
    loop {
        let Some(entry) = backend.get(&claim.key, deadline).await? else { return Ok(None) };
        let Some(fencing) = claim.fencing(&entry.bytes) else { return Ok(None) };
        let unchanged = Condition::Unchanged(entry.clone().into_version());
        let hold = lifetime(backend, claim.hold);
        if backend.store(&claim.key, &entry.bytes, hold, &unchanged, deadline).await? {
            return Ok(Some(fencing));
        }
        again(deadline).await?;
    }
}

#[maybe_async]
pub(super) async fn give_up<B: Backend + ?Sized>(
    backend: &B,
    claim: &Claim<'_>,
    deadline: Deadline,
) -> Result<Unlocked> {
    loop {
        let Some(entry) = backend.get(&claim.key, deadline).await? else { return Ok(Unlocked::Absent) };
        if !claim.is_ours(&entry.bytes) {
            return Ok(Unlocked::Foreign);
        }
        if backend.remove(&claim.key, Some(&entry.into_version()), deadline).await? {
            return Ok(Unlocked::Released);
        }
        again(deadline).await?;
    }
}

/// A server that counts in steps may begin with a short one.
fn lifetime<B: Backend + ?Sized>(backend: &B, hold: Duration) -> Lifetime {
    Lifetime::For(hold).plus(backend.resolution())
}

/// What is no number was written by somebody else, and counts for none.
fn drawn(text: &[u8]) -> u64 {
    std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()).unwrap_or(0)
}

impl BackendHandle {
    /// What the time of a lock is measured by.
    pub(in super::super) fn clock(&self) -> Clock {
        match &self.kind {
            Kind::Memory(memory) => memory.leases().clock().clone(),
            Kind::Bytes(backend) => backend.clock().unwrap_or_default(),
        }
    }

    pub(in super::super) fn strength(&self) -> Strength {
        match &self.kind {
            Kind::Memory(_) => Strength::Process,
            Kind::Bytes(_) => Strength::SingleServer,
        }
    }

    /// Gives up a lock in memory, for a holder that cannot wait; says whether it was one.
    pub(in super::super) fn drop_lock(&self, claim: &Claim<'_>) -> bool {
        match &self.kind {
            Kind::Memory(memory) => {
                memory.leases().unlock(claim);
                true
            }
            Kind::Bytes(_) => false,
        }
    }

    /// Whether a lock can wait for replicas.
    pub(in super::super) fn confirms_replicas(&self) -> bool {
        match &self.kind {
            Kind::Memory(_) => false,
            Kind::Bytes(backend) => backend.confirms_replicas(),
        }
    }
}

/// Each verb, handed to whoever it is for.
#[maybe_async]
impl BackendHandle {
    pub(in super::super) async fn lock(&self, claim: &Claim<'_>, deadline: Deadline) -> Result<Option<u64>> {
        match &self.kind {
            Kind::Memory(memory) => Ok(memory.leases().lock(claim)),
            Kind::Bytes(backend) => backend.lock(claim, deadline).await,
        }
    }

    pub(in super::super) async fn keep_lock(
        &self,
        claim: &Claim<'_>,
        deadline: Deadline,
    ) -> Result<Option<u64>> {
        match &self.kind {
            Kind::Memory(memory) => Ok(memory.leases().keep(claim)),
            Kind::Bytes(backend) => backend.keep_lock(claim, deadline).await,
        }
    }

    pub(in super::super) async fn unlock(&self, claim: &Claim<'_>, deadline: Deadline) -> Result<Unlocked> {
        match &self.kind {
            Kind::Memory(memory) => Ok(memory.leases().unlock(claim)),
            Kind::Bytes(backend) => backend.unlock(claim, deadline).await,
        }
    }

    pub(in super::super) async fn are_locked(
        &self,
        keys: &[Key<'_>],
        deadline: Deadline,
    ) -> Result<Vec<bool>> {
        match &self.kind {
            Kind::Memory(memory) => Ok(keys.iter().map(|key| memory.leases().is_locked(key)).collect()),
            Kind::Bytes(backend) => {
                let held = backend.get_many(keys, deadline).await?;
                Ok(held.iter().map(Option::is_some).collect())
            }
        }
    }

    /// As [`Backend::woken`].
    pub(in super::super) async fn woken(
        &self,
        claim: &Claim<'_>,
        patience: Duration,
        deadline: Deadline,
    ) -> Result<Option<bool>> {
        match &self.kind {
            Kind::Memory(_) => Ok(None),
            Kind::Bytes(backend) => backend.woken(claim, patience, deadline).await,
        }
    }

    pub(in super::super) async fn lock_warnings(&self, deadline: Deadline) -> Result<Vec<String>> {
        match &self.kind {
            Kind::Memory(_) => Ok(Vec::new()),
            Kind::Bytes(backend) => backend.lock_warnings(deadline).await,
        }
    }
}
