//! What a Memcached backend is told.

use super::address::{host_and_port, with_port};

/// The settings of a Memcached backend.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct MemcachedConfig {
    /// Defaults to `localhost`.
    pub host: String,
    /// Also the port of `servers` that name none. Defaults to 11211.
    pub port: u16,
    /// `host` or `host:port`, IPv6 addresses in brackets if a port follows. If given, `host` is not looked
    /// at. Defaults to none.
    pub servers: Vec<String>,
    /// Connections at most, to each server. Defaults to 10.
    pub pool_size: u32,
    /// Whether `clear` works, as `MemcachedBuilder::clearable` says: every program that shares the keys must agree.
    /// Defaults to no.
    pub clearable: bool,
}

impl Default for MemcachedConfig {
    fn default() -> MemcachedConfig {
        MemcachedConfig {
            host: "localhost".to_owned(),
            port: 11211,
            servers: Vec::new(),
            pool_size: 10,
            clearable: false,
        }
    }
}

impl MemcachedConfig {
    /// All servers as `host:port`, IPv6 addresses in brackets; never empty.
    pub fn addresses(&self) -> Vec<String> {
        if self.servers.is_empty() {
            return vec![host_and_port(&self.host, self.port)];
        }
        self.servers.iter().map(|server| with_port(server, self.port)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(servers: &[&str]) -> Vec<String> {
        let servers = servers.iter().map(|server| (*server).to_owned()).collect();
        MemcachedConfig { servers, ..MemcachedConfig::default() }.addresses()
    }

    #[test]
    fn without_servers_it_is_host_and_port() {
        assert_eq!(addresses(&[]), ["localhost:11211"]);
        let six = MemcachedConfig { host: "::1".to_owned(), ..MemcachedConfig::default() };
        assert_eq!(six.addresses(), ["[::1]:11211"]);
    }

    #[test]
    fn servers_get_the_port_they_lack() {
        assert_eq!(
            addresses(&["a", "b:1", "10.0.0.1", "::1", "[::2]", "[::3]:7"]),
            ["a:11211", "b:1", "10.0.0.1:11211", "[::1]:11211", "[::2]:11211", "[::3]:7"]
        );
    }
}
