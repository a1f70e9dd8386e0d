//! Which configuration holds, and the cache that a command is about.

use std::env;
use std::path::{Path, PathBuf};

use lexigram_cache::config::{BackendConfig, BackendKind, MemoryConfig, Serializer};
use lexigram_cache::{Cache, Caches, Config};

use super::arguments::Common;
use super::failure::{Code, Failure, say};

/// The configuration that holds.
pub struct Configured {
    pub config: Config,
}

/// The cache that a command is about.
pub struct Target {
    pub cache: Cache,
    pub backend: BackendConfig,
    pub serializer: Serializer,
}

impl Configured {
    /// What `--config` names, else `LEX_CACHE_CONFIG`, else `cache.yaml` in the folder one is in, else memory.
    pub fn find(common: &Common) -> Result<Configured, Failure> {
        let config = match file(common.config.as_deref()) {
            Some(path) => Config::from_yaml_file(&path)?,
            None => {
                let mut config = Config::default();
                config.backends.push(BackendConfig::new("memory", MemoryConfig::default()));
                config
            }
        };
        Ok(Configured::new(config))
    }

    /// With failures told: a program may go on without its cache, a person wants to know.
    pub fn new(mut config: Config) -> Configured {
        config.backends.iter_mut().for_each(|backend| backend.degrade = false);
        Configured { config }
    }

    pub fn caches(&self) -> Result<Caches, Failure> {
        Ok(Caches::from_config(self.config.clone())?)
    }

    /// The cache of `--backend`, else the default one.
    pub fn target(&self, common: &Common) -> Result<Target, Failure> {
        let name = match &common.backend {
            Some(name) => name,
            None => self.config.default_name()?,
        };
        self.named(&self.caches()?, name, common)
    }

    /// The cache of `--backend`, else all that are enabled.
    pub fn targets(&self, common: &Common) -> Result<Vec<Target>, Failure> {
        let caches = self.caches()?;
        match &common.backend {
            Some(name) => Ok(vec![self.named(&caches, name, common)?]),
            None => caches.names().map(|name| self.named(&caches, name, common)).collect(),
        }
    }

    fn named(&self, caches: &Caches, name: &str, common: &Common) -> Result<Target, Failure> {
        if !self.config.enabled {
            say("this configuration says `enabled: false`: nothing is stored, and nothing is found");
        }
        let cache = caches.get(name)?;
        let cache = common.timeout.map_or(cache.clone(), |timeout| cache.with_timeout(timeout));
        let backend = self.config.backends.iter().find(|backend| backend.name == name);
        let backend = backend.ok_or_else(|| Failure::new(Code::Config, "no such backend"))?.clone();
        let serializer = backend.serializer.unwrap_or(self.config.service.default_serializer);
        Ok(Target { cache, backend, serializer })
    }
}

impl Target {
    /// The cache that `--backend` and the configuration name.
    pub fn find(common: &Common) -> Result<Target, Failure> {
        Configured::find(common)?.target(common)
    }

    pub fn is_memory(&self) -> bool {
        matches!(self.backend.kind, BackendKind::Memory(_))
    }

    /// Whether values are text that a person can read and write.
    pub fn needs_json(&self) -> Result<(), Failure> {
        if !self.serializer.is_postcard() || self.is_memory() {
            return Ok(());
        }
        let text = "values of this backend are postcard, which only the program that knows their type can read; \
                    give --bytes for what is stored";
        Err(Failure::new(Code::Unsupported, text))
    }

    /// What stays the same of a place from one run to the next, without its secrets.
    pub fn identity(&self) -> String {
        format!("{} {} {}", self.backend.name, address(&self.backend.kind), self.backend.key_prefix)
    }
}

/// The file that holds, if there is one.
pub fn file(given: Option<&Path>) -> Option<PathBuf> {
    let named = given.map(Path::to_owned);
    let named =
        named.or_else(|| env::var_os("LEX_CACHE_CONFIG").filter(|path| !path.is_empty()).map(PathBuf::from));
    named.or_else(|| Some(PathBuf::from("cache.yaml")).filter(|path| path.is_file()))
}

/// Where the servers are, without user, password and parameters.
pub fn address(kind: &BackendKind) -> String {
    match kind {
        BackendKind::Redis(redis) => {
            let mut places = vec![bare(redis.address().expose())];
            places.extend(redis.further_nodes());
            places.join(", ")
        }
        BackendKind::Memcached(memcached) => memcached.addresses().join(", "),
        _ => "this process".to_owned(),
    }
}

/// A URL without what may be secret in it: user, password and parameters. A password that is not percent-encoded can make it
/// doubtful where that ends; then nothing is left.
fn bare(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let (place, parameters) = rest.split_at(rest.find(['?', '#']).unwrap_or(rest.len()));
    match parameters.contains('@') {
        true => format!("{scheme}://…"),
        false => format!("{scheme}://{}", place.rsplit('@').next().unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::bare;

    #[test]
    fn no_secret_is_left_of_a_url() {
        for (url, left) in [
            ("redis://h:1/0", "redis://h:1/0"),
            ("rediss://u:S3CR3T@h:1/0", "rediss://h:1/0"),
            ("redis://:S3CR3T/@x@h", "redis://h"),
            ("redis+unix:///run/r.sock?db=0&pass=S3CR3T", "redis+unix:///run/r.sock"),
            ("redis://:S3CR3T?S3CR3T@h", "redis://…"),
            ("redis://h?password=S3@CR3T", "redis://…"),
        ] {
            assert_eq!(bare(url), left);
        }
    }
}
