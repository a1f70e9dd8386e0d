//! Memcached: commands as they leave, replies as they are read.

use std::time::Duration;

use memcache::exp::MetaCommand;

use crate::entry::Ask;
use crate::error::Result;
use crate::handle::MAX_REPLY_SIZE;
use crate::key::Key;
use crate::wire::Replies as _;
use crate::wire::memcached::{self as wire, Mode, Request, Seen, Want, Window, wire_key};

/// Commands that have left, and their replies.
pub struct Exchange(Window);

impl Exchange {
    /// So many reads of a key, few enough for one window.
    ///
    /// # Errors
    /// None, as keys are checked before.
    pub fn of(key: &Key<'_>, reads: usize) -> Result<Exchange> {
        let command = wire::get(&wire_key(key), Want::Value)?;
        let windows = Request::read(vec![command; reads]).windows(MAX_REPLY_SIZE)?;
        windows.into_iter().next().map(Exchange).ok_or_else(wire::no_reply)
    }

    /// What was sent.
    pub fn packed(&self) -> &[u8] {
        &self.0.packed
    }

    /// What takes in the replies.
    pub fn replies(&self) -> Replies {
        Replies(self.0.replies())
    }
}

/// The replies to what was sent.
pub struct Replies(wire::Replies);

impl Replies {
    /// Looks at everything received so far.
    ///
    /// # Errors
    /// `Protocol`.
    pub fn advance(&mut self, received: &[u8]) -> Result<bool> {
        self.0.advance(received)
    }

    /// Reads what is complete.
    ///
    /// # Errors
    /// `Protocol`.
    pub fn read(self, received: &[u8]) -> Result<Vec<Reply>> {
        self.0.read(received)
    }
}

/// One reply, or a refusal.
pub type Reply = wire::Reply;

/// What reads a reply.
pub type Reader = fn(Reply) -> Result<()>;

/// All that read replies, by name.
pub const READERS: &[(&str, Reader)] = &[
    ("done", |reply| wire::read_done(reply).map(drop)),
    ("cas", |reply| wire::read_cas(reply).map(drop)),
    ("sum", |reply| wire::read_sum(reply).map(drop)),
    ("greeting", |reply| wire::read_greeting(vec![reply])),
    ("step", |reply| {
        wire::keeps_step(&reply);
        Ok(())
    }),
    ("value", |reply| look(reply, None, Ask::Value)),
    ("age", |reply| look(reply, None, Ask::Age)),
    ("lease", |reply| look(reply, None, Ask::Lease(Duration::from_secs(1)))),
    ("lease of a generation", |reply| look(reply, Some(7), Ask::Lease(Duration::from_secs(1)))),
];

fn look(reply: Reply, generation: Option<u32>, ask: Ask) -> Result<()> {
    let item = wire::read_item(reply)?;
    drop(Seen::new(item, generation, Duration::from_secs(1)).lookup(ask));
    Ok(())
}

/// What spells the command of a verb on a key.
pub type Writer = fn(&Key<'_>, &[u8]) -> Result<Vec<u8>>;

/// All that spell a command with a key, by name.
pub const WRITERS: &[(&str, Writer)] = &[
    ("get", |key, _| packed(wire::get(&wire_key(key), Want::Value)?)),
    ("lease", |key, _| packed(wire::get(&wire_key(key), Want::Lease(30))?)),
    ("set", |key, value| packed(wire::set(&wire_key(key), value, 0, 60, Mode::Always)?)),
    ("renew", |key, value| packed(wire::lease(&wire_key(key), value, 7, 60, Mode::Unchanged(7))?)),
    ("delete", |key, _| packed(wire::delete(&wire_key(key), None)?)),
    ("generation", |key, _| packed(wire::generation(&wire_key(key), 1)?)),
];

fn packed(command: MetaCommand) -> Result<Vec<u8>> {
    Ok(Request::read(vec![command])
        .windows(MAX_REPLY_SIZE)?
        .into_iter()
        .flat_map(|window| window.packed)
        .collect())
}

/// A key as it goes over the wire.
pub fn key(key: &Key<'_>) -> String {
    wire_key(key)
}

/// Where a namespace keeps its generation.
pub fn generation_key(prefix: &str) -> String {
    wire::generation_key(prefix)
}
