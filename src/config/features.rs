//! What this build can do.

use super::{BackendKind, RedisConfig, RedisMode, Serializer};

/// The cargo features a configuration can ask for, and whether they are compiled in.
///
/// A value, so that tests can ask what a smaller or larger build would say.
#[derive(Clone, Copy)]
pub(super) struct Features {
    pub(super) json: bool,
    pub(super) postcard: bool,
    pub(super) compress: bool,
    pub(super) redis: bool,
    pub(super) memcached: bool,
    pub(super) cluster: bool,
    pub(super) tls: bool,
}

impl Features {
    /// Those of this build.
    pub(super) const COMPILED: Features = Features {
        json: cfg!(feature = "json"),
        postcard: cfg!(feature = "postcard"),
        compress: cfg!(feature = "compress"),
        redis: cfg!(feature = "redis"),
        memcached: cfg!(feature = "memcached"),
        cluster: cfg!(feature = "cluster"),
        tls: cfg!(feature = "tls"),
    };

    #[cfg(all(test, feature = "yaml"))]
    pub(super) const ALL: Features = Features {
        json: true,
        postcard: true,
        compress: true,
        redis: true,
        memcached: true,
        cluster: true,
        tls: true,
    };

    /// What a backend of this type lacks, as advice.
    pub(super) fn missing_for(&self, kind: &BackendKind) -> Option<String> {
        match kind {
            BackendKind::Redis(_) if !self.redis => Some(advice("redis")),
            BackendKind::Memcached(_) if !self.memcached => Some(advice("memcached")),
            _ => None,
        }
    }

    /// What this way to organise servers lacks, as advice.
    pub(super) fn missing_for_mode(&self, kind: &BackendKind) -> Option<String> {
        match kind {
            BackendKind::Redis(redis) if redis.mode == RedisMode::Cluster && !self.cluster => {
                Some(advice("cluster"))
            }
            _ => None,
        }
    }

    /// What this way to connect lacks, as advice.
    pub(super) fn missing_for_tls(&self, redis: &RedisConfig) -> Option<String> {
        (redis.is_encrypted() && !self.tls).then(|| advice("tls"))
    }

    /// What this form of values lacks, as advice.
    pub(super) fn missing_for_values(&self, serializer: Serializer) -> Option<String> {
        match serializer.is_postcard() {
            true if !self.postcard => Some(advice("postcard")),
            false if !self.json => Some(advice("json")),
            _ if serializer.is_compressed() && !self.compress => Some(advice("compress")),
            _ => None,
        }
    }
}

fn advice(feature: &str) -> String {
    format!("not compiled in: add features = [\"{feature}\"] to lexigram-cache in Cargo.toml")
}
