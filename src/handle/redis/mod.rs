//! Redis servers as users name them.

mod alike;
mod builder;
mod endpoint;
mod topology;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

pub use self::builder::RedisBuilder;
pub(crate) use self::endpoint::Endpoint;
pub(crate) use self::topology::{Sentinels, Topology};
use super::Links;
use super::tls::Tls;
use crate::engine::flight::Flights;

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
    pub(crate) max_reply_size: usize,
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
        RedisBuilder::new(url.as_ref())
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
