//! Redis commands and replies.
//!
//! Times are sent in milliseconds. A write that depends on what is stored is one script, so that nothing
//! comes between looking and writing.

#[cfg(feature = "cluster")]
mod cluster;
mod expect;
mod frame;
mod lease;
mod limit;
mod lock;
mod look;
#[cfg(feature = "async")]
mod order;
mod plain;
mod reply;
mod scan;
mod script;
mod sentinel;
#[cfg(feature = "cluster")]
mod slot;
#[cfg(test)]
mod tests;
mod version;

use std::slice;
use std::time::Duration;

use redis::{Cmd, Pipeline, Value};

#[cfg(feature = "cluster")]
pub(crate) use self::cluster::{Redirection, Run, is_cluster_down, part, read_slots, redirection, slots};
pub(crate) use self::expect::{Expected, expected, fits, keeps_connection, unfit};
pub(crate) use self::frame::Replies;
pub(crate) use self::lease::placeholder;
pub(crate) use self::limit::{read_permits, take_permits};
pub(crate) use self::lock::{
    confirmed, keep_lock, left, lock, memory_policy, read_confirmed, read_eviction, read_fencing,
    read_unlocked, read_woken, unlock, woken,
};
use self::look::margin;
pub(crate) use self::look::{
    Depth, Seen, look, look_each, look_many, read_lease, read_look, read_look_each, read_look_many,
    read_stay, read_taken,
};
#[cfg(feature = "async")]
pub(crate) use self::order::Order;
pub(crate) use self::reply::*;
use self::script::Script;
use self::script::{ADD, ALIVE, LEASE, PUT, REMAINING, REMOVE, RENEW, RETIRE, SWAP, TAKE, TOUCH};
pub(crate) use self::script::{Call, by_digest, in_full, is_unknown_script};
use self::sentinel::is_replica;
pub(crate) use self::sentinel::{master_of, read_master};
#[cfg(feature = "cluster")]
pub(crate) use self::slot::{SLOTS, slot, slot_of};
use self::version::{Compared, compared};
use crate::entry::{Condition, Fill, Lease, Version};
use crate::error::{Error, ErrorKind, Result};
use crate::handle::redis::Settings;
use crate::key::{Key, Prefix};
use crate::ttl::Lifetime;

/// Commands that go out at once, with as many replies to come.
pub(crate) struct Request {
    pub(crate) commands: Pipeline,
    /// Whether sending it twice does no more than sending it once, so that a lost reply may be asked again.
    pub(crate) repeatable: bool,
    /// It keeps its connection waiting, so it needs one that no other call is on.
    pub(crate) apart: bool,
}

impl Request {
    fn read(command: Cmd) -> Request {
        Request { commands: one(command), repeatable: true, apart: false }
    }

    fn write(command: Cmd) -> Request {
        Request { commands: one(command), repeatable: false, apart: false }
    }
}

fn one(command: Cmd) -> Pipeline {
    let mut commands = Pipeline::with_capacity(1);
    commands.add_command(command);
    commands
}

/// Introduces a new connection: who we are, which database, whether it is a master's, what we call ourselves.
pub(crate) fn handshake(settings: &Settings) -> Request {
    let mut commands = Pipeline::new();
    if let Some(password) = &settings.password {
        commands.cmd("AUTH");
        if let Some(username) = &settings.username {
            commands.arg(username);
        }
        commands.arg(password);
    }
    if settings.resp3 {
        commands.cmd("HELLO").arg(3);
    }
    if settings.database != 0 {
        commands.cmd("SELECT").arg(settings.database);
    }
    if settings.master_only {
        // Tells the role, as ROLE does, which many users may not ask: it is in the class of dangerous commands.
        commands.cmd("HELLO");
    }
    commands.cmd("CLIENT").arg("SETNAME").arg(&settings.client_name);
    Request { commands, repeatable: true, apart: false }
}

/// Any refusal ends the handshake, except that the name is not wanted: it is decoration, an ACL may forbid it, and a
/// server that is busy with a script knows no names. A server that turns clients away says so in place of the first
/// reply, whatever was asked.
pub(crate) fn read_handshake(replies: Vec<Value>) -> Result<()> {
    let name = replies.len().saturating_sub(1);
    for (position, reply) in replies.into_iter().enumerate() {
        match read_value(reply) {
            Err(error) if position == name && matches!(error.code(), Some("NOPERM" | "NOAUTH" | "BUSY")) => {}
            Err(error) => return Err(error),
            Ok(reply) if is_replica(&reply) => {
                let text = "the server is a replica; the sentinels may soon name another master";
                return Err(Error::new(ErrorKind::Unavailable, text).with_code("READONLY"));
            }
            Ok(_) => {}
        }
    }
    Ok(())
}

/// A write with its condition, as a plain command or as a script.
pub(crate) fn store(key: &Key<'_>, bytes: &[u8], lifetime: Lifetime, condition: &Condition) -> Step {
    match condition {
        Condition::Always => Step::Command(Request::write(set(key, bytes, lifetime))),
        condition => Step::Script(store_if(key, bytes, lifetime, condition)),
    }
}

/// A write with a condition. SET has some of its own, but takes a placeholder for a value.
pub(crate) fn store_if(key: &Key<'_>, bytes: &[u8], lifetime: Lifetime, condition: &Condition) -> Call {
    let put = || PUT.on(key).arg(bytes).arg(millis(lifetime)).arg(margin_of(key));
    match condition {
        Condition::Always => put().arg("always"),
        Condition::Absent => put().arg("absent"),
        Condition::Present => put().arg("present"),
        Condition::Unchanged(version) => if_same(SWAP.on(key), version).arg(bytes).arg(millis(lifetime)),
    }
}

/// Stores what was loaded under a lease; under one without a token, over nothing.
pub(crate) fn fill(fill: &Fill<'_>) -> Call {
    let good = fill.lease.token.clone().map_or(Condition::Absent, Condition::Unchanged);
    store_if(&fill.key, &fill.bytes, fill.lifetime, &good)
}

/// Many plain writes at once.
pub(crate) fn set_many(items: &[(Key<'_>, Vec<u8>)], lifetime: Lifetime) -> Request {
    let mut commands = Pipeline::with_capacity(items.len());
    for (key, bytes) in items {
        commands.add_command(set(key, bytes, lifetime));
    }
    Request { commands, repeatable: false, apart: false }
}

/// Takes the key for a load of so long, unless it holds something.
pub(crate) fn lease(key: &Key<'_>, placeholder: &[u8], hold: Duration) -> Call {
    LEASE.on(key).arg(placeholder).arg(hold_millis(hold))
}

/// A lease without a token holds nothing that could be renewed.
pub(crate) fn renew(key: &Key<'_>, lease: &Lease, hold: Duration) -> Option<Call> {
    let token = lease.token.as_ref()?;
    Some(if_same(RENEW.on(key), token).arg(hold_millis(hold)))
}

/// Removes keys with whatever they hold, and counts the values among it.
pub(crate) fn remove(key: &Key<'_>) -> Call {
    REMOVE.on(key).arg(margin_of(key))
}

/// The same for many, together where one script may name several keys; none holds up the server's other clients.
pub(crate) fn remove_many(keys: &[Key<'_>], together: bool) -> Vec<Call> {
    if !together {
        return keys.iter().map(remove).collect();
    }
    let batches = keys.chunk_by(|one, next| one.stale_for() == next.stale_for());
    let call = |batch: &[Key<'_>]| {
        let keys = batch.iter().map(|key| key.joined().into_bytes());
        REMOVE.on_each(keys).arg(margin_of(&batch[0]))
    };
    batches.flat_map(|batch| batch.chunks(BATCH)).map(call).collect()
}

/// The same for what a walk has found; SCAN may find more keys than it was asked for.
pub(crate) fn remove_joined(keys: &[Vec<u8>], prefix: &Prefix, together: bool) -> Vec<Call> {
    on_found(&REMOVE, keys, prefix, together)
}

/// Tells of the keys that a walk has found which of them hold a value.
pub(crate) fn alive(keys: &[Vec<u8>], prefix: &Prefix, together: bool) -> Vec<Call> {
    on_found(&ALIVE, keys, prefix, together)
}

fn on_found(script: &'static Script, keys: &[Vec<u8>], prefix: &Prefix, together: bool) -> Vec<Call> {
    let margin = margin(prefix.stale_for()).to_string();
    keys.chunks(if together { BATCH } else { 1 })
        .map(|batch| script.on_each(batch.to_vec()).arg(&*margin))
        .collect()
}

/// Removes this version of a value, or the placeholder of a lease.
pub(crate) fn retire(key: &Key<'_>, version: &Version) -> Call {
    if_same(RETIRE.on(key), version)
}

/// Takes a placeholder away again, if it is there.
pub(crate) fn take_back(key: &Key<'_>, placeholder: &[u8]) -> Call {
    retire(key, &Version::Bytes(placeholder.to_vec()))
}

/// Removes and returns. Where nothing is kept beyond its time, a look at the value tells whether it is one.
pub(crate) fn take(key: &Key<'_>) -> Step {
    match margin(key.stale_for()) {
        0 => Step::Command(Request::write(command("GETDEL", key))),
        margin => Step::Script(TAKE.on(key).arg(margin.to_string())),
    }
}

pub(crate) fn remaining(key: &Key<'_>) -> Call {
    REMAINING.on(key).arg(margin_of(key))
}

pub(crate) fn touch(key: &Key<'_>, lifetime: Lifetime) -> Call {
    TOUCH.on(key).arg(millis(lifetime)).arg(margin_of(key))
}

pub(crate) fn add(key: &Key<'_>, delta: i64, lifetime: Lifetime) -> Call {
    ADD.on(key).arg(delta.to_string()).arg(millis(lifetime)).arg(margin_of(key))
}

/// One step of a walk over the keys that fit a pattern.
pub(crate) fn scan(cursor: u64, pattern: &str) -> Request {
    let mut scan = redis::cmd("SCAN");
    scan.arg(cursor).arg("MATCH").arg(pattern).arg("COUNT").arg(BATCH);
    Request::read(scan)
}

/// Keys per step, so that no step holds up the server's other clients.
const BATCH: usize = 1_000;

pub(crate) fn ping() -> Request {
    Request::read(redis::cmd("PING"))
}

/// What the server says of itself.
pub(crate) fn info() -> Request {
    Request::read(redis::cmd("INFO"))
}

fn set(key: &Key<'_>, bytes: &[u8], lifetime: Lifetime) -> Cmd {
    let mut set = with_room("SET", slice::from_ref(key), 3, bytes.len() + b"PX".len() + LONGEST_NUMBER);
    set.arg(bytes);
    if let Some(millis) = lifetime.as_millis() {
        set.arg("PX").arg(millis);
    }
    set
}

fn command(name: &str, key: &Key<'_>) -> Cmd {
    with_keys(name, slice::from_ref(key))
}

fn with_keys(name: &str, keys: &[Key<'_>]) -> Cmd {
    with_room(name, keys, 0, 0)
}

/// The command, with room for so many arguments behind its keys, of so many bytes: grown step by step, each of the hundred
/// commands of a batch would be moved again and again.
fn with_room(name: &str, keys: &[Key<'_>], arguments: usize, bytes: usize) -> Cmd {
    let bytes = name.len() + keys.iter().map(Key::len).sum::<usize>() + bytes;
    let mut command = Cmd::with_capacity(1 + keys.len() + arguments, bytes);
    command.arg(name);
    for key in keys {
        command.arg(&*key.text());
    }
    command
}

fn if_same(call: Call, version: &Version) -> Call {
    let Compared { bytes, stamp } = compared(version);
    call.arg(bytes).arg(stamp)
}

fn margin_of(key: &Key<'_>) -> String {
    margin(key.stale_for()).to_string()
}

fn millis(lifetime: Lifetime) -> String {
    lifetime.as_millis().map(|millis| millis.to_string()).unwrap_or_default()
}

/// Digits of `u64::MAX`.
const LONGEST_NUMBER: usize = 20;

/// Redis takes no lifetime of zero.
fn hold_millis(hold: Duration) -> String {
    millis(Lifetime::For(hold.clamp(Duration::from_millis(1), Lifetime::MAX)))
}

/// What a verb needs: a command, or a script.
pub(crate) enum Step {
    Command(Request),
    Script(Call),
}
