//! Redis servers as users name them.

mod alike;
mod endpoint;
mod topology;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use redis::{ConnectionAddr, IntoConnectionInfo};

pub(crate) use self::endpoint::Endpoint;
use self::topology::Plan;
pub(crate) use self::topology::{Sentinels, Topology};
use super::Links;
use super::tls::{Tls, TlsSettings};
use crate::engine::flight::Flights;
use crate::error::{Error, ErrorKind, Result};

/// A Redis server, or several that belong together, and the connections to them, made when they are first needed.
///
/// A cheap clone; caches built on clones share the connections. Where one machine is not enough, a
#[cfg_attr(feature = "cluster", doc = "[cluster](RedisBuilder::cluster)")]
#[cfg_attr(not(feature = "cluster"), doc = "cluster (feature `cluster`)")]
/// spreads the keys; where it must not be the only one, [sentinels](RedisBuilder::sentinel) watch over replicas.
///
/// ```
/// use lexigram_cache::{Cache, Redis};
///
/// let redis = Redis::builder("redis://127.0.0.1:6379/0").pool_size(10).build()?; // dials nothing
/// let cache = Cache::builder().backend(redis).prefix("myapp").build()?;
/// # Ok::<(), lexigram_cache::Error>(())
/// ```
#[derive(Clone)]
pub struct Redis {
    pub(crate) shared: Arc<Shared>,
}

pub(crate) struct Shared {
    pub(crate) settings: Settings,
    pub(crate) topology: Topology,
    pub(crate) flights: Arc<Flights>,
    pub(crate) links: Links,
}

/// What a connection needs to know.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) address: Address,
    pub(crate) database: i64,
    pub(crate) username: Option<String>,
    pub(crate) password: Option<String>,
    pub(crate) pool_size: u32,
    pub(crate) client_name: String,
    pub(crate) breaker: Option<u32>,
    pub(crate) resp3: bool,
    /// Whether a server that is a replica is refused.
    pub(crate) master_only: bool,
}

/// Where the server listens.
#[derive(Clone)]
pub(crate) enum Address {
    /// Resolved anew at each dial.
    Tcp {
        host: String,
        port: u16,
        tls: Option<Tls>,
    },
    Unix(PathBuf),
}

impl Address {
    /// What tells servers apart. Who tries TLS on a port that speaks none, or the reverse, knows nothing about the server
    /// that others reach there.
    pub(crate) fn identity(&self) -> String {
        match self {
            Address::Tcp { tls: Some(_), .. } => format!("rediss://{self}"),
            Address::Tcp { .. } => format!("redis://{self}"),
            Address::Unix(_) => format!("unix://{self}"),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Tcp { host, port, .. } => Endpoint::new(host, *port).fmt(f),
            Address::Unix(path) => write!(f, "{}", path.display()),
        }
    }
}

impl Redis {
    /// Begins a Redis backend: `redis://[user][:password@]host[:port][/database]`, `rediss://..` for TLS
    /// (feature `tls`), or `unix:///path` with `?db=`, `?user=` and `?pass=`. The parts are percent-decoded.
    pub fn builder(url: impl AsRef<str>) -> RedisBuilder {
        RedisBuilder {
            url: url.as_ref().to_owned(),
            pool_size: 10,
            client_name: "lexigram-cache".to_owned(),
            breaker: Some(super::FAILURES),
            resp3: false,
            tls: TlsSettings::default(),
            plan: Plan::default(),
        }
    }
}

/// Shows where, never who or with what password.
impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Settings { address, database, pool_size, client_name, .. } = &self.shared.settings;
        let mut redis = f.debug_struct("Redis");
        match &self.shared.topology {
            Topology::Standalone => redis.field("address", &address.to_string()),
            several => redis.field("servers", several),
        };
        redis
            .field("database", database)
            .field("pool_size", pool_size)
            .field("client_name", client_name)
            .finish_non_exhaustive()
    }
}

/// Settings of a [`Redis`].
#[derive(Clone)]
#[must_use = "nothing is made before build()"]
pub struct RedisBuilder {
    url: String,
    pool_size: u32,
    client_name: String,
    breaker: Option<u32>,
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
    /// The most connections of blocking callers to each server; who finds all in use waits within its deadline. Tasks share
    /// one multiplexed connection instead. Defaults to 10.
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
    /// `Config`, with what is allowed: a URL that is none, a pool of zero, a breaker of zero, a client name with blanks, a
    /// certificate file that is none, TLS settings without `rediss://`; a further server that is no `host:port`, a Unix socket in
    /// place of several servers, a cluster with sentinels or a database, a master without a name. The text never holds the URL,
    /// which may carry a password.
    pub fn build(self) -> Result<Redis> {
        super::check_pool_size(self.pool_size)?;
        super::check_breaker(self.breaker)?;
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
