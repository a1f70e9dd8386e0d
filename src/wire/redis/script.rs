//! Scripts that the server keeps under their digest: looking and writing as one step.

use std::sync::LazyLock;

use redis::Value;

use super::Request;
use crate::error::Result;
use crate::key::Key;

/// A script kept by the server under its digest.
pub(crate) struct Script(redis::Script, &'static str);

/// A script with its arguments.
pub(crate) struct Call {
    script: &'static Script,
    arguments: Vec<Vec<u8>>,
}

impl Script {
    pub(super) fn on(&'static self, key: &Key<'_>) -> Call {
        Call { script: self, arguments: vec![key.joined().into_bytes()] }
    }
}

impl Call {
    pub(super) fn arg(mut self, argument: impl Into<Vec<u8>>) -> Call {
        self.arguments.push(argument.into());
        self
    }

    /// By digest: short, but the server may have forgotten the script.
    pub(crate) fn by_digest(&self) -> Request {
        self.request("EVALSHA", self.script.0.get_hash())
    }

    /// In full; from then on the server knows it.
    pub(crate) fn in_full(&self) -> Request {
        self.request("EVAL", self.script.1)
    }

    fn request(&self, name: &str, script: &str) -> Request {
        let mut command = redis::cmd(name);
        command.arg(script).arg(1).arg(&self.arguments);
        Request::write(command)
    }
}

fn script(source: &'static str) -> Script {
    Script(redis::Script::new(source), source)
}

pub(super) static ADD: LazyLock<Script> = LazyLock::new(|| script(include_str!("lua/add.lua")));
pub(super) static SWAP: LazyLock<Script> = LazyLock::new(|| script(include_str!("lua/swap.lua")));
pub(super) static REMOVE: LazyLock<Script> = LazyLock::new(|| script(include_str!("lua/remove.lua")));
pub(super) static TOUCH: LazyLock<Script> = LazyLock::new(|| script(include_str!("lua/touch.lua")));

/// Whether the server does not know the script; then nothing was done and it may be sent in full.
pub(crate) fn is_unknown_script(reply: &Result<Value>) -> bool {
    matches!(reply, Err(error) if error.code() == Some("NOSCRIPT"))
}
