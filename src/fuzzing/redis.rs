//! Redis: commands as they leave, replies as they are read.

use std::slice;
use std::time::Duration;

use ::redis::Value;

use crate::entry::{Condition, Fill, Lease, Version};
use crate::error::Result;
use crate::handle::MAX_REPLY_SIZE;
use crate::handle::redis::Endpoint;
use crate::key::{Key, Prefix};
use crate::ttl::Lifetime;
use crate::wire::Replies as _;
use crate::wire::redis::{self as wire, Depth};

/// The replies to one request of a thread.
pub struct Replies(wire::Replies);

impl Replies {
    /// To so many commands.
    pub fn to(commands: usize) -> Replies {
        Replies(wire::Replies::new(commands, MAX_REPLY_SIZE))
    }

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
    pub fn read(self, received: &[u8]) -> Result<Vec<Value>> {
        self.0.read(received)
    }
}

/// Both directions of the connection that tasks share.
pub struct Order(wire::Order);

impl Order {
    /// Of a new connection.
    #[expect(clippy::new_without_default, reason = "nobody needs it")]
    pub fn new() -> Order {
        Order(wire::Order::new(MAX_REPLY_SIZE))
    }

    /// What leaves.
    pub fn ask(&mut self, bytes: &[u8]) {
        self.0.ask(bytes);
    }

    /// What comes.
    ///
    /// # Errors
    /// `Protocol`.
    pub fn answer(&mut self, bytes: &[u8]) -> Result<()> {
        self.0.answer(bytes)
    }
}

/// What reads the replies to one request.
pub type Reader = fn(Vec<Value>, &Key<'_>) -> Result<()>;

/// All that read replies, by name.
pub const READERS: &[(&str, Reader)] = &[
    ("bytes", |replies, _| wire::read_last(replies).and_then(wire::read_bytes).map(drop)),
    ("many", |replies, _| wire::read_last(replies).and_then(wire::read_many).map(drop)),
    ("done", |replies, _| wire::read_last(replies).and_then(wire::read_done).map(drop)),
    ("count", |replies, _| wire::read_last(replies).and_then(wire::read_count).map(drop)),
    ("sum", |replies, _| wire::read_last(replies).and_then(wire::read_sum).map(drop)),
    ("remaining", |replies, _| wire::read_last(replies).and_then(wire::read_remaining).map(drop)),
    ("scan", |replies, _| wire::read_last(replies).and_then(wire::read_scan).map(drop)),
    ("taken", |replies, _| wire::read_last(replies).and_then(wire::read_taken).map(drop)),
    ("stay", |replies, key| wire::read_last(replies).and_then(|reply| wire::read_stay(reply, key)).map(drop)),
    ("look", |replies, key| wire::read_look(replies).map(|seen| drop(seen.value(key)))),
    ("look many", |replies, _| wire::read_look_many(replies, 2).map(drop)),
    ("look each", |replies, _| wire::read_look_each(replies, 2).map(drop)),
    ("lease", |replies, key| {
        wire::last(replies).and_then(|reply| wire::read_lease(reply, b"null ".to_vec(), key)).map(drop)
    }),
    ("handshake", |replies, _| wire::read_handshake(replies)),
    ("master", |replies, _| wire::last(replies).and_then(wire::read_master).map(drop)),
    ("slots", |replies, _| {
        wire::last(replies).and_then(|reply| wire::read_slots(reply, &Endpoint::new("seed", 1))).map(drop)
    }),
    ("redirection", |replies, _| {
        wire::last(replies).map(|reply| drop(wire::redirection(&reply, &Endpoint::new("seed", 1))))
    }),
    ("health of the connection", |replies, _| {
        wire::keeps_connection(&replies);
        wire::is_not_ready(&Ok(replies));
        Ok(())
    }),
];

/// What spells the command of a verb on a key.
pub type Writer = fn(&Key<'_>, &[u8]) -> Vec<u8>;

/// All that spell one command with a key, by name.
pub const WRITERS: &[(&str, Writer)] = &[
    ("look", |key, _| packed(&wire::look(key, Depth::Value))),
    ("look many", |key, _| packed(&wire::look_many(slice::from_ref(key), Depth::Value))),
    ("set", |key, value| packed(&wire::set_many(&[(*key, value.to_vec())], HOUR))),
    ("add", |key, value| call(&wire::store_if(key, value, HOUR, &Condition::Absent))),
    ("swap", |key, value| call(&wire::store_if(key, value, HOUR, &changed(value)))),
    ("lease", |key, value| call(&wire::lease(key, value, Duration::from_secs(1)))),
    ("fill", |key, value| {
        let lease = Lease { token: Some(Version::Bytes(value.to_vec())) };
        call(&wire::fill(&Fill { key: *key, bytes: value.to_vec(), lifetime: HOUR, lease }))
    }),
    ("remove", |key, _| call(&wire::remove(key))),
    ("retire", |key, value| call(&wire::retire(key, &Version::Bytes(value.to_vec())))),
    ("remaining", |key, _| call(&wire::remaining(key))),
    ("touch", |key, _| call(&wire::touch(key, HOUR))),
    ("incr", |key, _| call(&wire::add(key, -1, HOUR))),
    ("remove joined", |key, _| {
        let keys = [key.joined().into_bytes()];
        wire::remove_joined(&keys, &Prefix::default(), true).iter().map(call).collect::<Vec<_>>().concat()
    }),
];

const HOUR: Lifetime = Lifetime::For(Duration::from_secs(3_600));

fn changed(value: &[u8]) -> Condition {
    Condition::Unchanged(Version::Bytes(value.to_vec()))
}

fn call(call: &wire::Call) -> Vec<u8> {
    packed(&wire::in_full([call], |_| 0))
}

fn packed(request: &wire::Request) -> Vec<u8> {
    request.commands.get_packed_pipeline()
}

/// The slot of a key.
pub fn slot(key: &[u8]) -> u16 {
    wire::slot(key)
}
