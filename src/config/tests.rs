//! Whole files, right and wrong, as a user would write them.

use super::*;

const CANARY: &str = "S3CR3T-7f2a";

fn load(text: &str) -> Result<Config> {
    Config::from_tree(&yaml::parse(text)?, &Features::ALL)
}

fn refusal(text: &str) -> String {
    let error = load(text).expect_err(text);
    assert_eq!(error.kind(), ErrorKind::Config);
    error.to_string()
}

/// A configuration of one backend with these lines.
fn one(lines: &str) -> String {
    let lines: String = lines.lines().map(|line| format!("      {line}\n")).collect();
    format!("cache:\n  backends:\n    - name: a\n{lines}")
}

fn backend(lines: &str) -> BackendConfig {
    load(&one(lines)).expect("a sound configuration").backends.remove(0)
}

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn the_memory_sample_loads() {
    let config = load(include_str!("../../tests/samples/memory.yaml")).unwrap();
    let mut expected = BackendConfig::new("dev", MemoryConfig::default());
    expected.default = true;
    assert_eq!(config, Config { backends: vec![expected], ..Config::default() });
}

#[test]
fn the_memcached_sample_loads_and_its_lone_backend_is_the_default() {
    let config = load(include_str!("../../tests/samples/memcached.yaml")).unwrap();
    let mut expected = BackendConfig::new("sessions", MemcachedConfig::default());
    expected.default_ttl = Some(secs(1_800));
    assert_eq!(config.default_name().unwrap(), "sessions");
    assert_eq!(config, Config { backends: vec![expected], ..Config::default() });
}

#[test]
fn the_redis_sample_loads() {
    let config = load(include_str!("../../tests/samples/redis.yaml")).unwrap();
    let mut expected = BackendConfig::new("primary", RedisConfig::default());
    expected.default = true;
    expected.default_ttl = Some(secs(3_600));
    expected.key_prefix = "myapp".to_owned();
    assert_eq!(config, Config { backends: vec![expected], ..Config::default() });
}

#[test]
fn the_sample_of_several_backends_loads() {
    let config = load(include_str!("../../tests/samples/named.yaml")).unwrap();
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
    assert!(refusal("backends: 7\n").starts_with("configuration: backends (line 1): "));
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
        let read = Config::from_tree(&yaml::parse(&changed).unwrap(), &Features::ALL);
        let read = read.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_ne!(read, load(&bare).unwrap(), "{name} has no effect");
    }
    let apart =
        ["backends", "service", "name", "type", "default_backend", "redis_username", "redis_cert_file"];
    for key in Config::keys().filter(|key| !apart.contains(&key.name) && key.name != "redis_key_file") {
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

/// Section, type of backend, key, and a value that is not the default.
const OTHER_VALUES: &[(&str, &str, &str, &str)] = &[
    ("", "memory", "enabled", "false"),
    ("", "memory", "env", "staging"),
    ("", "memory", "enable_metrics", "no"),
    ("", "memory", "health_check_interval", "30"),
    ("service", "memory", "enable_protection", "false"),
    ("service", "memory", "protection_lock_ttl", "5"),
    ("service", "memory", "protection_max_wait", "0"),
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
    ("backends[]", "redis", "redis_ca_file", "ca.pem"),
    ("backends[]", "redis", "redis_mode", "cluster"),
    ("backends[]", "redis", "redis_nodes", "[a:1, b:2]"),
    ("backends[]", "redis", "redis_sentinel_master", "m"),
    ("backends[]", "memcached", "memcached_host", "\"::1\""),
    ("backends[]", "memcached", "memcached_port", "11212"),
    ("backends[]", "memcached", "memcached_servers", "[a, \"[::1]:2\"]"),
    ("backends[]", "memcached", "memcached_pool_size", "3"),
];

#[test]
fn wrong_files_are_told_what_is_wrong() {
    for (text, expected) in [
        (
            one("type: redis\nredis_prot: 1"),
            "cache.backends[0].redis_prot (line 5): unknown key; did you mean `redis_port`?",
        ),
        (
            one("type: redis\nport: 1"),
            "cache.backends[0].port (line 5): unknown key; did you mean `redis_port`?",
        ),
        (
            one("type: memory\nredis_port: 1"),
            "cache.backends[0].redis_port (line 5): only a backend of type redis has this key; this one's type is memory",
        ),
        (
            one("type: memory\nttl_jitter: 1"),
            "cache.backends[0].ttl_jitter (line 5): unknown key here; it belongs in `service`",
        ),
        (
            one("type: reddis"),
            "cache.backends[0].type (line 4): expected memory, redis or memcached; did you mean `redis`?",
        ),
        (one("max_size: 1"), "cache.backends[0].type (line 3): is missing"),
        ("backends:\n  - type: memory".to_owned(), "backends[0].name (line 2): is missing"),
        (
            one("type: redis\nredis_port: 70000"),
            "cache.backends[0].redis_port (line 5): expected a whole number from 0 to 65535",
        ),
        (one("type: redis\nredis_port: 0"), "cache.backends[0].redis_port (line 5): must be from 1 to 65535"),
        (
            one("type: redis\nredis_db: -1"),
            "cache.backends[0].redis_db (line 5): expected a whole number from 0 to 4294967295",
        ),
        (
            one("type: redis\nredis_pool_size: 0"),
            "cache.backends[0].redis_pool_size (line 5): must be from 1 to 10000",
        ),
        (
            one("type: redis\nredis_url: http://h"),
            "cache.backends[0].redis_url (line 5): must be an address that begins with redis://, rediss://, redis+unix:// or unix://",
        ),
        (
            one("type: redis\nredis_username: u"),
            "cache.backends[0].redis_username (line 5): needs `redis_password` too",
        ),
        (
            one("type: redis\nredis_mode: sentinel"),
            "cache.backends[0].redis_mode (line 5): sentinel needs `redis_sentinel_master` too",
        ),
        (one("type: memory\nmax_size: 0"), "cache.backends[0].max_size (line 5): must be at least 1"),
        (
            one("type: memory\nmax_size: \"500\""),
            "cache.backends[0].max_size (line 5): expected a whole number, not negative; this is text",
        ),
        (
            one("type: memory\nmax_size: 99999999999999999999999999999999999999999999"),
            "cache.backends[0].max_size (line 5): expected a whole number, not negative; this has a fraction, or is too large",
        ),
        (
            one("type: memory\ndefault_ttl: 0"),
            "cache.backends[0].default_ttl (line 5): must be more than zero; leave the key out to keep values for ever",
        ),
        (
            one("type: memory\ndefault_ttl: -5"),
            "cache.backends[0].default_ttl (line 5): a duration cannot be negative",
        ),
        (
            one("type: memory\ndefault_ttl: .nan"),
            "cache.backends[0].default_ttl (line 5): expected a duration: a number of seconds, or text such as \"250ms\", \"30s\", \"5m\", \"1h\", \"2d\"",
        ),
        (
            one("type: memory\ndefault_ttl: 200000d"),
            "cache.backends[0].default_ttl (line 5): must be at most 100 years",
        ),
        (
            one("type: memory\ntimeout:"),
            "cache.backends[0].timeout (line 5): expected a duration: a number of seconds, or text such as \"250ms\", \"30s\", \"5m\", \"1h\", \"2d\"; this is nothing",
        ),
        (
            one("type: memory\nkey_prefix: on"),
            "cache.backends[0].key_prefix (line 5): expected text; this is a boolean: put it in quotes",
        ),
        (
            one("type: memory\ntimeout: 1\ntimeout: 2"),
            "cache.backends[0].timeout (line 6): given twice; the first is on line 5",
        ),
        (
            one("type: memory\nenabled: false"),
            "cache.backends[0].enabled (line 5): the default backend, backends[0], is not enabled",
        ),
        (
            one("type: memory\nserializer: pickle"),
            "cache.backends[0].serializer (line 5): `pickle` can run code of whoever writes to the server and is not supported; `postcard` is the compact binary form here",
        ),
        (
            one("type: memory\nserializer: json+comprssion"),
            "cache.backends[0].serializer (line 5): expected json, postcard, compression, json+compression or postcard+compression; did you mean `json+compression`?",
        ),
        (
            one("type: memcached\nmemcached_host: h:11211"),
            "cache.backends[0].memcached_host (line 5): must be a host without a port; the port has its own key",
        ),
        (
            one("type: memcached\nmemcached_servers: [a, \"b:0\"]"),
            "cache.backends[0].memcached_servers (line 5): entry [1] must be `host` or `host:port`",
        ),
        (
            one("type: memory") + "  service:\n    default_backend: b\n",
            "cache.service.default_backend (line 6): no backend has this name; the names are a",
        ),
        (
            one("type: memory") + "  servise: {}\n",
            "cache.servise (line 5): unknown key; did you mean `service`?",
        ),
        (
            one("type: memory") + "database: {}\n",
            "database (line 5): unknown key; everything belongs under `cache`",
        ),
        (one("type: memory") + "  7: 1\n", "cache.? (line 5): a key must be text; put it in quotes"),
        (
            one("type: memory\n") + "    - just text\n",
            "cache.backends[1] (line 5): expected a mapping of keys; this is text",
        ),
        (String::new(), "top level: expected a mapping of keys; this is nothing"),
        ("# only a comment\n".to_owned(), "top level: expected a mapping of keys; this is nothing"),
        ("- a\n".to_owned(), "top level: expected a mapping of keys; this is a list"),
        ("cache:\n".to_owned(), "cache (line 1): expected a mapping of keys; this is nothing"),
        ("cache: {}\n".to_owned(), "cache.backends (line 1): at least one backend is needed"),
        ("cache:\n  backends: []\n".to_owned(), "cache.backends (line 2): at least one backend is needed"),
        (
            "a: 1\n---\nb: 2\n".to_owned(),
            "line 3: there is a second document (`---`); a configuration is one",
        ),
        ("cache:\n\tbackends: []\n".to_owned(), "line 2: a tab cannot indent YAML; use spaces"),
        ("cache: *nowhere\n".to_owned(), "line 1: an alias (`*name`) without its anchor (`&name`)"),
        ("x".repeat(10_000_000), "the text is larger than 1 MiB"),
    ] {
        assert_eq!(refusal(&text), format!("configuration: {expected}"));
    }
}

#[test]
fn all_faults_of_a_file_are_told_at_once() {
    let text = "\
cache:
  enabled: maybe
  backends:
    - name: a
      type: memory
      max_size: 0
      redis_port: 1
    - type: redis
      redis_pasword: x
  service:
    default_serializer: pickle
";
    let text = refusal(text);
    let places: Vec<&str> = text.lines().skip(1).filter_map(|line| line.split(": ").next()).collect();
    assert!(text.starts_with("configuration: 6 faults\n"), "{text}");
    assert_eq!(
        places,
        [
            "  cache.enabled (line 2)",
            "  cache.backends[0].max_size (line 6)",
            "  cache.backends[0].redis_port (line 7)",
            "  cache.backends[1].name (line 8)",
            "  cache.backends[1].redis_pasword (line 9)",
            "  cache.service.default_serializer (line 11)",
        ]
    );
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
        ("", "", "", "backends (line 1): none is the default; give one `default: true`"),
        (
            flag,
            flag,
            "",
            "backends[1].default (line 3): backends[0] is the default already; there is one default",
        ),
        (
            ", enabled: false",
            "",
            "default_backend: a",
            "service.default_backend (line 4): the default backend, backends[0], is not enabled",
        ),
    ] {
        assert_eq!(two(a, b, service).unwrap_err().to_string(), format!("configuration: {expected}"));
    }
}

#[test]
fn a_name_is_given_once() {
    let text = "backends:\n  - {name: a, type: memory, default: true}\n  - {name: a, type: redis}\n";
    assert_eq!(
        refusal(text),
        "configuration: backends[1].name (line 3): the name of backends[0] too; names are unique"
    );
}

#[test]
fn a_feature_that_is_not_compiled_in_is_named() {
    let small = Features { json: true, postcard: false, compress: false, redis: false, memcached: false };
    for (lines, place, feature) in [
        ("type: redis", "type", "redis"),
        ("type: memcached", "type", "memcached"),
        ("type: memory\nserializer: postcard", "serializer", "postcard"),
        ("type: memory\nserializer: compression", "serializer", "compress"),
    ] {
        let error = Config::from_tree(&yaml::parse(&one(lines)).unwrap(), &small).unwrap_err().to_string();
        let advice =
            format!("not compiled in: add features = [\"{feature}\"] to lexigram-cache in Cargo.toml");
        assert!(
            error.contains(&format!("cache.backends[0].{place} (line ")) && error.ends_with(&advice),
            "{error}"
        );
    }
    let off =
        "backends:\n  - {name: a, type: memory, default: true}\n  - {name: b, type: redis, enabled: false}\n";
    assert!(Config::from_tree(&yaml::parse(off).unwrap(), &small).is_ok());
}

#[test]
fn a_value_is_never_echoed() {
    for lines in [
        "type: redis\nredis_password: [CANARY]",
        "type: redis\nredis_password: {CANARY: CANARY}",
        "type: redis\nredis_password: CANARY: CANARY",
        "type: redis\nredis_password: \"CANARY",
        "type: redis\nredis_password: *CANARY",
        "type: redis\nredis_password: !CANARY [x]",
        "type: redis\nredis_password: !!int CANARY",
        "type: redis\nredis_password: !!binary CANARY",
        "type: redis\nredis_password: \"\\qCANARY\"",
        "type: redis\nredis_pasword: CANARY",
        "type: redis\nredis_port: CANARY",
        "type: redis\nredis_db: CANARY",
        "type: redis\nredis_ssl: CANARY",
        "type: redis\nredis_mode: CANARY",
        "type: redis\nredis_nodes: CANARY",
        "type: redis\nredis_nodes: [\"redis://:CANARY@h:1\"]",
        "type: redis\nredis_url: http://:CANARY@h",
        "type: redis\nredis_host: redis://:CANARY@h",
        "type: redis\nredis_username: CANARY",
        "type: redis\ndefault_ttl: CANARY",
        "type: redis\nserializer: CANARY",
        "type: redis\nCANARY: redis_password",
        "type: redis\n? [CANARY]\n: redis_password",
        "type: redis\nredis_password:\nCANARY",
        "type: redis\nredis_password: CANARY\nredis_password: CANARY",
        "type: CANARY",
    ] {
        let error = load(&one(&lines.replace("CANARY", CANARY))).expect_err(lines);
        let shown = format!("{error} {error:?} {error:#?}");
        assert!(!shown.contains(CANARY) && !shown.contains("7f2a"), "{lines}: {shown}");
    }
}

#[test]
fn a_secret_does_not_print_with_the_configuration() {
    let lines = "type: redis\nredis_url: redis://u:CANARY@h\nredis_username: CANARY\nredis_password: CANARY";
    let config = load(&one(&lines.replace("CANARY", CANARY))).unwrap();
    let BackendKind::Redis(redis) = &config.backends[0].kind else { panic!("a redis backend") };
    assert_eq!(redis.address().expose(), "redis://u:S3CR3T-7f2a@h");
    assert!(!format!("{config:?} {config:#?} {:?}", redis.address()).contains(CANARY));
}

#[test]
fn windows_line_ends_and_a_byte_order_mark_are_fine() {
    let text = format!("\u{feff}{}", one("type: memory\nmax_size: 0")).replace('\n', "\r\n");
    assert_eq!(refusal(&text), "configuration: cache.backends[0].max_size (line 5): must be at least 1");
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
fn an_alias_bomb_is_refused_at_once() {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for n in 1..12 {
        let list = vec![format!("*a{}", n - 1); 10].join(", ");
        text.push_str(&format!("a{n}: &a{n} [{list}]\n"));
    }
    let refusal = refusal(&text);
    assert!(refusal.contains("aliases (`*name`) unfold to too much"), "{refusal}");
    let refusal = self::refusal(&"[".repeat(100_000));
    assert!(refusal.starts_with("configuration: "), "{refusal}");
}

#[test]
fn a_mutilated_file_is_refused_or_read_and_nothing_else() {
    let whole = include_str!("../../tests/samples/named.yaml");
    for at in (0..whole.len()).step_by(3) {
        let _ = load(&whole[..at]);
        for odd in ["", ":", "\t", "-", "\"", "&", "*a", "{", "\u{0}", "é", "\n", "<<: "] {
            let _ = load(&format!("{}{odd}{}", &whole[..at], &whole[at + 1..]));
        }
    }
}

#[test]
fn a_file_full_of_unknown_keys_ends_soon() {
    let keys: String = (0..4_900).map(|n| format!("  redis_pasword_{n}: 1\n")).collect();
    let refusal = refusal(&format!("cache:\n{keys}"));
    assert!(refusal.starts_with("configuration: 4900 faults\n"), "{refusal}");
    let too_many = self::refusal(&format!("backends: [{}]", "1,".repeat(20_000)));
    assert!(too_many.contains("too many or too deeply nested"), "{too_many}");
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

#[test]
fn a_file_that_cannot_be_read_is_a_configuration_error() {
    let error = Config::from_yaml_file("/nowhere/cache.yaml").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().starts_with("configuration: cannot read /nowhere/cache.yaml: "));
}
