//! Redis commands and replies.
//!
//! Times are sent in milliseconds. A write that depends on what is stored is one script, so that nothing
//! comes between looking and writing.

mod frame;
mod reply;
mod script;

use redis::{Cmd, Pipeline, Value};

pub(crate) use self::frame::Replies;
pub(crate) use self::reply::*;
use self::script::{ADD, REMOVE, SWAP, TOUCH};
pub(crate) use self::script::{Call, is_unknown_script};
use crate::entry::{Condition, Version};
use crate::error::Result;
use crate::handle::redis::Settings;
use crate::key::Key;
use crate::ttl::Lifetime;

/// Commands that go out at once, with as many replies to come.
pub(crate) struct Request {
    pub(crate) commands: Pipeline,
    /// Whether sending it twice does no more than sending it once, so that a lost reply may be asked again.
    pub(crate) repeatable: bool,
}

impl Request {
    fn read(command: Cmd) -> Request {
        Request { commands: one(command), repeatable: true }
    }

    fn write(command: Cmd) -> Request {
        Request { commands: one(command), repeatable: false }
    }
}

fn one(command: Cmd) -> Pipeline {
    let mut commands = Pipeline::with_capacity(1);
    commands.add_command(command);
    commands
}

/// Introduces a new connection: who we are, what we call ourselves, which database.
pub(crate) fn handshake(settings: &Settings) -> Request {
    let mut commands = Pipeline::new();
    if let Some(password) = &settings.password {
        commands.cmd("AUTH");
        if let Some(username) = &settings.username {
            commands.arg(username);
        }
        commands.arg(password);
    }
    if settings.database != 0 {
        commands.cmd("SELECT").arg(settings.database);
    }
    commands.cmd("CLIENT").arg("SETNAME").arg(&settings.client_name);
    Request { commands, repeatable: true }
}

/// Any refusal ends the handshake, except that the name is not wanted: it is decoration, and an ACL may forbid it.
/// A server that turns clients away says so in place of the first reply, whatever was asked.
pub(crate) fn read_handshake(replies: Vec<Value>) -> Result<()> {
    let name = replies.len().saturating_sub(1);
    for (position, reply) in replies.into_iter().enumerate() {
        match read_value(reply) {
            Err(error) if position == name && matches!(error.code(), Some("NOPERM" | "NOAUTH")) => {}
            Err(error) => return Err(error),
            Ok(_) => {}
        }
    }
    Ok(())
}

pub(crate) fn get(key: &Key<'_>) -> Request {
    Request::read(command("GET", key))
}

pub(crate) fn get_many(keys: &[Key<'_>]) -> Request {
    Request::read(with_keys("MGET", keys))
}

pub(crate) fn exists(key: &Key<'_>) -> Request {
    Request::read(command("EXISTS", key))
}

pub(crate) fn remaining(key: &Key<'_>) -> Request {
    Request::read(command("PTTL", key))
}

/// GET and DEL as one step.
pub(crate) fn take(key: &Key<'_>) -> Request {
    Request::write(command("GETDEL", key))
}

pub(crate) fn delete_many(keys: &[Key<'_>]) -> Request {
    Request::write(with_keys("UNLINK", keys))
}

/// SCAN may find more keys than it was asked for; no command removes more than a batch of them.
pub(crate) fn delete_joined(keys: &[Vec<u8>]) -> Request {
    let mut commands = Pipeline::new();
    for batch in keys.chunks(SCAN_BATCH) {
        commands.cmd("UNLINK").arg(batch);
    }
    Request { commands, repeatable: false }
}

/// Writes many under one condition, which is no version: that belongs to a single key.
pub(crate) fn set_many(items: &[(Key<'_>, Vec<u8>)], lifetime: Lifetime, condition: &Condition) -> Request {
    let mut commands = Pipeline::with_capacity(items.len());
    for (key, bytes) in items {
        commands.add_command(set(key, bytes, lifetime, condition));
    }
    Request { commands, repeatable: false }
}

/// A write with its condition, as a plain command or as a script.
pub(crate) fn store(key: &Key<'_>, bytes: &[u8], lifetime: Lifetime, condition: &Condition) -> Step {
    match condition {
        Condition::Unchanged(version) => {
            Step::Script(SWAP.on(key).arg(stored(version)).arg(bytes).arg(millis(lifetime)))
        }
        _ => Step::Command(Request::write(set(key, bytes, lifetime, condition))),
    }
}

/// Removes a key, or only that version of it.
pub(crate) fn remove(key: &Key<'_>, version: Option<&Version>) -> Step {
    match version {
        Some(version) => Step::Script(REMOVE.on(key).arg(stored(version))),
        None => Step::Command(Request::write(command("UNLINK", key))),
    }
}

pub(crate) fn touch(key: &Key<'_>, lifetime: Lifetime) -> Call {
    TOUCH.on(key).arg(millis(lifetime))
}

pub(crate) fn add(key: &Key<'_>, delta: i64, lifetime: Lifetime) -> Call {
    ADD.on(key).arg(delta.to_string()).arg(millis(lifetime))
}

/// One step of a walk over the keys that fit a pattern.
pub(crate) fn scan(cursor: u64, pattern: &str) -> Request {
    let mut scan = redis::cmd("SCAN");
    scan.arg(cursor).arg("MATCH").arg(pattern).arg("COUNT").arg(SCAN_BATCH);
    Request::read(scan)
}

const SCAN_BATCH: usize = 1_000;

pub(crate) fn ping() -> Request {
    Request::read(redis::cmd("PING"))
}

/// SET with the options that it has; it has none for a version.
fn set(key: &Key<'_>, bytes: &[u8], lifetime: Lifetime, condition: &Condition) -> Cmd {
    let mut set = command("SET", key);
    set.arg(bytes);
    if let Some(millis) = lifetime.as_millis() {
        set.arg("PX").arg(millis);
    }
    match condition {
        Condition::Absent => set.arg("NX"),
        Condition::Present => set.arg("XX"),
        Condition::Always | Condition::Unchanged(_) => &mut set,
    };
    set
}

fn command(name: &str, key: &Key<'_>) -> Cmd {
    let mut command = redis::cmd(name);
    command.arg(key.joined());
    command
}

fn with_keys(name: &str, keys: &[Key<'_>]) -> Cmd {
    let mut command = redis::cmd(name);
    for key in keys {
        command.arg(key.joined());
    }
    command
}

fn millis(lifetime: Lifetime) -> String {
    lifetime.as_millis().map(|millis| millis.to_string()).unwrap_or_default()
}

/// Redis has no versions; the stored bytes stand for themselves.
fn stored(version: &Version) -> &[u8] {
    match version {
        Version::Bytes(bytes) => bytes,
        Version::Number(_) => &[],
    }
}

/// What a conditional write needs: a command, or a script.
pub(crate) enum Step {
    Command(Request),
    Script(Call),
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::error::ErrorKind;
    use crate::key::Prefix;

    fn packed(request: &Request) -> String {
        String::from_utf8(request.commands.get_packed_pipeline()).unwrap()
    }

    #[test]
    fn a_lifetime_is_sent_in_milliseconds() {
        let prefix = Prefix::new("app");
        let lifetime = Lifetime::For(Duration::from_micros(1_500));
        let Step::Command(request) = store(&prefix.key("k").unwrap(), b"v", lifetime, &Condition::Absent)
        else {
            panic!("a plain condition needs no script")
        };
        assert_eq!(
            packed(&request),
            "*6\r\n$3\r\nSET\r\n$5\r\napp:k\r\n$1\r\nv\r\n$2\r\nPX\r\n$1\r\n2\r\n$2\r\nNX\r\n"
        );
        assert!(!request.repeatable);
    }

    #[test]
    fn a_name_may_be_refused_and_a_client_may_not() {
        let refusal = |line: &[u8]| vec![redis::parse_redis_value(line).unwrap()];
        assert!(read_handshake(refusal(b"-NOPERM no permissions\r\n")).is_ok());
        let error = read_handshake(refusal(b"-ERR max number of clients reached\r\n")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
    }

    #[test]
    fn a_hostile_key_is_one_argument_of_one_command() {
        let prefix = Prefix::default();
        let name = "k\r\nFLUSHALL\r\n";
        let request = get(&prefix.key(name).unwrap());
        assert_eq!(packed(&request), format!("*2\r\n$3\r\nGET\r\n${}\r\n{name}\r\n", name.len()));
    }
}
