//! Configuration as plain values, built in code or read from YAML or any other serde format.
//!
//! What is written becomes a tree with lines (`tree`, `yaml`), the tree becomes typed sections by the tables
//! in `keys` (`reader`, `value`), and the sections are held against `range` and `rules`. All faults are
//! gathered (`fault`) and told at once, with path and line and never with a value.
//!
//! ```
//! # #[cfg(feature = "yaml")] {
//! use lexigram_cache::Config;
//!
//! let text = "
//! cache:
//!   backends:
//!     - name: local
//!       type: memory
//!       max_sise: 500
//! ";
//! let error = Config::from_yaml_str(text).unwrap_err();
//! assert_eq!(
//!     error.to_string(),
//!     "configuration: cache.backends[0].max_sise (line 6): unknown key; did you mean `max_size`?"
//! );
//! # }
//! ```

use std::time::Duration;

use serde::de::{Deserialize, Deserializer, Error as _};

use crate::error::{Error, ErrorKind, Result};

mod address;
mod backend;
mod duration;
mod fault;
mod features;
mod keys;
mod memcached;
mod near;
mod range;
mod reader;
mod redis;
mod rules;
mod secret;
mod serializer;
mod service;
mod tree;
mod value;
#[cfg(feature = "yaml")]
mod yaml;

pub use backend::{BackendConfig, BackendKind, MemoryConfig};
pub use keys::ConfigKey;
pub use memcached::MemcachedConfig;
pub use redis::{RedisConfig, RedisMode};
pub use secret::Secret;
pub use serializer::Serializer;
pub use service::ServiceConfig;

use fault::{Report, Step};
use features::Features;
use tree::Node;

/// Everything that can be configured.
///
/// ```
/// use lexigram_cache::Config;
/// use lexigram_cache::config::{BackendConfig, MemoryConfig};
///
/// let mut config = Config::default();
/// config.backends.push(BackendConfig::new("local", MemoryConfig::default()));
/// config.validate()?;
/// assert_eq!(config.default_name()?, "local");
/// # Ok::<(), lexigram_cache::Error>(())
/// ```
///
/// Its `Deserialize` reads the same keys, with the same errors, from any format that describes itself; the
/// result is valid. Secrets print as `[redacted]`.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Config {
    /// `false` makes every read a miss and every write a no-op; loaders run. Defaults to `true`.
    pub enabled: bool,
    /// Where this runs. Defaults to none.
    pub env: Option<Environment>,
    /// The backends. There must be at least one.
    pub backends: Vec<BackendConfig>,
    /// What holds for all backends.
    pub service: ServiceConfig,
    /// Whether backends report their counters. Defaults to `true`.
    pub enable_metrics: bool,
    /// How often health is looked at unasked. Zero is never, the default.
    pub health_check_interval: Duration,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            enabled: true,
            env: None,
            backends: Vec::new(),
            service: ServiceConfig::default(),
            enable_metrics: true,
            health_check_interval: Duration::ZERO,
        }
    }
}

impl Config {
    /// Reads a YAML text, with all keys under `cache` or without it, and validates it.
    ///
    /// # Errors
    /// `Config`, with every fault of the text: its path, its line and what is allowed, never a value.
    #[cfg(feature = "yaml")]
    pub fn from_yaml_str(text: &str) -> Result<Config> {
        Config::from_tree(&yaml::parse(text)?, &Features::COMPILED)
    }

    /// Reads a YAML file like [`Config::from_yaml_str`].
    ///
    /// # Errors
    /// `Config`, also if the file cannot be read, is no UTF-8 text or is larger than 1 MiB.
    #[cfg(feature = "yaml")]
    pub fn from_yaml_file(path: impl AsRef<std::path::Path>) -> Result<Config> {
        Config::from_yaml_str(&yaml::read_file(path.as_ref())?)
    }

    /// Checks what the types cannot: ranges, unique names, one default, features that are compiled in.
    ///
    /// # Errors
    /// `Config`, with every fault by its path as it would stand in a file.
    pub fn validate(&self) -> Result<()> {
        let mut report = Report::new();
        report.inside_all(&[Step::Key(reader::AROUND)], |report| self.check(&Features::COMPILED, report));
        report.finish()
    }

    /// The name of the default backend: `service.default_backend`, else the backend with the flag, else the
    /// only backend there is.
    ///
    /// # Errors
    /// `Config` if there is none, or it is not enabled.
    pub fn default_name(&self) -> Result<&str> {
        match rules::default_backend(self) {
            Ok(backend) => Ok(&backend.name),
            Err(misfit) => Err(Error::new(ErrorKind::Config, format!("configuration: {}", misfit.text))),
        }
    }

    /// Every key that a configuration may have, with default and meaning.
    ///
    /// ```
    /// use lexigram_cache::Config;
    ///
    /// let port = Config::keys().find(|key| key.name == "redis_port").unwrap();
    /// assert_eq!((port.section, port.backend, port.default), ("backends[]", Some("redis"), "6379"));
    /// ```
    pub fn keys() -> impl Iterator<Item = ConfigKey> {
        keys::all()
    }

    fn from_tree(root: &Node, features: &Features) -> Result<Config> {
        let mut report = Report::new();
        let config = reader::config(root, &mut report);
        let around: &[Step<'_>] =
            if root.get(reader::AROUND).is_some() { &[Step::Key(reader::AROUND)] } else { &[] };
        report.inside_all(around, |report| config.check(features, report));
        report.finish()?;
        Ok(config)
    }

    fn check(&self, features: &Features, report: &mut Report) {
        rules::values(self, features, report);
        // Names and flags that could not be read would make faults here that are not there.
        if report.is_clean() {
            rules::names(self, report);
        }
    }
}

impl<'de> Deserialize<'de> for Config {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Config, D::Error> {
        let root = Node::deserialize(deserializer)?;
        Config::from_tree(&root, &Features::COMPILED).map_err(D::Error::custom)
    }
}

/// Where a program runs.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Environment {
    /// A developer's machine.
    Development,
    /// A rehearsal of production.
    Staging,
    /// The real thing.
    Production,
    /// A test run.
    Test,
}

impl Environment {
    const WORDS: &[(&str, Environment)] = &[
        ("development", Environment::Development),
        ("staging", Environment::Staging),
        ("production", Environment::Production),
        ("test", Environment::Test),
    ];
}

#[cfg(all(test, feature = "yaml"))]
mod tests;
