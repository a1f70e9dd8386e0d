//! What passes between a lock store and its backend, and what a lock is worth.

use std::time::Duration;

use crate::key::Key;

/// A lock as a [`Backend`](crate::Backend) is asked for it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Claim<'a> {
    /// What holds the token and the fencing number for as long as the lock is held, as [`held`](Claim::held) spells them.
    pub key: Key<'a>,
    /// What counts the fencing numbers, in decimal, for ever. A Redis Cluster keeps it beside the key.
    pub fence: Key<'a>,
    /// Who asks: 128 random bits in hexadecimal, drawn anew for each lock that is taken.
    pub token: &'a str,
    /// For how long from now it is to be held, at least.
    pub hold: Duration,
    /// How many replicas have to have it before it counts.
    pub replicas: u32,
    /// How long the caller will wait to be woken, should it be held; `None` if it will not.
    pub wait: Option<Duration>,
}

impl Claim<'_> {
    /// What the key holds once the lock has this fencing number.
    pub fn held(&self, fencing: u64) -> String {
        format!("{}:{fencing}", self.token)
    }

    /// What it holds before that.
    pub fn pending(&self) -> String {
        format!("{}:", self.token)
    }

    /// Whether these bytes are of the token that asks.
    pub fn is_ours(&self, bytes: &[u8]) -> bool {
        self.rest(bytes).is_some()
    }

    /// The fencing number in what the key holds; `None` if that is another's, or has none yet.
    pub fn fencing(&self, bytes: &[u8]) -> Option<u64> {
        std::str::from_utf8(self.rest(bytes)?).ok()?.parse().ok()
    }

    fn rest<'b>(&self, bytes: &'b [u8]) -> Option<&'b [u8]> {
        bytes.strip_prefix(self.token.as_bytes())?.strip_prefix(b":")
    }
}

/// What a [`Backend`](crate::Backend) did when it was to give up a lock.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Unlocked {
    /// It was held by this token, and is free now.
    Released,
    /// Nobody held it.
    Absent,
    /// Somebody else holds it, and still does.
    Foreign,
}

/// What became of a lock that was to be released.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[must_use = "only `Released` says that the lock was held until now"]
pub enum Released {
    /// It was ours until now.
    Released,
    /// Somebody else holds it, or it was taken from us before its time: evicted, deleted, or lost with the server's data.
    NotOwned,
    /// Its time was over, and nobody has taken it since.
    Expired,
}

/// What a lock holds against.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Strength {
    /// Everybody in this process; it ends with it.
    Process,
    /// Everybody who asks the same server, as long as that server keeps its data.
    SingleServer,
    /// As [`SingleServer`](Strength::SingleServer), and so many replicas had the lock before it counted as taken: it
    /// outlives a failover to one of those, but not one to another. Renewals and extensions are not waited for.
    Replicated(u32),
}
