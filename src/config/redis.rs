//! What a Redis backend is told, and its address as one URL.

use std::fmt::Write as _;
use std::path::PathBuf;

use super::Secret;
use super::address::{host_and_port, with_port};

/// The settings of a Redis backend.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct RedisConfig {
    /// The whole address, `redis://`, `rediss://` or `unix://`. If given, host, port, db, username,
    /// password and ssl are not looked at; of a cluster or of sentinels it names the first. Defaults to none.
    pub url: Option<Secret>,
    /// A name, an address, or the path of a Unix socket, which begins with `/`. Not looked at where there are `nodes`.
    /// Defaults to `localhost`.
    pub host: String,
    /// Also the port of nodes of a cluster that name none. Defaults to 6379.
    pub port: u16,
    /// The number of the database. Defaults to 0.
    pub db: u32,
    /// The user of an ACL; needs a password. Defaults to none.
    pub username: Option<Secret>,
    /// Defaults to none.
    pub password: Option<Secret>,
    /// Whether to connect with TLS. Defaults to `false`.
    pub ssl: bool,
    /// Connections at most. Defaults to 10.
    pub pool_size: u32,
    /// Certificate authorities to trust, PEM. Defaults to the public ones that Mozilla trusts.
    pub ca_file: Option<PathBuf>,
    /// Our own certificate, PEM; goes with `key_file`. Defaults to none.
    pub cert_file: Option<PathBuf>,
    /// The key of our own certificate, PEM; goes with `cert_file`. Defaults to none.
    pub key_file: Option<PathBuf>,
    /// How the servers are organised. Defaults to [`RedisMode::Standalone`].
    pub mode: RedisMode,
    /// Nodes of a cluster, or the sentinels, as `host` or `host:port`. They are enough: username, password, db and ssl say
    /// how the servers are reached. A sentinel that names no port has 26379. Defaults to none.
    pub nodes: Vec<String>,
    /// The name the sentinels know the master by. Defaults to none.
    pub sentinel_master: Option<String>,
    /// Our user at the sentinels themselves; needs a password. Defaults to none.
    pub sentinel_username: Option<Secret>,
    /// Our password at the sentinels themselves. Defaults to none.
    pub sentinel_password: Option<Secret>,
}

impl Default for RedisConfig {
    fn default() -> RedisConfig {
        RedisConfig {
            url: None,
            host: "localhost".to_owned(),
            port: 6379,
            db: 0,
            username: None,
            password: None,
            ssl: false,
            pool_size: 10,
            ca_file: None,
            cert_file: None,
            key_file: None,
            mode: RedisMode::Standalone,
            nodes: Vec::new(),
            sentinel_master: None,
            sentinel_username: None,
            sentinel_password: None,
        }
    }
}

impl RedisConfig {
    /// The address to connect to first: `url` if there is one, else made of the parts, percent-encoded, with the first of
    /// `nodes` as the host if there are any.
    ///
    /// ```
    /// use lexigram_cache::config::RedisConfig;
    ///
    /// let mut redis = RedisConfig::default();
    /// redis.password = Some("p@ss/word".into());
    /// assert_eq!(redis.address().expose(), "redis://:p%40ss%2Fword@localhost:6379/0");
    /// ```
    pub fn address(&self) -> Secret {
        match &self.url {
            Some(url) => url.clone(),
            None if self.nodes.is_empty() && self.host.starts_with('/') => self.socket().into(),
            None => self.network().into(),
        }
    }

    /// Whether the address asks for TLS.
    pub(super) fn is_encrypted(&self) -> bool {
        match &self.url {
            Some(url) => url.expose().starts_with("rediss://"),
            None => self.ssl && (!self.nodes.is_empty() || !self.host.starts_with('/')),
        }
    }

    /// The nodes beside that of [`address`](RedisConfig::address), as `host:port`.
    pub fn further_nodes(&self) -> Vec<String> {
        let named = if self.url.is_some() { 0 } else { 1 };
        self.nodes.iter().skip(named).map(|node| self.with_port(node)).collect()
    }

    fn with_port(&self, node: &str) -> String {
        with_port(node, if self.mode == RedisMode::Sentinel { 26_379 } else { self.port })
    }

    fn network(&self) -> String {
        let mut url = String::from(if self.ssl { "rediss://" } else { "redis://" });
        if let Some(username) = &self.username {
            encode(&mut url, username.expose());
        }
        if let Some(password) = &self.password {
            url.push(':');
            encode(&mut url, password.expose());
        }
        if self.username.is_some() || self.password.is_some() {
            url.push('@');
        }
        url.push_str(&match self.nodes.first() {
            Some(node) => self.with_port(node),
            None => host_and_port(&self.host, self.port),
        });
        // Writing to a String cannot fail.
        let _ = write!(url, "/{}", self.db);
        url
    }

    fn socket(&self) -> String {
        let mut url = String::from("redis+unix://");
        for (index, part) in self.host.split('/').enumerate() {
            if index > 0 {
                url.push('/');
            }
            encode(&mut url, part);
        }
        let _ = write!(url, "?db={}", self.db);
        for (name, secret) in [("user", &self.username), ("pass", &self.password)] {
            if let Some(secret) = secret {
                let _ = write!(url, "&{name}=");
                encode(&mut url, secret.expose());
            }
        }
        url
    }
}

/// How Redis servers are organised.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum RedisMode {
    /// One server.
    #[default]
    Standalone,
    /// A cluster of shards.
    Cluster,
    /// A master with replicas, watched by sentinels.
    Sentinel,
}

impl RedisMode {
    pub(super) const WORDS: &[(&str, RedisMode)] = &[
        ("standalone", RedisMode::Standalone),
        ("cluster", RedisMode::Cluster),
        ("sentinel", RedisMode::Sentinel),
    ];
}

/// What the clients parse a URL by.
pub(super) const SCHEMES: [&str; 4] = ["redis://", "rediss://", "redis+unix://", "unix://"];

/// Everything but RFC 3986's unreserved characters.
fn encode(url: &mut String, text: &str) {
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => url.push(char::from(byte)),
            _ => {
                let _ = write!(url, "%{byte:02X}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(change: impl FnOnce(&mut RedisConfig)) -> String {
        let mut redis = RedisConfig::default();
        change(&mut redis);
        redis.address().expose().to_owned()
    }

    #[test]
    fn the_defaults_are_this_machine() {
        assert_eq!(address(|_| ()), "redis://localhost:6379/0");
    }

    #[test]
    fn a_url_wins_over_parts() {
        let url = address(|redis| {
            redis.url = Some("rediss://there:1/2".into());
            redis.port = 9;
        });
        assert_eq!(url, "rediss://there:1/2");
    }

    #[test]
    fn parts_are_percent_encoded() {
        let url = address(|redis| {
            redis.username = Some("ann@x".into());
            redis.password = Some("a:b/c?é%".into());
            redis.ssl = true;
            redis.db = 3;
        });
        assert_eq!(url, "rediss://ann%40x:a%3Ab%2Fc%3F%C3%A9%25@localhost:6379/3");
    }

    #[test]
    fn an_ipv6_host_is_bracketed_once() {
        assert_eq!(address(|redis| redis.host = "::1".to_owned()), "redis://[::1]:6379/0");
        assert_eq!(address(|redis| redis.host = "[::1]".to_owned()), "redis://[::1]:6379/0");
    }

    #[test]
    fn nodes_take_the_place_of_the_host() {
        let of = |mode, url: Option<&str>| {
            let nodes = ["a", "b:1", "::1"].map(str::to_owned).to_vec();
            let redis =
                RedisConfig { mode, nodes, url: url.map(Into::into), port: 7_000, ..RedisConfig::default() };
            (redis.address().expose().to_owned(), redis.further_nodes())
        };
        let (first, further) = of(RedisMode::Cluster, None);
        assert_eq!((first.as_str(), further), ("redis://a:7000/0", vec!["b:1".into(), "[::1]:7000".into()]));
        let (first, further) = of(RedisMode::Sentinel, None);
        assert_eq!(
            (first.as_str(), further),
            ("redis://a:26379/0", vec!["b:1".into(), "[::1]:26379".into()])
        );
        let (first, further) = of(RedisMode::Cluster, Some("redis://z:9"));
        assert_eq!((first.as_str(), further.len()), ("redis://z:9", 3));
    }

    #[test]
    fn a_host_that_is_a_path_is_a_unix_socket() {
        let url = address(|redis| {
            redis.host = "/run/my redis.sock".to_owned();
            redis.password = Some("a&b".into());
        });
        assert_eq!(url, "redis+unix:///run/my%20redis.sock?db=0&pass=a%26b");
    }
}
