//! Configurations that are right.

use super::*;

#[test]
fn the_memory_sample_loads() {
    let config = load(include_str!("../../../tests/samples/memory.yaml")).unwrap();
    let mut expected = BackendConfig::new("dev", MemoryConfig::default());
    expected.default = true;
    assert_eq!(config, Config { backends: vec![expected], ..Config::default() });
}

#[test]
fn the_memcached_sample_loads_and_its_lone_backend_is_the_default() {
    let config = load(include_str!("../../../tests/samples/memcached.yaml")).unwrap();
    let mut expected = BackendConfig::new("sessions", MemcachedConfig::default());
    expected.default_ttl = Some(secs(1_800));
    assert_eq!(config.default_name().unwrap(), "sessions");
    assert_eq!(config, Config { backends: vec![expected], ..Config::default() });
}

#[test]
fn the_redis_sample_loads() {
    let config = load(include_str!("../../../tests/samples/redis.yaml")).unwrap();
    let mut expected = BackendConfig::new("primary", RedisConfig::default());
    expected.default = true;
    expected.default_ttl = Some(secs(3_600));
    expected.key_prefix = "myapp".to_owned();
    assert_eq!(config, Config { backends: vec![expected], ..Config::default() });
}

#[test]
fn the_sample_of_several_backends_loads() {
    let config = load(include_str!("../../../tests/samples/named.yaml")).unwrap();
    let mut expected = Config::default();
    for (name, url, ttl) in
        [("hot", "redis://localhost:6379/0", 300), ("cold", "redis://remote-host:6379/0", 86_400)]
    {
        let redis = RedisConfig { url: Some(url.into()), ..RedisConfig::default() };
        let mut backend = BackendConfig::new(name, redis);
        backend.default_ttl = Some(secs(ttl));
        expected.backends.push(backend);
    }
    expected.backends[0].default = true;
    expected.backends.push(BackendConfig::new("local", MemoryConfig { max_size: 500, ..Default::default() }));
    expected.service.protection_lock_ttl = secs(5);
    expected.service.protection_max_wait = secs(2);
    assert_eq!(config, expected);
}

#[test]
fn the_key_around_everything_may_be_left_out() {
    let bare = "backends:\n  - name: a\n    type: memory\n";
    assert_eq!(load(bare).unwrap(), load(&one("type: memory")).unwrap());
    assert!(refusal("backends: 7\n").starts_with("configuration: backends (line 1, column 1): "));
}

#[test]
fn every_documented_default_is_the_real_one() {
    for key in Config::keys().filter(|key| !key.default.is_empty()) {
        let kind = key.backend.unwrap_or("memory");
        let bare = one(&format!("type: {kind}"));
        let spelled = match key.section {
            "" => format!("{bare}  {}: {}\n", key.name, key.default),
            "service" => format!("{bare}  service:\n    {}: {}\n", key.name, key.default),
            _ => one(&format!("type: {kind}\n{}: {}", key.name, key.default)),
        };
        assert_eq!(load(&spelled).unwrap(), load(&bare).unwrap(), "{}", key.name);
    }
}

#[test]
fn every_key_changes_its_field_and_no_other_key_exists() {
    for (section, kind, name, value) in OTHER_VALUES {
        let bare = one(&format!("type: {kind}"));
        let changed = match *section {
            "" => format!("{bare}  {name}: {value}\n"),
            "service" => format!("{bare}  service:\n    {name}: {value}\n"),
            _ => one(&format!("type: {kind}\n{name}: {value}")),
        };
        let read = load(&changed);
        let read = read.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_ne!(read, load(&bare).unwrap(), "{name} has no effect");
    }
    // What needs another key beside it.
    let apart =
        ["backends", "service", "name", "type", "default_backend", "redis_username", "redis_cert_file"];
    let apart = |key: &str| {
        apart.contains(&key)
            || ["redis_key_file", "redis_ca_file", "redis_nodes"].contains(&key)
            || key.starts_with("redis_sentinel")
    };
    for key in Config::keys().filter(|key| !apart(key.name)) {
        let is_tried = |(section, _, name, _): &&(&str, &str, &str, &str)| {
            *name == key.name && key.section.starts_with(section)
        };
        assert!(
            OTHER_VALUES.iter().any(|row| is_tried(&row)),
            "{} in `{}` is not tried",
            key.name,
            key.section
        );
    }
}

#[test]
fn several_servers_are_named_with_what_they_are_to_each_other() {
    let BackendKind::Redis(cluster) = backend("type: redis\nredis_mode: cluster\nredis_nodes: [a:1, b]").kind
    else {
        panic!("a redis backend")
    };
    assert_eq!((cluster.mode, cluster.nodes), (RedisMode::Cluster, vec!["a:1".to_owned(), "b".to_owned()]));
    let lines = "type: redis\nredis_mode: sentinel\nredis_nodes: [a, b]\nredis_sentinel_master: m\n\
        redis_sentinel_username: u\nredis_sentinel_password: p\nredis_db: 3";
    let BackendKind::Redis(watched) = backend(lines).kind else { panic!("a redis backend") };
    assert_eq!((watched.mode, watched.db), (RedisMode::Sentinel, 3));
    assert_eq!(watched.sentinel_master.as_deref(), Some("m"));
    let login = [watched.sentinel_username, watched.sentinel_password].map(|secret| secret.unwrap());
    assert_eq!(login.each_ref().map(Secret::expose), ["u", "p"]);
}

/// Section, type of backend, key, and a value that is not the default.
pub(super) const OTHER_VALUES: &[(&str, &str, &str, &str)] = &[
    ("", "memory", "enabled", "false"),
    ("", "memory", "env", "staging"),
    ("", "memory", "enable_metrics", "no"),
    ("", "memory", "health_check_interval", "30"),
    ("service", "memory", "enable_protection", "false"),
    ("service", "memory", "protection_lock_ttl", "5"),
    ("service", "memory", "protection_max_wait", "3s"),
    ("service", "memory", "protection_retry_interval", "50ms"),
    ("service", "memory", "on_wait_timeout", "stale"),
    ("service", "memory", "default_serializer", "postcard+compression"),
    ("service", "memory", "ttl_jitter", "10s"),
    ("service", "memory", "stale_for", "1h"),
    ("service", "memory", "refresh_ahead", "0.2"),
    ("service", "memory", "negative_ttl", "3s"),
    ("service", "memory", "circuit_breaker_enabled", "false"),
    ("service", "memory", "circuit_breaker_threshold", "9"),
    ("service", "memory", "enable_metrics", "false"),
    ("service", "memory", "enable_health_checks", "false"),
    ("backends[]", "memory", "default", "true"),
    ("backends[]", "memory", "default_ttl", "5m"),
    ("backends[]", "memory", "key_prefix", "app"),
    ("backends[]", "memory", "serializer", "compression"),
    ("backends[]", "memory", "timeout", "250ms"),
    ("backends[]", "memory", "degrade", "true"),
    ("backends[]", "memory", "max_size", "7"),
    ("backends[]", "memory", "cleanup_interval", "1"),
    ("backends[]", "memory", "max_bytes", "1048576"),
    ("backends[]", "memory", "eviction", "lru"),
    ("backends[]", "redis", "redis_url", "rediss://h"),
    ("backends[]", "redis", "redis_host", "/run/redis.sock"),
    ("backends[]", "redis", "redis_port", "6380"),
    ("backends[]", "redis", "redis_db", "3"),
    ("backends[]", "redis", "redis_password", "p"),
    ("backends[]", "redis", "redis_ssl", "true"),
    ("backends[]", "redis", "redis_pool_size", "2"),
    ("backends[]", "redis", "redis_mode", "cluster"),
    ("backends[]", "memcached", "memcached_host", "\"::1\""),
    ("backends[]", "memcached", "memcached_port", "11212"),
    ("backends[]", "memcached", "memcached_servers", "[a, \"[::1]:2\"]"),
    ("backends[]", "memcached", "memcached_pool_size", "3"),
    ("backends[]", "memcached", "memcached_clearable", "true"),
];

#[test]
fn what_cannot_change_under_running_caches_is_told_by_its_path() {
    for (section, kind, name, value) in OTHER_VALUES {
        let bare = one(&format!("type: {kind}"));
        let changed = match *section {
            "" => format!("{bare}  {name}: {value}\n"),
            "service" => format!("{bare}  service:\n    {name}: {value}\n"),
            _ => one(&format!("type: {kind}\n{name}: {value}")),
        };
        let key = Config::keys().find(|key| key.name == *name && key.section == *section).unwrap();
        let path = match *section {
            "" => format!("cache.{name}"),
            "service" => format!("cache.service.{name}"),
            _ => format!("cache.backends[0].{name}"),
        };
        let (old, new) = (load(&bare).unwrap(), load(&changed).unwrap());
        let expected = if key.live { Vec::new() } else { vec![path] };
        assert_eq!(old.fixed_changes(&new), expected);
        assert!(old.fixed_changes(&old).is_empty());
    }
}

#[test]
fn the_default_is_chosen_by_name_then_flag_then_loneliness() {
    let two = |a: &str, b: &str, service: &str| {
        load(&format!(
            "backends:\n  - {{name: a, type: memory{a}}}\n  - {{name: b, type: memory{b}}}\nservice: {{{service}}}\n"
        ))
    };
    let flag = ", default: true";
    assert_eq!(two("", flag, "").unwrap().default_name().unwrap(), "b");
    assert_eq!(two("", flag, "default_backend: a").unwrap().default_name().unwrap(), "a");
    for (a, b, service, expected) in [
        ("", "", "", "backends (line 1, column 1): none is the default; give one `default: true`"),
        (
            flag,
            flag,
            "",
            "backends[1].default (line 3, column 29): backends[0] is the default already; there is one default",
        ),
        (
            ", enabled: false",
            "",
            "default_backend: a",
            "service.default_backend (line 4, column 11): the default backend, backends[0], is not enabled",
        ),
    ] {
        assert_eq!(told(two(a, b, service).unwrap_err()), format!("configuration: {expected}"));
    }
}

#[test]
fn a_name_is_given_once() {
    let text = "backends:\n  - {name: a, type: memory, default: true}\n  - {name: a, type: redis}\n";
    assert_eq!(
        refusal(text),
        "configuration: backends[1].name (line 3, column 6): the name of backends[0] too; names are unique"
    );
}

#[test]
fn windows_line_ends_and_a_byte_order_mark_are_fine() {
    let text = format!("\u{feff}{}", one("type: memory\nmax_size: 0")).replace('\n', "\r\n");
    assert_eq!(
        refusal(&text),
        "configuration: cache.backends[0].max_size (line 5, column 7): must be at least 1"
    );
}

#[test]
fn anchors_and_merge_keys_work() {
    let text = "\
backends:
  - &base {name: a, type: memory, max_size: 7, default: true}
  - {<<: *base, name: b, default: false}
";
    let config = load(text).unwrap();
    assert_eq!(config.backends[1].kind, MemoryConfig { max_size: 7, ..Default::default() }.into());
    assert_eq!((config.backends[1].name.as_str(), config.backends[1].default), ("b", false));
}

#[test]
fn durations_are_seconds_or_carry_a_unit() {
    assert_eq!(backend("type: memory\ntimeout: 0.25").timeout, Duration::from_millis(250));
    assert_eq!(backend("type: memory\ntimeout: 250ms").timeout, Duration::from_millis(250));
    assert_eq!(backend("type: memory\ndefault_ttl: 2d").default_ttl, Some(secs(172_800)));
    assert_eq!(backend("type: memory\ndefault_ttl: null").default_ttl, None);
}

#[test]
fn a_configuration_made_in_code_is_held_to_the_same_rules() {
    let mut config = Config::default();
    assert_eq!(
        config.validate().unwrap_err().to_string(),
        "configuration: cache.backends: at least one backend is needed"
    );
    let memory = MemoryConfig { cleanup_interval: Duration::ZERO, ..MemoryConfig::default() };
    config.backends.push(BackendConfig::new("", memory));
    config.service.refresh_ahead = f64::NAN;
    assert_eq!(
        config.validate().unwrap_err().to_string(),
        "configuration: 3 faults\n  \
         cache.service.refresh_ahead: must be a fraction from 0 to below 1\n  \
         cache.backends[0].name: must be 1 to 100 bytes of printable text\n  \
         cache.backends[0].cleanup_interval: must be more than zero"
    );
}

#[cfg(feature = "json")]
#[test]
fn other_formats_are_read_alike() {
    let json = r#"{"backends": [{"name": "a", "type": "memory", "max_size": 7, "timeout": "5s"}]}"#;
    let config: Config = serde_json::from_str(json).unwrap();
    assert_eq!(config.backends[0].timeout, secs(5));
    let wrong = json.replace("7", "\"S3CR3T-7f2a\"");
    let error = serde_json::from_str::<Config>(&wrong).unwrap_err().to_string();
    assert!(error.contains("backends[0].max_size: expected a whole number"), "{error}");
    assert!(!error.contains(CANARY));
}
