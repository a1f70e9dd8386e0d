//! Configuration as plain values, built in code or read from YAML or any other serde format.
//!
//! What is written becomes a tree whose nodes know their places (`yaml`, `tree`, `source`), completed by the file for the environment
//! (`profile`) and by variables (`expand`, `overlay`); the tree becomes typed sections by the tables in `keys` (`reader`, `value`), and
//! these are held against `range`, `rules` and `production`. `loader` has the order of it. All faults are gathered
//! (`fault`) and told at once, with path, place and line (`excerpt`), and never with a value that may be secret.
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
//!     "configuration: cache.backends[0].max_sise (line 6, column 7): unknown key; did you mean `max_size`?
//!   6 |       max_sise: …
//!     |       ^"
//! );
//! # }
//! ```

use std::time::Duration;

use serde::de::{Deserialize, Deserializer};

use crate::error::{Error, ErrorKind, Result};

mod address;
mod backend;
mod change;
mod duration;
mod environment;
mod excerpt;
mod expand;
mod fault;
mod features;
mod keys;
mod loader;
mod memcached;
mod near;
mod overlay;
mod production;
#[cfg(feature = "yaml")]
mod profile;
mod range;
mod reader;
mod redis;
mod rules;
#[cfg(feature = "cli")]
mod schema;
mod secret;
mod secret_file;
mod serializer;
mod service;
mod shape;
mod source;
mod tree;
mod value;
mod variables;
#[cfg(feature = "yaml")]
mod yaml;

pub use backend::{BackendConfig, BackendKind, MemoryConfig};
pub use duration::parse_duration;
pub use environment::Environment;
pub use keys::ConfigKey;
pub use loader::ConfigLoader;
pub use memcached::MemcachedConfig;
pub use redis::{RedisConfig, RedisMode};
pub use secret::Secret;
pub use serializer::Serializer;
pub use service::ServiceConfig;

use fault::{Report, Step};
use features::Features;
use source::Sources;

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
/// Its `Deserialize` reads the same keys, completed by the same variables and with the same errors, from any format that
/// describes itself; the result is valid. Secrets print as `[redacted]`.
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
    /// How often the backends are asked unasked whether they answer, for `Caches::last_health`. Zero is never, the default.
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
    /// Reads a YAML text, with all keys under `cache` or without it, completes it with the variables of the process, and
    /// checks it; see [`ConfigLoader`].
    ///
    /// # Errors
    /// `Config`, with every fault of the text: its path, its place, what is allowed, and the line as far as it holds nothing
    /// that may be secret.
    #[cfg(feature = "yaml")]
    pub fn from_yaml_str(text: &str) -> Result<Config> {
        ConfigLoader::new().yaml_str(text)
    }

    /// Reads a YAML file like [`Config::from_yaml_str`], and over it the one for the environment, which is named by `env`, `LEX_ENV` or
    /// `APP_ENV`: with `cache.yaml` that is `cache.production.yaml` and the like. Mappings are merged key by key, backends
    /// by their names.
    ///
    /// # Errors
    /// `Config`, also if a file cannot be read, is no UTF-8 text or is larger than 1 MiB.
    #[cfg(feature = "yaml")]
    pub fn from_yaml_file(path: impl AsRef<std::path::Path>) -> Result<Config> {
        ConfigLoader::new().yaml_file(path)
    }

    /// Checks what the types cannot: ranges, unique names, one default, features that are compiled in, and in production
    /// that no Redis on another machine goes without a strong password.
    ///
    /// # Errors
    /// `Config`, with every fault by its path as it would stand in a file.
    pub fn validate(&self) -> Result<()> {
        let mut report = Report::new();
        report.inside_all(&[Step::Key(reader::AROUND)], |report| self.check(&Features::COMPILED, report));
        report.finish(&Sources::default())
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

    fn check(&self, features: &Features, report: &mut Report) {
        rules::values(self, features, report);
        // Names and flags that could not be read would make faults here that are not there.
        if report.is_clean() {
            rules::names(self, report);
        }
        if self.env == Some(Environment::Production) {
            production::check(self, report);
        }
    }
}

impl<'de> Deserialize<'de> for Config {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Config, D::Error> {
        ConfigLoader::new().deserialize(deserializer)
    }
}

#[cfg(all(test, feature = "yaml"))]
mod tests;
