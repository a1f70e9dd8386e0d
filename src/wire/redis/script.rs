//! Scripts that the server keeps under their digest: looking and writing as one step.

use std::sync::LazyLock;

use redis::{Cmd, Pipeline, Value};

use super::Request;
use crate::error::Result;
use crate::key::Key;

/// A script kept by the server under its digest.
pub(crate) struct Script {
    script: redis::Script,
    source: &'static str,
    /// Whether running it twice does no more than running it once.
    repeatable: bool,
}

/// A script with its keys and arguments.
pub(crate) struct Call {
    script: &'static Script,
    keys: usize,
    arguments: Vec<Vec<u8>>,
}

impl Script {
    pub(super) fn on(&'static self, key: &Key<'_>) -> Call {
        self.on_each([key.joined().into_bytes()])
    }

    pub(super) fn on_each(&'static self, keys: impl IntoIterator<Item = Vec<u8>>) -> Call {
        let arguments: Vec<_> = keys.into_iter().collect();
        Call { script: self, keys: arguments.len(), arguments }
    }
}

impl Call {
    pub(super) fn arg(mut self, argument: impl Into<Vec<u8>>) -> Call {
        self.arguments.push(argument.into());
        self
    }

    fn by_digest(&self) -> Cmd {
        self.command("EVALSHA", self.script.script.get_hash())
    }

    fn in_full(&self) -> Cmd {
        self.command("EVAL", self.script.source)
    }

    fn command(&self, name: &str, script: &str) -> Cmd {
        let mut command = redis::cmd(name);
        command.arg(script).arg(self.keys).arg(&self.arguments);
        command
    }
}

/// By digest: short, but the server may have forgotten the scripts.
pub(crate) fn by_digest<'a>(calls: impl IntoIterator<Item = &'a Call>) -> Request {
    request(calls, Call::by_digest)
}

/// Each script in full where it first occurs on its way to a server; from then on that server knows it. `place` tells keys of
/// different servers apart.
pub(crate) fn in_full<'a>(
    calls: impl IntoIterator<Item = &'a Call>,
    place: impl Fn(&[u8]) -> usize,
) -> Request {
    let mut known = Vec::new();
    request(calls, |call| {
        let met = (place(call.arguments.first().map_or(&[], Vec::as_slice)), call.script.script.get_hash());
        if known.contains(&met) {
            return call.by_digest();
        }
        known.push(met);
        call.in_full()
    })
}

fn request<'a>(
    calls: impl IntoIterator<Item = &'a Call>,
    mut command: impl FnMut(&'a Call) -> Cmd,
) -> Request {
    let (mut commands, mut repeatable) = (Pipeline::new(), true);
    for call in calls {
        commands.add_command(command(call));
        repeatable &= call.script.repeatable;
    }
    Request { commands, repeatable, apart: false }
}

/// One script, by digest or in full, and what is to follow it on its connection.
pub(crate) fn then(call: &Call, in_full: bool, next: Cmd) -> Pipeline {
    let mut commands = Pipeline::with_capacity(2);
    commands.add_command(if in_full { call.in_full() } else { call.by_digest() });
    commands.add_command(next);
    commands
}

/// Whether the server does not know the script; then nothing was done and it may be sent in full.
pub(crate) fn is_unknown_script(reply: &Result<Value>) -> bool {
    matches!(reply, Err(error) if error.code() == Some("NOSCRIPT"))
}

/// Scripts by name, each with the functions that it begins with.
macro_rules! scripts {
    ($($name:ident = $repeatable:literal: $($file:literal)+;)+) => {
        $(pub(super) static $name: LazyLock<Script> = LazyLock::new(|| {
            let source = concat!($(include_str!(concat!("lua/", $file, ".lua"))),+);
            Script { script: redis::Script::new(source), source, repeatable: $repeatable }
        });)+
    };
}

// A lease that is asked for twice with one placeholder is granted once, and so is a lock with one token.
scripts! {
    ADD = false: "alive" "set" "add";
    ALIVE = true: "alive" "alive_each";
    FIXED = false: "quota" "fixed";
    GCRA = false: "quota" "gcra";
    KEEP = true: "own" "keep";
    LEASE = true: "lease";
    LOCK = true: "own" "lock";
    PUT = false: "alive" "set" "put";
    REMAINING = true: "alive" "remaining";
    REMOVE = false: "alive" "remove";
    RENEW = true: "same" "renew";
    RETIRE = false: "same" "retire";
    SLIDING = false: "quota" "sliding";
    SWAP = false: "same" "set" "swap";
    TAKE = false: "alive" "take";
    TOUCH = false: "alive" "touch";
    UNLOCK = false: "own" "unlock";
}
