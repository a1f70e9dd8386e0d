//! Several named caches at once, one of them the default.

use super::backend::BackendHandle;
use super::cache::{Cache, CacheBuilder};
use super::{maybe_async, rt};

mod build;
mod watch;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use self::build::Handles;
use self::watch::Watch;
use crate::config::Config;
use crate::error::{Error, ErrorKind, Result};

/// Named caches, as a configuration describes them. A cheap clone.
///
/// Backends that name the same server with the same connection settings share their connections, whatever else they
/// differ in.
///
/// ```
/// # #[cfg(feature = "yaml")] {
/// use lexigram_cache::{Caches, Ttl};
///
/// let caches = Caches::from_yaml_str("
/// backends:
///   - {name: local, type: memory, max_size: 500, default: true}
///   - {name: pages, type: memory, default_ttl: 5m}
/// ")?;
/// caches.get("pages")?.set("home", "<html>", Ttl::DEFAULT)?;
/// assert_eq!(caches.names().collect::<Vec<_>>(), ["local", "pages"]);
/// # }
/// # Ok::<(), lexigram_cache::Error>(())
/// ```
#[derive(Clone)]
pub struct Caches {
    inner: Arc<Inner>,
}

struct Inner {
    /// `None` for a backend that is configured but not enabled.
    caches: BTreeMap<String, Option<Cache>>,
    default: Cache,
    /// The configuration in force.
    config: Mutex<Config>,
    watch: Watch,
}

impl Caches {
    /// Builds the caches of a configuration. Dials nothing.
    ///
    /// # Errors
    /// `Config` for everything that is wrong with it, at once.
    pub fn from_config(config: Config) -> Result<Caches> {
        config.validate()?;
        let default_name = config.default_name()?;
        let mut handles = Handles::default();
        let mut caches = BTreeMap::new();
        for backend in &config.backends {
            let cache = match backend.enabled {
                true => Some(build::cache(&config, backend, &mut handles)?),
                false => None,
            };
            caches.insert(backend.name.clone(), cache);
        }
        let default = caches.get(default_name).cloned().flatten();
        let default =
            default.ok_or_else(|| Error::new(ErrorKind::Config, "the default cache is not enabled"))?;
        let watch = Watch::new(&config);
        let caches = Caches { inner: Arc::new(Inner { caches, default, config: config.into(), watch }) };
        caches.keep_watch();
        Ok(caches)
    }

    /// Builds the caches that a YAML text describes, completed by the variables of the process; see
    /// [`ConfigLoader`](crate::config::ConfigLoader).
    ///
    /// # Errors
    /// `Config`, naming the path, the line and what is allowed, for all faults of the text at once.
    #[cfg(feature = "yaml")]
    pub fn from_yaml_str(yaml: &str) -> Result<Caches> {
        Caches::from_config(Config::from_yaml_str(yaml)?)
    }

    /// Builds the caches that a YAML file describes, with the file for the environment laid over it; see
    /// [`Config::from_yaml_file`]. Reads the file in place, so call it at start-up.
    ///
    /// # Errors
    /// `Config`, as [`from_yaml_str`](Caches::from_yaml_str), and if the file cannot be read.
    #[cfg(feature = "yaml")]
    pub fn from_yaml_file(path: impl AsRef<std::path::Path>) -> Result<Caches> {
        Caches::from_config(Config::from_yaml_file(path)?)
    }

    /// The cache of this name.
    ///
    /// # Errors
    /// `Config` if there is none, with the names there are, or if it is not enabled.
    pub fn get(&self, name: &str) -> Result<Cache> {
        self.keep_watch();
        match self.inner.caches.get(name) {
            Some(Some(cache)) => Ok(cache.clone()),
            Some(None) => {
                let text = format!("the cache `{name}` is configured with `enabled: false`");
                Err(Error::new(ErrorKind::Config, text))
            }
            None => {
                let known: Vec<_> = self.names().collect();
                let text = format!("no cache is named `{name}`; there are: {}", known.join(", "));
                Err(Error::new(ErrorKind::Config, text))
            }
        }
    }

    /// The default cache.
    pub fn default(&self) -> Cache {
        self.keep_watch();
        self.inner.default.clone()
    }

    /// The names of the caches that can be got, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.inner.caches.iter().filter(|(_, cache)| cache.is_some()).map(|(name, _)| name.as_str())
    }
}

impl Caches {
    /// The configuration in force: the one that the caches were built from, or that [`reload`](Caches::reload) was last given.
    pub fn config(&self) -> Config {
        self.inner.lock().clone()
    }

    /// Puts another configuration in force: lifetimes and the protection of loads change for all clones of all caches, from their
    /// next calls on. A [`Policy`](crate::Policy) that was made before keeps what it says. Those keys are the ones for which
    /// [`ConfigKey::live`](crate::config::ConfigKey::live) is true.
    ///
    /// ```
    /// # #[cfg(feature = "yaml")] {
    /// use lexigram_cache::{Caches, Config, Remaining, Ttl};
    /// use std::time::Duration;
    ///
    /// let caches = Caches::from_yaml_str("backends: [{name: local, type: memory}]")?;
    /// let cache = caches.default();
    /// caches.reload(Config::from_yaml_str("backends: [{name: local, type: memory, default_ttl: 5m}]")?)?;
    /// cache.set("k", &1, Ttl::DEFAULT)?;
    /// assert!(matches!(cache.ttl("k")?, Some(Remaining::For(left)) if left <= Duration::from_secs(300)));
    ///
    /// let larger = Config::from_yaml_str("backends: [{name: local, type: memory, max_size: 5}]")?;
    /// assert!(caches.reload(larger).unwrap_err().to_string().contains("cache.backends[0].max_size"));
    /// # }
    /// # Ok::<(), lexigram_cache::Error>(())
    /// ```
    ///
    /// # Errors
    /// `Config` for everything that is wrong with it, or with the list of the keys in which it differs and that cannot be
    /// changed while caches run. Nothing is changed then.
    pub fn reload(&self, config: Config) -> Result<()> {
        config.validate()?;
        // Held to the end, so that two reloads do not mix.
        let mut current = self.inner.lock();
        let fixed = current.fixed_changes(&config);
        if !fixed.is_empty() {
            let text = format!(
                "these keys cannot be changed while caches run; build new ones for them: {}",
                fixed.join(", ")
            );
            return Err(Error::new(ErrorKind::Config, text));
        }
        let rules = build::rules(&config.service);
        for backend in &config.backends {
            if let Some(Some(cache)) = self.inner.caches.get(&backend.name) {
                cache.tune(rules.clone(), build::default_ttl(backend)?);
            }
        }
        *current = config;
        Ok(())
    }
}

#[maybe_async]
impl Caches {
    /// Closes every cache, one after the other, in the order of the configuration; see [`Cache::close`]. Takes at most the sum of
    /// their timeouts, and only where reloads in the background are to be waited for.
    pub async fn close(&self) {
        self.inner.watch.end();
        let names: Vec<String> = self.config().backends.into_iter().map(|backend| backend.name).collect();
        for name in names {
            if let Some(Some(cache)) = self.inner.caches.get(&name) {
                cache.close().await;
            }
        }
    }
}

impl Inner {
    /// Replaced whole, so a poisoned lock guards a whole configuration.
    fn lock(&self) -> MutexGuard<'_, Config> {
        self.config.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Caches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Caches")
            .field("caches", &self.inner.caches)
            .field("default", &self.inner.default)
            .finish_non_exhaustive()
    }
}
