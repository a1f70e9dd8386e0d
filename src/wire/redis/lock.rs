//! Locks: a plain key with its own expiry, so that `GET` and `PTTL` of any client tell who holds it and for how long.

use redis::Value;

use super::reply::unexpected;
use super::script::{Call, KEEP, LOCK, UNLOCK};
use super::{hold_millis, read_count};
use crate::error::Result;
use crate::lock::{Claim, Unlocked};

pub(crate) fn lock(claim: &Claim<'_>) -> Call {
    let keys = [claim.key, claim.fence].map(|key| key.joined().into_bytes());
    LOCK.on_each(keys).arg(claim.token).arg(hold_millis(claim.hold))
}

pub(crate) fn keep_lock(claim: &Claim<'_>) -> Call {
    KEEP.on(&claim.key).arg(claim.token).arg(hold_millis(claim.hold))
}

pub(crate) fn unlock(claim: &Claim<'_>) -> Call {
    UNLOCK.on(&claim.key).arg(claim.token)
}

/// The fencing number of a lock that is ours.
pub(crate) fn read_fencing(reply: Value) -> Result<Option<u64>> {
    match reply {
        Value::Nil => Ok(None),
        reply => read_count(reply).map(Some),
    }
}

pub(crate) fn read_unlocked(reply: Value) -> Result<Unlocked> {
    match reply {
        Value::Int(1) => Ok(Unlocked::Released),
        Value::Int(0) => Ok(Unlocked::Absent),
        Value::Int(-1) => Ok(Unlocked::Foreign),
        other => Err(unexpected(&other)),
    }
}
