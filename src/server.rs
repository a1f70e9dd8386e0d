//! What a server says of itself.

use std::collections::BTreeMap;

/// What one server of a backend says of itself, for [`Cache::servers`](crate::Cache::servers).
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct ServerInfo {
    /// Where it listens, as `host:port`, or the path of its socket.
    pub address: String,
    /// By the server's own names: the fields of `INFO` on Redis, of `stats` on Memcached.
    pub facts: BTreeMap<String, String>,
}

impl ServerInfo {
    /// What a backend of one's own tells of a server.
    pub fn new(address: impl Into<String>, facts: BTreeMap<String, String>) -> ServerInfo {
        ServerInfo { address: address.into(), facts }
    }

    /// A fact that is a number.
    pub fn number(&self, name: &str) -> Option<u64> {
        self.facts.get(name)?.parse().ok()
    }
}
