//! Memcached servers as users name them.

use std::fmt;
use std::sync::Arc;

use super::Links;
use super::address::host_and_port;
use crate::engine::flight::Flights;
use crate::error::{Error, ErrorKind, Result};

/// One or several Memcached servers and the connections to them, made when they are first needed.
///
/// With several servers each key lives on one of them, chosen by rendezvous hashing over the addresses as
/// they are written here (`host:port`): adding or removing a server moves only that server's keys. It is the server
/// with the highest `finalize(fnv1a(key) ^ fnv1a(address))`, of FNV-1a with 64 bits, the finalizer of SplitMix64, and the
/// key as it is sent. A key does not move to another server because its own is down: that one would have it still, as it
/// was before, when it is back.
///
/// TCP only: there is no TLS and no Unix socket. A cheap clone; caches built on clones share the connections.
///
/// ```
/// use lexigram_cache::{Cache, Memcached};
///
/// let memcached = Memcached::builder(["127.0.0.1:11211"]).build()?; // dials nothing
/// let cache = Cache::builder().backend(memcached).prefix("myapp").build()?;
/// # Ok::<(), lexigram_cache::Error>(())
/// ```
#[derive(Clone)]
pub struct Memcached {
    pub(crate) shared: Arc<Shared>,
}

pub(crate) struct Shared {
    pub(crate) settings: Settings,
    pub(crate) flights: Arc<Flights>,
    pub(crate) links: Links,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Settings {
    /// `host:port`, resolved anew at each dial.
    pub(crate) servers: Vec<String>,
    pub(crate) pool_size: u32,
    pub(crate) clearable: bool,
    pub(crate) max_value_size: usize,
    pub(crate) breaker: Option<u32>,
    pub(crate) max_reply_size: usize,
}

impl Memcached {
    /// Begins a Memcached backend on these servers: `host`, `host:port`, or `[v6]:port`; without a port,
    /// 11211.
    pub fn builder<S: AsRef<str>>(servers: impl IntoIterator<Item = S>) -> MemcachedBuilder {
        MemcachedBuilder(Settings {
            servers: servers.into_iter().map(|server| server.as_ref().trim().to_owned()).collect(),
            pool_size: 10,
            clearable: false,
            max_value_size: 1024 * 1024,
            breaker: Some(super::FAILURES),
            max_reply_size: super::MAX_REPLY_SIZE,
        })
    }
}

impl Memcached {
    /// Whether both lead to the same servers in the same way, so that one will do.
    pub(crate) fn is_alike(&self, other: &Memcached) -> bool {
        self.shared.settings == other.shared.settings
    }
}

impl fmt::Debug for Memcached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Memcached").field(&self.shared.settings).finish()
    }
}

/// Settings of a [`Memcached`].
#[derive(Clone, Debug)]
#[must_use = "nothing is made before build()"]
pub struct MemcachedBuilder(Settings);

impl MemcachedBuilder {
    /// The most connections to each server per world (blocking, async); who finds all in use waits within
    /// its deadline. Defaults to 10.
    pub fn pool_size(mut self, pool_size: u32) -> MemcachedBuilder {
        self.0.pool_size = pool_size;
        self
    }

    /// Whether `clear` works. Memcached cannot list keys, so each value then carries its namespace's
    /// generation, which every read compares in the same round trip, and `clear` raises it. Costs one
    /// more item per server, a few bytes per call, and a round trip more for what has to look first: add,
    /// delete, update, and a load that is to be stored. Every program that shares the keys must agree.
    /// Defaults to no: `clear` is `Unsupported`.
    pub fn clearable(mut self, clearable: bool) -> MemcachedBuilder {
        self.0.clearable = clearable;
        self
    }

    /// The largest encoded value that is sent, in bytes; a larger one is `TooLarge`. Set it to what the
    /// servers' `-I` allows. Defaults to 1 MiB, as theirs does.
    pub fn max_value_size(mut self, bytes: usize) -> MemcachedBuilder {
        self.0.max_value_size = bytes;
        self
    }

    /// After how many failures in a row one of the servers is left alone: calls then fail at once with `Unavailable`, but for
    /// one a second that tries it. The failures of all handles of this process to the same address count together; an
    /// answer, also one that refuses, begins the count anew, but for that there are too many clients. `None` tries for ever. Defaults to 5.
    pub fn breaker(mut self, failures: impl Into<Option<u32>>) -> MemcachedBuilder {
        self.0.breaker = failures.into();
        self
    }

    /// The most bytes that are taken in for the replies to 64 KiB of commands, which is a thousand keys or more, against a server that never stops talking; a reply that is larger, or
    /// says that it will be, ends its connection as `Protocol`. Taking one in needs up to about twice as much memory, since what it
    /// says is copied out of it. Defaults to 30 MiB.
    pub fn max_reply_size(mut self, bytes: usize) -> MemcachedBuilder {
        self.0.max_reply_size = bytes;
        self
    }

    /// Checks the settings. Resolves no name and dials nothing.
    ///
    /// # Errors
    /// `Config`, with what is allowed: no servers, one named twice, one that is not `host:port`, a pool of
    /// zero, a breaker of zero, replies of no more than 64 KiB or than one value.
    pub fn build(mut self) -> Result<Memcached> {
        super::check_pool_size(self.0.pool_size)?;
        super::check_breaker(self.0.breaker)?;
        super::check_reply_size(self.0.max_reply_size)?;
        if self.0.max_value_size > self.0.max_reply_size {
            let text = "max_value_size is over max_reply_size, so a value could be written and not be read again; raise that too";
            return Err(Error::new(ErrorKind::Config, text));
        }
        if self.0.servers.is_empty() {
            let text = "no Memcached server is named; give at least one, such as 127.0.0.1:11211";
            return Err(Error::new(ErrorKind::Config, text));
        }
        let count = self.0.servers.len();
        for (index, server) in self.0.servers.iter_mut().enumerate() {
            *server = address(server).ok_or_else(|| no_address(index + 1, count))?;
        }
        let mut sorted = self.0.servers.clone();
        sorted.sort_unstable();
        if let Some(twice) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
            let text = format!("the Memcached server {} is named twice", twice[0]);
            return Err(Error::new(ErrorKind::Config, text));
        }
        let shared = Shared { settings: self.0, flights: Arc::default(), links: Links::default() };
        Ok(Memcached { shared: Arc::new(shared) })
    }
}

/// Completes an address with the default port; `None` if it is none.
fn address(server: &str) -> Option<String> {
    let (host, port) = host_and_port(server, Some(11211))?;
    Some(format!("{host}:{port}"))
}

/// It is not quoted: a whole URL may stand there, with a password.
fn no_address(nth: usize, count: usize) -> Error {
    let text = format!(
        "Memcached server {nth} of {count} is not of the form host, host:port, or [v6 address]:port; \
         there are no URLs and no credentials"
    );
    Error::new(ErrorKind::Config, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_completed_with_the_default_port() {
        let table = [
            ("cache", "cache:11211"),
            ("10.0.0.1:1", "10.0.0.1:1"),
            ("[::1]", "[::1]:11211"),
            ("[::1]:5", "[::1]:5"),
        ];
        for (given, expected) in table {
            assert_eq!(address(given).unwrap(), expected);
        }
    }

    #[test]
    fn an_address_that_is_none_is_refused() {
        for given in ["", ":11211", "a b:1", "host:", "host:0", "host:99999", "::1", "http://x", "a\r\nb"] {
            assert_eq!(
                Memcached::builder([given]).build().unwrap_err().kind(),
                ErrorKind::Config,
                "{given:?}"
            );
        }
    }

    #[test]
    fn a_refused_address_is_told_by_its_place_and_never_quoted() {
        for wrong in ["u:S3CR3T@h:1", "S3CR3T", "memcached://u:S3CR3T%40h", "h:1?password=S3CR3T", "h:S3CR3T"]
        {
            let servers = ["a", wrong, "b"].map(|server| server.replace("S3CR3T", "S3CR3T/"));
            let error = Memcached::builder(servers).build().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config);
            let shown = format!("{error} {error:?}");
            assert!(shown.contains("server 2 of 3") && !shown.contains("S3CR3T"), "{shown}");
        }
    }

    #[test]
    fn servers_must_be_some_and_distinct() {
        assert!(Memcached::builder(Vec::<String>::new()).build().is_err());
        assert!(Memcached::builder(["a", "b", "a:11211"]).build().is_err());
    }
}
