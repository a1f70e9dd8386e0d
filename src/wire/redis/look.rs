//! Looking at keys: what they hold, what is left of its stay, and which write it came from.

use std::slice;
use std::time::Duration;
use std::vec;

use redis::{Cmd, Pipeline, Value};

use super::lease::is_placeholder;
use super::reply::{read_bytes, read_many, read_remaining, read_value};
use super::version::version;
use super::{Request, command, with_keys};
use crate::entry::{Ask, Entry, Lease, Lookup, Version};
use crate::error::{Error, ErrorKind, Result};
use crate::key::Key;
use crate::ttl::Remaining;

/// How much a look tells. Each asks one command per key more than the one before it.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Depth {
    Value,
    /// And what is left of its stay.
    Stay,
    /// And the moment at which it ends, which tells writes of the same bytes apart.
    Write,
}

impl Depth {
    /// What a plain read has to know.
    pub(crate) fn to_get(keys: &[Key<'_>]) -> Depth {
        if keys.iter().any(|key| margin(key.stale_for()) > 0) { Depth::Stay } else { Depth::Value }
    }

    pub(crate) fn to_answer(ask: Ask, keys: &[Key<'_>]) -> Depth {
        match Depth::to_get(keys) {
            Depth::Value if ask != Ask::Age => Depth::Value,
            _ => Depth::Write,
        }
    }
}

/// The last milliseconds of a value's stay, in which it is only kept.
pub(super) fn margin(stale_for: Duration) -> u64 {
    u64::try_from(stale_for.as_millis()).unwrap_or(u64::MAX)
}

pub(crate) fn look(key: &Key<'_>, depth: Depth) -> Request {
    Request {
        commands: deepened([command("GET", key)], slice::from_ref(key), depth),
        repeatable: true,
        apart: false,
    }
}

pub(crate) fn look_many(keys: &[Key<'_>], depth: Depth) -> Request {
    Request { commands: deepened([with_keys("MGET", keys)], keys, depth), repeatable: true, apart: false }
}

/// The same where one command cannot ask for keys of several servers.
pub(crate) fn look_each(keys: &[Key<'_>], depth: Depth) -> Request {
    let values = keys.iter().map(|key| command("GET", key));
    Request { commands: deepened(values, keys, depth), repeatable: true, apart: false }
}

fn deepened(values: impl IntoIterator<Item = Cmd>, keys: &[Key<'_>], depth: Depth) -> Pipeline {
    let mut commands = Pipeline::with_capacity(1 + depth as usize * keys.len());
    for value in values {
        commands.add_command(value);
    }
    for (name, from) in [("PTTL", Depth::Stay), ("PEXPIRETIME", Depth::Write)] {
        for key in keys.iter().filter(|_| depth >= from) {
            commands.add_command(command(name, key));
        }
    }
    commands
}

/// What a key showed.
#[derive(Debug)]
pub(crate) struct Seen {
    bytes: Option<Vec<u8>>,
    left: Option<Remaining>,
    stamp: Option<i64>,
}

impl Seen {
    /// The value, if its time is not up.
    pub(crate) fn value(self, key: &Key<'_>) -> Option<Entry> {
        match self.answer(Ask::Value, key) {
            Lookup::Hit(entry) => Some(entry),
            _ => None,
        }
    }

    /// What it means for who asked so.
    pub(crate) fn answer(self, ask: Ask, key: &Key<'_>) -> Lookup {
        let Some(bytes) = self.bytes else { return Lookup::Absent };
        if is_placeholder(&bytes) {
            return Lookup::Busy(Version::Bytes(bytes));
        }
        if ask == Ask::Value && self.left.is_some_and(|left| is_over(left, key.stale_for())) {
            return Lookup::Absent;
        }
        Lookup::Hit(Entry { version: version(&bytes, self.stamp), bytes, remaining: self.left })
    }
}

fn is_over(left: Remaining, stale_for: Duration) -> bool {
    let margin = margin(stale_for);
    matches!(left, Remaining::For(left) if margin > 0 && left <= Duration::from_millis(margin))
}

/// The reply to [`look`].
pub(crate) fn read_look(replies: Vec<Value>) -> Result<Seen> {
    let mut replies = replies.into_iter();
    let bytes = read_bytes(read_value(replies.next().ok_or_else(too_few)?)?)?;
    deepen(vec![bytes], replies)?.pop().ok_or_else(too_few)
}

/// The reply to [`look_many`], one answer per key.
pub(crate) fn read_look_many(replies: Vec<Value>, keys: usize) -> Result<Vec<Seen>> {
    let mut replies = replies.into_iter();
    let values = read_many(read_value(replies.next().ok_or_else(too_few)?)?)?;
    if values.len() != keys {
        return Err(Error::new(ErrorKind::Protocol, "the server answered for another number of keys"));
    }
    deepen(values, replies)
}

/// The reply to [`look_each`]. As MGET sees it, a key of another type holds nothing.
pub(crate) fn read_look_each(replies: Vec<Value>, keys: usize) -> Result<Vec<Seen>> {
    let mut replies = replies.into_iter();
    let value = |reply| match read_value(reply) {
        Err(error) if error.kind() == ErrorKind::Decode => Ok(None),
        reply => read_bytes(reply?),
    };
    let values = replies.by_ref().take(keys).map(value).collect::<Result<Vec<_>>>()?;
    if values.len() != keys {
        return Err(too_few());
    }
    deepen(values, replies)
}

/// Adds what the further commands told, if they were asked. They are no one step with the first: a value that was
/// gone by then is absent.
fn deepen(values: Vec<Option<Vec<u8>>>, mut replies: vec::IntoIter<Value>) -> Result<Vec<Seen>> {
    let mut seen: Vec<Seen> =
        values.into_iter().map(|bytes| Seen { bytes, left: None, stamp: None }).collect();
    if replies.len() >= seen.len() {
        for (seen, reply) in seen.iter_mut().zip(replies.by_ref()) {
            seen.left = read_remaining(read_value(reply)?)?;
            seen.bytes.take_if(|_| seen.left.is_none());
        }
    }
    for (seen, reply) in seen.iter_mut().zip(replies) {
        seen.stamp = read_stamp(reply);
    }
    Ok(seen)
}

/// A server before Redis 7 does not know the command; then the bytes have to do.
fn read_stamp(reply: Value) -> Option<i64> {
    match reply {
        Value::Int(stamp) if stamp != -2 => Some(stamp),
        _ => None,
    }
}

/// The reply of `lua/lease.lua` to who offered this placeholder.
pub(crate) fn read_lease(reply: Value, placeholder: Vec<u8>, key: &Key<'_>) -> Result<Lookup> {
    let Value::Array(parts) = reply else { return Err(too_few()) };
    let [bytes, left, stamp] = <[Value; 3]>::try_from(parts).map_err(|_| too_few())?;
    let bytes = read_bytes(bytes)?;
    if bytes.as_ref() == Some(&placeholder) {
        return Ok(Lookup::Lease(Lease { token: Some(Version::Bytes(placeholder)) }));
    }
    Ok(Seen { bytes, left: read_remaining(left)?, stamp: read_stamp(stamp) }.answer(Ask::Age, key))
}

/// What was removed, if that was a value.
pub(crate) fn read_taken(reply: Value) -> Result<Option<Entry>> {
    Ok(read_bytes(reply)?.filter(|bytes| !is_placeholder(bytes)).map(Entry::from))
}

/// PTTL of a value that may be kept beyond its time.
pub(crate) fn read_stay(reply: Value, key: &Key<'_>) -> Result<Option<Remaining>> {
    let kept = Duration::from_millis(margin(key.stale_for()));
    Ok(read_remaining(reply)?.map(|left| match left {
        Remaining::For(left) => Remaining::For(left.saturating_sub(kept)),
        Remaining::Never => Remaining::Never,
    }))
}

fn too_few() -> Error {
    Error::new(ErrorKind::Protocol, "the server told less than it was asked")
}
