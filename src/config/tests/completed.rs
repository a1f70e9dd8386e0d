//! What the environment adds to a text: variables, and the rules of production.

use super::*;

pub(super) const BASE: &str = "\
cache:
  backends:
    - {name: a, type: redis, redis_password: \"${PASSWORD:-none}\", default: true}
    - {name: b, type: memory, max_size: \"${SIZE:-7}\"}
";

pub(super) fn with(variables: &[(&str, &str)], text: &str) -> Result<Config> {
    let variables = variables.iter().copied();
    ConfigLoader::new().variables(variables).yaml_str_with(text, &Features::ALL)
}

pub(super) fn refused(variables: &[(&str, &str)], text: &str) -> String {
    let error = with(variables, text).expect_err(text);
    assert!(!format!("{error} {error:?}").contains(CANARY), "{error}");
    told(error)
}

pub(super) fn redis(config: &Config) -> &RedisConfig {
    match &config.backends[0].kind {
        BackendKind::Redis(redis) => redis,
        _ => panic!("a redis backend"),
    }
}

fn memory(config: &Config) -> &MemoryConfig {
    match &config.backends[1].kind {
        BackendKind::Memory(memory) => memory,
        _ => panic!("a memory backend"),
    }
}

#[test]
fn variables_stand_for_keys_of_every_type() {
    let config = with(
        &[
            ("LEX_CACHE__ENABLED", "no"),
            ("LEX_CACHE__SERVICE__ENABLE_PROTECTION", "FALSE"),
            ("LEX_CACHE__SERVICE__REFRESH_AHEAD", "0.25"),
            ("LEX_CACHE__SERVICE__STALE_FOR", "90"),
            ("LEX_CACHE__SERVICE__NEGATIVE_TTL", "250ms"),
            ("LEX_CACHE__SERVICE__ON_WAIT_TIMEOUT", "stale"),
            ("LEX_CACHE__BACKENDS__0__REDIS_PORT", "7000"),
            ("LEX_CACHE__BACKENDS__0__REDIS_PASSWORD", "12345 # {x: ${y}}"),
            ("LEX_CACHE__BACKENDS__0__DEFAULT_TTL", "5m"),
            ("LEX_CACHE__BACKENDS__1__MAX_SIZE", "9"),
            ("LEX_CACHE__BACKENDS__1__KEY_PREFIX", "on"),
            ("LEX_CACHE__BACKENDS__1__MAX_BYTES", ""),
            ("UNRELATED", "x"),
            ("LEX_CACHES__X", "x"),
        ],
        BASE,
    )
    .unwrap();
    assert!(!config.enabled && !config.service.enable_protection);
    assert_eq!(config.service.refresh_ahead, 0.25);
    assert_eq!(
        (config.service.stale_for, config.service.negative_ttl),
        (secs(90), Duration::from_millis(250))
    );
    assert_eq!(redis(&config).port, 7_000);
    assert_eq!(redis(&config).password.as_ref().unwrap().expose(), "12345 # {x: ${y}}");
    assert_eq!(config.backends[0].default_ttl, Some(secs(300)));
    assert_eq!((memory(&config).max_size, memory(&config).max_bytes), (9, None));
    assert_eq!(config.backends[1].key_prefix, "on");
}

#[test]
fn variables_alone_make_a_configuration() {
    let config = with(
        &[
            ("LEX_CACHE__BACKENDS__0__NAME", "a"),
            ("LEX_CACHE__BACKENDS__0__TYPE", "redis"),
            ("LEX_CACHE__BACKENDS__0__REDIS_MODE", "cluster"),
            ("LEX_CACHE__BACKENDS__0__REDIS_NODES", "h:1, i:2"),
        ],
        "",
    )
    .unwrap();
    assert_eq!(redis(&config).nodes, ["h:1", "i:2"]);
    let two = "backends: [{name: a, type: redis, redis_mode: cluster, redis_nodes: [h, i]}]";
    let numbered =
        [("LEX_CACHE__BACKENDS__0__REDIS_NODES__2", "j"), ("LEX_CACHE__BACKENDS__0__REDIS_NODES__0", "g")];
    assert_eq!(redis(&with(&numbered, two).unwrap()).nodes, ["g", "i", "j"]);
    let ten: Vec<(String, String)> = (0..12)
        .flat_map(|n| {
            let key = |key: &str| format!("LEX_CACHE__BACKENDS__{n}__{key}");
            [
                (key("NAME"), format!("b{n}")),
                (key("TYPE"), "memory".to_owned()),
                (key("DEFAULT"), (n == 3).to_string()),
            ]
        })
        .collect();
    let config = ConfigLoader::new().variables(ten).yaml_str("cache:\n").unwrap();
    assert_eq!((config.backends.len(), config.backends[11].name.as_str()), (12, "b11"));
}

#[test]
fn a_variable_that_is_wrong_is_named() {
    for (name, value, expected) in [
        (
            "BACKENDS__0__REDIS_PROT",
            "1",
            "cache.backends[0].redis_prot (LEX_CACHE__BACKENDS__0__REDIS_PROT): unknown key; did you mean `redis_port`?",
        ),
        (
            "SERVISE__ENABLE_PROTECTION",
            "1",
            "cache.servise (LEX_CACHE__SERVISE__ENABLE_PROTECTION): unknown key; did you mean `service`?",
        ),
        (
            "SERVICE__ENABLE_PROTECTION",
            CANARY,
            "cache.service.enable_protection (LEX_CACHE__SERVICE__ENABLE_PROTECTION): expected true or false; this is text",
        ),
        (
            "BACKENDS__0__REDIS_PORT",
            "70000",
            "cache.backends[0].redis_port (LEX_CACHE__BACKENDS__0__REDIS_PORT): expected a whole number from 0 to 65535",
        ),
        (
            "BACKENDS__0__REDIS_PORT",
            "-1",
            "cache.backends[0].redis_port (LEX_CACHE__BACKENDS__0__REDIS_PORT): expected a whole number from 0 to 65535",
        ),
        (
            "BACKENDS__0__REDIS_URL",
            "http://:S3CR3T-7f2a@h",
            "cache.backends[0].redis_url (LEX_CACHE__BACKENDS__0__REDIS_URL): must be an address that begins with redis://, rediss://, redis+unix:// or unix://",
        ),
        (
            "BACKENDS__3__NAME",
            "x",
            "cache.backends[3] (LEX_CACHE__BACKENDS__3__NAME): there are 2 entries, so the next one has the number 2",
        ),
        (
            "BACKENDS__HOT__NAME",
            "x",
            "cache.backends.hot (LEX_CACHE__BACKENDS__HOT__NAME): an entry of a list is named by its number, from 0",
        ),
        (
            "BACKENDS",
            CANARY,
            "cache.backends (LEX_CACHE__BACKENDS): expected a list of backends; this is text",
        ),
        (
            "ENABLED__X",
            "1",
            "cache.enabled (LEX_CACHE__ENABLED__X): expected true or false; this is a mapping",
        ),
        ("", "1", "cache.? (LEX_CACHE__): unknown key"),
        ("SERVICE____X", "1", "cache.service.? (LEX_CACHE__SERVICE____X): unknown key"),
        (
            "BACKENDS__99999999999999999999__NAME",
            "1",
            "cache.backends.? (LEX_CACHE__BACKENDS__99999999999999999999__NAME): an entry of a list is named by its number, from 0",
        ),
    ] {
        let name = format!("LEX_CACHE__{name}");
        let base = BASE.replace("cache:\n", "cache:\n  enabled: true\n");
        assert_eq!(refused(&[(&name, value)], &base), format!("configuration: {expected}"));
    }
}

#[test]
fn variables_in_texts_are_replaced() {
    let config = with(&[("PASSWORD", "p: {x} #"), ("SIZE", "500")], BASE).unwrap();
    assert_eq!(redis(&config).password.as_ref().unwrap().expose(), "p: {x} #");
    assert_eq!(memory(&config).max_size, 500);
    assert_eq!(memory(&with(&[], BASE).unwrap()).max_size, 7);
    assert_eq!(
        refused(&[], &BASE.replace("${SIZE:-7}", "${SIZE}")),
        "configuration: cache.backends[1].max_size (line 4, column 31): the variable SIZE is not set; set it, or \
         give a default: ${SIZE:-..}"
    );
    let wrong = refused(&[("SIZE", CANARY)], BASE);
    assert!(wrong.ends_with("expected a whole number, not negative; this is text"), "{wrong}");
}

#[cfg(feature = "json")]
#[test]
fn other_formats_are_completed_alike() {
    let json = r#"{"backends": [{"name": "a", "type": "memory", "timeout": "${T}"}]}"#;
    let loader = ConfigLoader::new().variables([("T", "5s"), ("LEX_CACHE__BACKENDS__0__DEGRADE", "true")]);
    let config = loader.deserialize(&mut serde_json::Deserializer::from_str(json)).unwrap();
    assert_eq!((config.backends[0].timeout, config.backends[0].degrade), (secs(5), true));
    let error = ConfigLoader::new()
        .variables([("X", "1")])
        .deserialize(&mut serde_json::Deserializer::from_str(json));
    assert!(error.unwrap_err().to_string().contains("backends[0].timeout: the variable T is not set"));
}

#[test]
fn an_environment_that_is_unknown_is_told_by_where_it_was_named() {
    for (variables, text, place) in [
        (&[("LEX_ENV", "prod")][..], one("type: memory"), "LEX_ENV"),
        (&[("APP_ENV", "prod")], one("type: memory"), "APP_ENV"),
        (&[("LEX_CACHE__ENV", "prod")], one("type: memory"), "LEX_CACHE__ENV"),
        (&[], one("type: memory") + "  env: prod\n", "line 5, column 3"),
    ] {
        assert_eq!(
            refused(variables, &text),
            format!("configuration: cache.env ({place}): expected development, staging, production or test")
        );
    }
    // What is written wins, so what others mean by a common variable does no harm.
    let text = one("type: memory") + "  env: test\n";
    assert_eq!(with(&[("APP_ENV", "prod")], &text).unwrap().env, Some(Environment::Test));
}

#[test]
fn production_takes_no_redis_elsewhere_without_a_strong_password() {
    let strong = "correct-horse-battery";
    for (lines, key, is_taken) in [
        ("redis_host: h".to_owned(), "redis_password", false),
        ("redis_host: h\nredis_password: redis".to_owned(), "redis_password", false),
        (format!("redis_host: h\nredis_password: {strong}"), "redis_password", true),
        ("redis_url: redis://h".to_owned(), "redis_url", false),
        ("redis_url: redis://:S3CR3T-7f2a@h".to_owned(), "redis_url", false),
        (format!("redis_url: redis://:{strong}@h"), "redis_url", true),
        (String::new(), "redis_password", true),
        ("redis_host: 127.0.0.1".to_owned(), "redis_password", true),
        ("redis_host: /run/redis.sock".to_owned(), "redis_password", true),
        ("redis_host: h\nenabled: false".to_owned(), "redis_password", true),
        ("redis_mode: cluster\nredis_nodes: [h]".to_owned(), "redis_password", false),
    ] {
        let second = "    - {name: b, type: memory, default: true}\n";
        let text = one(&format!("type: redis\n{lines}")) + second;
        assert!(with(&[("LEX_ENV", "staging")], &text).is_ok(), "{lines}");
        match with(&[("LEX_ENV", "production")], &text) {
            Ok(_) => assert!(is_taken, "{lines}"),
            Err(error) => {
                assert!(!is_taken && !error.to_string().contains(CANARY), "{error}");
                let text = told(error);
                let expected = format!("cache.backends[0].{key} (line ");
                assert!(text.contains(&expected) && text.contains("production needs a "), "{text}");
            }
        }
    }
}
