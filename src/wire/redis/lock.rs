//! Locks: a plain key with its own expiry, so that `GET` and `PTTL` of any client tell who holds it and for how long.

use std::time::Duration;

use redis::Value;

use super::reply::{read_bytes, unexpected};
use super::script::{Call, KEEP, LOCK, UNLOCK, then};
use super::{Request, command, hold_millis, one, read_count};
use crate::error::{Error, ErrorKind, Result};
use crate::lock::{Claim, Unlocked};

pub(crate) fn lock(claim: &Claim<'_>) -> Call {
    let waits = claim.wait.map(hold_millis).unwrap_or_default();
    let keys = [claim.key.joined(), claim.fence.joined(), claim.waiting()];
    LOCK.on_each(keys.map(String::into_bytes)).arg(claim.token).arg(hold_millis(claim.hold)).arg(waits)
}

/// The same, and then a wait of so long for as many replicas as are asked for.
pub(crate) fn confirmed(claim: &Claim<'_>, in_full: bool, patience: Duration) -> Request {
    let mut wait = redis::cmd("WAIT");
    wait.arg(claim.replicas).arg(hold_millis(patience));
    Request { commands: then(&lock(claim), in_full, wait), repeatable: true, apart: true }
}

/// How many replicas have what was written before.
pub(crate) fn read_confirmed(reply: Value, wanted: u32) -> Result<()> {
    let confirmed = read_count(reply)?;
    if confirmed >= u64::from(wanted) {
        return Ok(());
    }
    let text = format!("{confirmed} of {wanted} replicas had the lock in time; it was given back");
    Err(Error::new(ErrorKind::Unavailable, text))
}

/// What is left of the time of a lock, whoever holds it.
pub(crate) fn left(claim: &Claim<'_>) -> Request {
    Request::read(command("PTTL", &claim.key))
}

/// Waits so long to be woken by whoever unlocks next.
pub(crate) fn woken(claim: &Claim<'_>, patience: Duration) -> Request {
    let mut pop = redis::cmd("BLPOP");
    pop.arg(claim.wake()).arg(format!("{:.3}", patience.as_secs_f64().max(0.001)));
    Request { commands: one(pop), repeatable: true, apart: true }
}

/// Whether it came to that.
pub(crate) fn read_woken(reply: Value) -> bool {
    !matches!(reply, Value::Nil)
}

pub(crate) fn keep_lock(claim: &Claim<'_>) -> Call {
    KEEP.on(&claim.key).arg(claim.token).arg(hold_millis(claim.hold))
}

pub(crate) fn unlock(claim: &Claim<'_>) -> Call {
    let keys = [claim.key.joined(), claim.waiting(), claim.wake()];
    UNLOCK.on_each(keys.map(String::into_bytes)).arg(claim.token)
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

/// What the server does when its memory is full.
pub(crate) fn memory_policy() -> Request {
    let mut info = redis::cmd("INFO");
    info.arg("memory");
    Request::read(info)
}

/// The policy by which a server evicts keys that have a lifetime, as locks do.
pub(crate) fn read_eviction(reply: Value) -> Result<Option<String>> {
    let text = match reply {
        Value::VerbatimString { text, .. } => text,
        reply => String::from_utf8(read_bytes(reply)?.unwrap_or_default()).unwrap_or_default(),
    };
    let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let is_bounded = field("maxmemory").is_some_and(|bound| bound != "0");
    let policy = field("maxmemory_policy").filter(|policy| is_bounded && *policy != "noeviction");
    Ok(policy.map(str::to_owned))
}

impl Claim<'_> {
    /// What is there while somebody waits to be woken.
    fn waiting(&self) -> String {
        format!("{}:waiting", self.fence.joined())
    }

    /// What wakes the one who has waited longest.
    fn wake(&self) -> String {
        format!("{}:wake", self.fence.joined())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_bounded_server_that_evicts_is_told_of() {
        let told = |bound: &str, policy: &str| {
            let text = format!("# Memory\r\nmaxmemory:{bound}\r\nmaxmemory_policy:{policy}\r\n");
            read_eviction(Value::BulkString(text.into_bytes())).unwrap()
        };
        assert_eq!(told("100", "allkeys-lru").as_deref(), Some("allkeys-lru"));
        assert_eq!(told("100", "volatile-ttl").as_deref(), Some("volatile-ttl"));
        assert_eq!((told("100", "noeviction"), told("0", "allkeys-lru")), (None, None));
    }

    #[test]
    fn too_few_replicas_are_a_failure() {
        assert!(read_confirmed(Value::Int(2), 2).is_ok());
        assert_eq!(read_confirmed(Value::Int(1), 2).unwrap_err().kind(), ErrorKind::Unavailable);
    }
}
