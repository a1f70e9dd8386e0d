//! What must hold between the values of a configuration, each of which is right by itself.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::fault::{Report, Step};
use super::features::Features;
use super::keys::{BACKEND, Key, MEMCACHED, MEMORY, REDIS, ROOT, SERVICE};
use super::{BackendConfig, BackendKind, Config, RedisConfig, RedisMode, Serializer, ServiceConfig};

/// Every value against its range, and each backend in itself.
pub(super) fn values(config: &Config, features: &Features, report: &mut Report) {
    ranges(ROOT, config, report);
    report.inside_all(&[Step::Key("service")], |report| service(&config.service, features, report));
    for_each_backend(config, report, |_, backend, report| {
        ranges(BACKEND, backend, report);
        match &backend.kind {
            BackendKind::Memory(memory) => ranges(MEMORY, memory, report),
            BackendKind::Redis(redis) => {
                ranges(REDIS, redis, report);
                redis_parts(redis, report);
            }
            BackendKind::Memcached(memcached) => ranges(MEMCACHED, memcached, report),
        }
        // A backend that is switched off is not built, so it may ask for what this build has not.
        if backend.enabled {
            compiled(config, backend, features, report);
        }
    });
}

fn service(service: &ServiceConfig, features: &Features, report: &mut Report) {
    ranges(SERVICE, service, report);
    // The built-in default is nobody's wish until a backend has to write bytes with it.
    if service.default_serializer != Serializer::default()
        && let Some(missing) = features.missing_for_values(service.default_serializer)
    {
        report.at(&[Step::Key("default_serializer")], missing);
    }
}

fn ranges<T>(table: &[Key<T>], section: &T, report: &mut Report) {
    for row in table {
        if let Err(text) = (row.check)(section) {
            report.at(&[Step::Key(row.name)], text);
        }
    }
}

fn redis_parts(redis: &RedisConfig, report: &mut Report) {
    let login = redis.url.is_none() && redis.username.is_some();
    let (cluster, sentinel) = (redis.mode == RedisMode::Cluster, redis.mode == RedisMode::Sentinel);
    let sentinel_login = redis.sentinel_username.is_some() || redis.sentinel_password.is_some();
    let certificates = redis.ca_file.is_some() || redis.cert_file.is_some();
    let certificate = if redis.ca_file.is_some() { "redis_ca_file" } else { "redis_cert_file" };
    let rules = [
        (
            certificates && !redis.is_encrypted(),
            certificate,
            "is for TLS only; it needs `redis_ssl: true` or an address that begins with rediss:// too",
        ),
        (login && redis.password.is_none(), "redis_username", "needs `redis_password` too"),
        (
            redis.cert_file.is_some() && redis.key_file.is_none(),
            "redis_cert_file",
            "needs `redis_key_file` too",
        ),
        (
            redis.key_file.is_some() && redis.cert_file.is_none(),
            "redis_key_file",
            "needs `redis_cert_file` too",
        ),
        (
            sentinel && redis.sentinel_master.is_none(),
            "redis_mode",
            "sentinel needs `redis_sentinel_master` too",
        ),
        (
            sentinel && redis.url.is_none() && redis.nodes.is_empty(),
            "redis_mode",
            "sentinel needs `redis_nodes` too, which are the sentinels",
        ),
        (
            !sentinel && redis.sentinel_master.is_some(),
            "redis_sentinel_master",
            "is for `redis_mode: sentinel` only",
        ),
        (
            !sentinel && sentinel_login,
            "redis_sentinel_password",
            "is for `redis_mode: sentinel` only, and so is `redis_sentinel_username`",
        ),
        (
            redis.sentinel_username.is_some() && redis.sentinel_password.is_none(),
            "redis_sentinel_username",
            "needs `redis_sentinel_password` too",
        ),
        (
            redis.mode == RedisMode::Standalone && !redis.nodes.is_empty(),
            "redis_nodes",
            "several servers need `redis_mode: cluster` or `redis_mode: sentinel` too",
        ),
        (cluster && redis.url.is_none() && redis.db != 0, "redis_db", "a cluster has database 0 only"),
    ];
    for (is_broken, key, text) in rules {
        if is_broken {
            report.at(&[Step::Key(key)], text);
        }
    }
}

fn compiled(config: &Config, backend: &BackendConfig, features: &Features, report: &mut Report) {
    if let Some(missing) = features.missing_for(&backend.kind) {
        report.at(&[Step::Key("type")], missing);
    }
    if let Some(missing) = features.missing_for_mode(&backend.kind) {
        report.at(&[Step::Key("redis_mode")], missing);
    }
    if let BackendKind::Redis(redis) = &backend.kind
        && let Some(missing) = features.missing_for_tls(redis)
    {
        let key = if redis.url.is_some() { "redis_url" } else { "redis_ssl" };
        report.at(&[Step::Key(key)], missing);
    }
    let writes_bytes = !matches!(backend.kind, BackendKind::Memory(_));
    let serializer = backend.serializer.or(writes_bytes.then_some(config.service.default_serializer));
    if let Some(missing) = serializer.and_then(|serializer| features.missing_for_values(serializer)) {
        report.at(&[Step::Key("serializer")], missing);
    }
}

/// Names are unique and one backend is the default.
pub(super) fn names(config: &Config, report: &mut Report) {
    let mut seen: HashMap<&str, usize> = HashMap::new();
    for_each_backend(config, report, |index, backend, report| match seen.entry(&backend.name) {
        Entry::Occupied(first) => {
            let text = format!("the name of backends[{}] too; names are unique", first.get());
            report.at(&[Step::Key("name")], text);
        }
        Entry::Vacant(vacant) => {
            vacant.insert(index);
        }
    });
    if let Err(misfit) = default_backend(config) {
        report.at(&misfit.path, misfit.text);
    }
}

/// Why there is no default backend, and which place to look at.
pub(super) struct Misfit {
    path: Vec<Step<'static>>,
    pub(super) text: String,
}

/// `service.default_backend`, else the one backend with the flag, else the only backend there is.
pub(super) fn default_backend(config: &Config) -> Result<&BackendConfig, Misfit> {
    if config.backends.is_empty() {
        return misfit(&[Step::Key("backends")], "at least one backend is needed");
    }
    let (index, path) = match &config.service.default_backend {
        Some(name) => by_name(config, name)?,
        None => by_flag(config)?,
    };
    let backend = &config.backends[index];
    if !backend.enabled {
        return misfit(&path, format!("the default backend, backends[{index}], is not enabled"));
    }
    Ok(backend)
}

fn by_name(config: &Config, name: &str) -> Result<(usize, Vec<Step<'static>>), Misfit> {
    let path = vec![Step::Key("service"), Step::Key("default_backend")];
    match config.backends.iter().position(|backend| backend.name == name) {
        Some(index) => Ok((index, path)),
        None => {
            let known: Vec<&str> = config.backends.iter().map(|backend| backend.name.as_str()).collect();
            misfit(&path, format!("no backend has this name; the names are {}", known.join(", ")))
        }
    }
}

fn by_flag(config: &Config) -> Result<(usize, Vec<Step<'static>>), Misfit> {
    let flagged: Vec<usize> =
        (0..config.backends.len()).filter(|index| config.backends[*index].default).collect();
    match flagged[..] {
        [index] => Ok((index, vec![Step::Key("backends"), Step::Item(index), Step::Key("default")])),
        [] if config.backends.len() == 1 => {
            Ok((0, vec![Step::Key("backends"), Step::Item(0), Step::Key("enabled")]))
        }
        [] => misfit(&[Step::Key("backends")], "none is the default; give one `default: true`"),
        [first, second, ..] => misfit(
            &[Step::Key("backends"), Step::Item(second), Step::Key("default")],
            format!("backends[{first}] is the default already; there is one default"),
        ),
    }
}

fn misfit<T>(path: &[Step<'static>], text: impl Into<String>) -> Result<T, Misfit> {
    Err(Misfit { path: path.to_vec(), text: text.into() })
}

fn for_each_backend<'a>(
    config: &'a Config,
    report: &mut Report,
    mut visit: impl FnMut(usize, &'a BackendConfig, &mut Report),
) {
    for (index, backend) in config.backends.iter().enumerate() {
        let place = [Step::Key("backends"), Step::Item(index)];
        report.inside_all(&place, |report| visit(index, backend, report));
    }
}
