//! Settings of a Redis backend, and which of them make no sense.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use redis::{ConnectionAddr, IntoConnectionInfo};

use super::super::tls::{Tls, TlsSettings};
use super::super::{FAILURES, Links, MAX_REPLY_SIZE, check_breaker, check_pool_size, check_reply_size};
use super::topology::{Plan, Topology};
use super::{Address, Redis, Settings, Shared};
use crate::error::{Error, ErrorKind, Result};

/// Settings of a [`Redis`].
#[derive(Clone)]
#[must_use = "nothing is made before build()"]
pub struct RedisBuilder {
    url: String,
    pool_size: u32,
    client_name: String,
    breaker: Option<u32>,
    max_reply_size: usize,
    resp3: bool,
    tls: TlsSettings,
    plan: Plan,
}

/// Without the URL, which may carry a password.
impl fmt::Debug for RedisBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisBuilder")
            .field("pool_size", &self.pool_size)
            .field("client_name", &self.client_name)
            .finish_non_exhaustive()
    }
}

impl RedisBuilder {
    pub(super) fn new(url: &str) -> RedisBuilder {
        RedisBuilder {
            url: url.to_owned(),
            pool_size: 10,
            client_name: "lexigram-cache".to_owned(),
            breaker: Some(FAILURES),
            max_reply_size: MAX_REPLY_SIZE,
            resp3: false,
            tls: TlsSettings::default(),
            plan: Plan::default(),
        }
    }

    /// The most connections of blocking callers to each server, 16 KiB of buffer each; who finds all in use waits within its
    /// deadline. Short reads that wait go along with that of whoever gets a connection next, and where there are more callers
    /// than connections four of them carry all short reads: many threads need no large pool for those. Writes wait for a
    /// connection of their own. Tasks share one multiplexed connection instead. Defaults to 10.
    pub fn pool_size(mut self, pool_size: u32) -> RedisBuilder {
        self.pool_size = pool_size;
        self
    }

    /// What the server's `CLIENT LIST` calls these connections. Defaults to `lexigram-cache`.
    pub fn client_name(mut self, client_name: impl Into<String>) -> RedisBuilder {
        self.client_name = client_name.into();
        self
    }

    /// After how many failures in a row the server is left alone: calls then fail at once with `Unavailable`, but for
    /// one a second that tries it. The failures of all handles of this process to the same address count together; an
    /// answer, also one that refuses, begins the count anew, but for that there are too many clients. `None` tries for ever. Defaults to 5.
    pub fn breaker(mut self, failures: impl Into<Option<u32>>) -> RedisBuilder {
        self.breaker = failures.into();
        self
    }

    /// The most bytes that are taken in for one reply, be it to `get_many` of a thousand keys, against a server that never stops talking; a reply that is larger, or
    /// says that it will be, ends its connection as `Protocol`. Taking one in needs up to about twice as much memory, since what it
    /// says is copied out of it. Defaults to 30 MiB.
    pub fn max_reply_size(mut self, bytes: usize) -> RedisBuilder {
        self.max_reply_size = bytes;
        self
    }

    /// Whether to speak version 3 of the protocol, which servers have since Redis 6; `?protocol=resp3` at the end of the
    /// URL says the same. Nothing that a cache can do depends on it. Defaults to no: every server speaks version 2.
    pub fn resp3(mut self, resp3: bool) -> RedisBuilder {
        self.resp3 = resp3;
        self
    }

    /// The servers are a Redis Cluster (feature `cluster`): the keys are spread over its masters, which are found by asking
    /// any node. The URL names the first node to ask; its credentials and TLS are for all. These are further ones to
    /// ask, `host:port`, and may be none (`[""; 0]`).
    ///
    /// ```
    /// use lexigram_cache::Redis;
    ///
    /// let redis = Redis::builder("redis://user:secret@10.0.0.1:7000").cluster(["10.0.0.2:7000"]).build()?; // dials nothing
    /// assert!(Redis::builder("redis://10.0.0.1:7000/3").cluster(["10.0.0.2:7000"]).build().is_err()); // database 0 only
    /// # Ok::<(), lexigram_cache::Error>(())
    /// ```
    ///
    /// A batch costs one round trip per master that has some of its keys, one master after the other, and is no more one step than
    /// on one server. A moved slot is followed, at most 5 times per call. Each master has a pool of its own. The user needs
    /// `CLUSTER SLOTS`.
    #[cfg(feature = "cluster")]
    pub fn cluster<S: Into<String>>(mut self, nodes: impl IntoIterator<Item = S>) -> RedisBuilder {
        self.plan.cluster = Some(nodes.into_iter().map(Into::into).collect());
        self
    }

    /// The servers are a master and its replicas, watched by sentinels, which are asked for the master of this name whenever it
    /// is not known or does not answer as one. The URL names the first sentinel, with its port (usually 26379); its credentials and
    /// database are for the master, its TLS for both. These are further sentinels, `host:port`, and may be none (`[""; 0]`).
    ///
    /// ```
    /// use lexigram_cache::Redis;
    ///
    /// let redis = Redis::builder("redis://user:secret@sentinel-1:26379/3")
    ///     .sentinel("mymaster", ["sentinel-2:26379", "sentinel-3:26379"])
    ///     .build()?; // dials nothing
    /// assert!(!format!("{redis:?}").contains("secret"));
    /// # Ok::<(), lexigram_cache::Error>(())
    /// ```
    ///
    /// Replicas are not read. Asking costs a round trip to a sentinel within the call's timeout. While all is well, one call in half a
    /// second asks too: after a failover by command the old master answers for some seconds as if it still were the one.
    pub fn sentinel<S: Into<String>>(
        mut self,
        master: impl Into<String>,
        sentinels: impl IntoIterator<Item = S>,
    ) -> RedisBuilder {
        self.plan.sentinel = Some((master.into(), sentinels.into_iter().map(Into::into).collect()));
        self
    }

    /// Who we are to the sentinels themselves; without a user, a password alone (`requirepass`). Defaults to nobody: what the
    /// URL says is for the master.
    pub fn sentinel_credentials(
        mut self,
        username: Option<&str>,
        password: impl Into<String>,
    ) -> RedisBuilder {
        self.plan.sentinel_login = Some((username.map(str::to_owned), password.into()));
        self
    }

    /// PEM file of the authorities that may vouch for the server. Defaults to the public ones that Mozilla
    /// trusts. Only for `rediss://`.
    pub fn ca_file(mut self, path: impl Into<PathBuf>) -> RedisBuilder {
        self.tls.ca_file = Some(path.into());
        self
    }

    /// PEM files of the certificate chain that shows who we are, and of its key. Defaults to none. Only for
    /// `rediss://`.
    pub fn client_certificate(mut self, chain: impl Into<PathBuf>, key: impl Into<PathBuf>) -> RedisBuilder {
        self.tls.client_certificate = Some((chain.into(), key.into()));
        self
    }

    /// Takes any certificate for the server's: whoever sits in between reads and changes everything. Defaults
    /// to no. Only for `rediss://`.
    pub fn danger_accept_invalid_certs(mut self, accept: bool) -> RedisBuilder {
        self.tls.accept_invalid_certs = accept;
        self
    }

    /// Checks the settings and reads certificate files. Resolves no name and dials nothing.
    ///
    /// # Errors
    /// `Config`, with what is allowed: a URL that is none, a pool of zero, a breaker of zero, replies of no more than 64 KiB, a client name with blanks, a
    /// certificate file that is none, TLS settings without `rediss://`; a further server that is no `host:port`, a Unix socket in
    /// place of several servers, a cluster with sentinels or a database, a master without a name. The text never holds the URL,
    /// which may carry a password.
    pub fn build(self) -> Result<Redis> {
        check_pool_size(self.pool_size)?;
        check_breaker(self.breaker)?;
        check_reply_size(self.max_reply_size)?;
        // CLIENT SETNAME refuses everything but printable characters without blanks.
        if self.client_name.is_empty() || !self.client_name.bytes().all(|byte| byte.is_ascii_graphic()) {
            let text = "client_name must be printable ASCII without blanks, such as `shop-worker`";
            return Err(Error::new(ErrorKind::Config, text));
        }
        let plan = self.plan.clone();
        let mut settings = self.settings()?;
        let topology = plan.topology(&settings)?;
        settings.master_only = matches!(topology, Topology::Sentinel(_));
        let shared = Shared { settings, topology, flights: Arc::default(), links: Links::default() };
        Ok(Redis { shared: Arc::new(shared) })
    }

    fn settings(self) -> Result<Settings> {
        let wrong = || Error::new(ErrorKind::Config, URL_HELP);
        // The client library is built without TLS, so it is shown the same URL without.
        let (url, encrypted) = match self.url.split_once("://") {
            Some(("rediss" | "valkeys", rest)) => (format!("redis://{rest}"), true),
            _ => (self.url.clone(), false),
        };
        if url.contains('#') {
            let text = "the Redis URL ends in a fragment, which means nothing here; \
                certificates are left unchecked by danger_accept_invalid_certs alone";
            return Err(Error::new(ErrorKind::Config, text));
        }
        if url.split('%').skip(1).any(|after| !is_encoded(after)) {
            let text = "a `%` in the Redis URL is not followed by two hexadecimal digits; a `%` itself is written %25";
            return Err(Error::new(ErrorKind::Config, text));
        }
        // The parser's own errors quote parts of the URL, so none of their text is passed on.
        let info = url.into_connection_info().map_err(|_| wrong())?;
        let address = match info.addr() {
            ConnectionAddr::Tcp(_, 0) => {
                return Err(Error::new(
                    ErrorKind::Config,
                    "the port of the Redis URL is 0; leave it out for 6379",
                ));
            }
            ConnectionAddr::Tcp(host, port) => {
                let tls = encrypted.then(|| Tls::new(host, &self.tls)).transpose()?;
                Address::Tcp { host: host.clone(), port: *port, tls }
            }
            // The parser takes a login for a part of the path, which is shown wherever a server is named.
            ConnectionAddr::Unix(path) if path.to_string_lossy().contains('@') => {
                let text = "the URL of a Unix socket has no login before an `@`; write ?user= and ?pass= behind the path, \
                    and give a socket another name that has an `@`";
                return Err(Error::new(ErrorKind::Config, text));
            }
            ConnectionAddr::Unix(path) => Address::Unix(path.clone()),
            _ => return Err(wrong()),
        };
        if !encrypted && !self.tls.is_default() {
            let text = "certificates are set but the URL does not ask for TLS; write rediss://";
            return Err(Error::new(ErrorKind::Config, text));
        }
        let redis = info.redis_settings();
        if redis.username().is_some_and(|name| !name.is_empty()) && redis.password().is_none() {
            let text = "the Redis URL names a user without a password, so nobody would be logged in; add the password";
            return Err(Error::new(ErrorKind::Config, text));
        }
        if redis.db() < 0 {
            return Err(Error::new(ErrorKind::Config, "the database number of the Redis URL is below 0"));
        }
        Ok(Settings {
            address,
            database: redis.db(),
            username: redis.username().map(str::to_owned),
            password: redis.password().map(str::to_owned),
            pool_size: self.pool_size,
            client_name: self.client_name,
            breaker: self.breaker,
            max_reply_size: self.max_reply_size,
            resp3: self.resp3 || redis.protocol().supports_resp3(),
            master_only: false,
        })
    }
}

/// Whether what comes after a `%` says which byte it stands for.
fn is_encoded(after: &str) -> bool {
    after.len() >= 2 && after.bytes().take(2).all(|digit| digit.is_ascii_hexdigit())
}

const URL_HELP: &str = "the Redis URL is not of the form redis://[user][:password@]host[:port][/database]; \
    special characters in its parts are percent-encoded";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_taken_apart_and_decoded() {
        let redis = Redis::builder("redis://us%40er:p%2Fw@example.org:6380/3").build().unwrap();
        let settings = &redis.shared.settings;
        assert_eq!(settings.address.to_string(), "example.org:6380");
        assert_eq!(settings.database, 3);
        assert_eq!(settings.username.as_deref(), Some("us@er"));
        assert_eq!(settings.password.as_deref(), Some("p/w"));
    }

    #[test]
    fn a_wrong_url_is_refused_without_being_quoted() {
        for url in [
            "http://:S3CR3T-7f2a@h",
            "memcached://:S3CR3T-7f2a@h",
            "redis:S3CR3T-7f2a@h",
            "redis//:S3CR3T-7f2a@h",
            "redis://:S3CR3T-7f2a@h:99999",
            "redis://:S3CR3T-7f2a@h:-1",
            "redis://:S3CR3T-7f2a@h:port",
            "redis://:S3CR3T-7f2a@h:0",
            "redis://:S3CR3T-7f2a@",
            "redis://:S3CR3T-7f2a@h/x",
            "redis://:S3CR3T-7f2a@h/-1",
            "redis://:S3CR3T-7f2a@h/1.5",
            "redis://:S3CR3T-7f2a@h/99999999999999999999",
            "redis://:S3CR3T-7f2a@h/0/1",
            "redis://:S3CR3T-7f2a%zz@h",
            "redis://:S3CR3T-7f2a%ff%fe@h",
            "redis://S3CR3T-7f2a@h",
            "redis://:S3CR3T-7f2a@h?protocol=resp9",
            "redis://:S3CR3T-7f2a@h#insecure",
            "redis://:S3CR3T-7f2a@h h",
            "unix://?pass=S3CR3T-7f2a",
            "unix://:S3CR3T-7f2a@/run/redis.sock",
            "unix:/:S3CR3T-7f2a@run/redis.sock",
            "redis+unix:///u:S3CR3T-7f2a@run/redis.sock?db=1",
            "unix:///run/redis.sock?db=x&pass=S3CR3T-7f2a",
            "",
            "S3CR3T-7f2a",
        ] {
            let Err(error) = Redis::builder(url).build() else { panic!("{url} was taken") };
            assert_eq!(error.kind(), ErrorKind::Config, "{url}");
            assert!(!format!("{error} {error:?}").contains("S3CR3T"));
        }
    }

    #[test]
    fn a_handle_and_its_builder_print_no_secret() {
        let builder = Redis::builder("redis://S3CR3T-7f2a:S3CR3T-7f2a@h");
        assert!(!format!("{builder:?} {:?}", builder.clone().build().unwrap()).contains("S3CR3T"));
    }
}
