//! Permits, handed to whoever they are for; and derived: look, decide here, and store unless somebody was faster.

use super::bytes::{again, conflict};
use super::{Backend, BackendHandle, Kind, maybe_async};

use crate::deadline::Deadline;
use crate::decision::Decision;
use crate::engine::quota::{Clocks, Permits};
use crate::entry::Condition;
use crate::error::{Error, Result};
use crate::key::Key;
use crate::now::unix_micros;

#[maybe_async]
impl BackendHandle {
    /// Takes permits of a rate limit.
    pub(in super::super) async fn take_permits(
        &self,
        key: &Key<'_>,
        permits: &Permits,
        deadline: Deadline,
    ) -> Result<Decision> {
        match &self.kind {
            Kind::Memory(memory) => Ok(memory.take_permits(key, permits)),
            Kind::Bytes(backend) => backend.take_permits(key, permits, deadline).await,
        }
    }

    /// Forgets what a subject has taken of a rate limit; says whether there was anything.
    pub(in super::super) async fn forget_permits(&self, key: &Key<'_>, deadline: Deadline) -> Result<bool> {
        match &self.kind {
            Kind::Memory(memory) => Ok(memory.forget_permits(key)),
            Kind::Bytes(backend) => backend.remove(key, None, deadline).await,
        }
    }
}

/// By the backend's clock, or else this machine's time of day, which other clients need not share: a state from the future counts
/// as it is then.
#[maybe_async]
pub(super) async fn take_permits<B: Backend + ?Sized>(
    backend: &B,
    key: &Key<'_>,
    permits: &Permits,
    deadline: Deadline,
) -> Result<Decision> {
    let (clock, mut lost) = (backend.clock(), false);
    loop {
        let held = backend.get(key, deadline).await.map_err(|error| contended(error, lost))?;
        let bytes = held.as_ref().map(|entry| &entry.bytes[..]);
        let step = match &clock {
            Some(clock) => permits.step_by(bytes, clock.micros(), Clocks::One),
            None => permits.step_by(bytes, unix_micros(), Clocks::Several),
        };
        let Some((bytes, lifetime)) = step.write else { return Ok(step.decision) };
        let same = held.map_or(Condition::Absent, |entry| Condition::Unchanged(entry.into_version()));
        // Where lifetimes are counted in ticks, the first of them can be over at once.
        let stay = lifetime.plus(backend.resolution());
        let stored = backend.store(key, &bytes, stay, &same, deadline).await;
        if stored.map_err(|error| contended(error, lost))? {
            return Ok(step.decision);
        }
        lost = true;
        again(deadline).await?;
    }
}

/// Who has lost before and then runs out of time, also with a write under way, has run into others who ask: were that told as a
/// failure of the server, whoever asks often enough could open a limit.
fn contended(error: Error, lost: bool) -> Error {
    if lost && error.is_timeout() { conflict().with_source(error) } else { error }
}
