//! Permits, derived: look, decide here, and store unless somebody was faster.

use super::bytes::again;
use super::{Backend, maybe_async};

use crate::clock::unix_micros;
use crate::deadline::Deadline;
use crate::decision::Decision;
use crate::engine::quota::{Clocks, Permits};
use crate::entry::Condition;
use crate::error::Result;
use crate::key::Key;

/// By this machine's time of day, which other clients need not share: a state from the future counts as it is.
#[maybe_async]
pub(super) async fn take_permits<B: Backend + ?Sized>(
    backend: &B,
    key: &Key<'_>,
    permits: &Permits,
    deadline: Deadline,
) -> Result<Decision> {
    loop {
        let held = backend.get(key, deadline).await?;
        let bytes = held.as_ref().map(|entry| &entry.bytes[..]);
        let step = permits.step_by(bytes, unix_micros(), Clocks::Several);
        let Some((bytes, lifetime)) = step.write else { return Ok(step.decision) };
        let same = held.map_or(Condition::Absent, |entry| Condition::Unchanged(entry.into_version()));
        // Where lifetimes are counted in ticks, the first of them can be over at once.
        let stay = lifetime.plus(backend.resolution());
        if backend.store(key, &bytes, stay, &same, deadline).await? {
            return Ok(step.decision);
        }
        again(deadline).await?;
    }
}
