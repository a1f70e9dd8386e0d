//! What the environment adds to a file: variables, secret files, profiles, and the rules of production.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use super::*;

const BASE: &str = "\
cache:
  backends:
    - {name: a, type: redis, redis_password: \"${PASSWORD:-none}\", default: true}
    - {name: b, type: memory, max_size: \"${SIZE:-7}\"}
";

fn with(variables: &[(&str, &str)], text: &str) -> Result<Config> {
    let variables = variables.iter().copied();
    ConfigLoader::new().variables(variables).yaml_str_with(text, &Features::ALL)
}

fn refused(variables: &[(&str, &str)], text: &str) -> String {
    let error = with(variables, text).expect_err(text);
    assert!(!format!("{error} {error:?}").contains(CANARY), "{error}");
    told(error)
}

fn redis(config: &Config) -> &RedisConfig {
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

/// A folder of this test's own, removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Folder {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("lexigram-config-{}-{number}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        Folder(folder)
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, content).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
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
fn secrets_can_stand_in_files() {
    let folder = Folder::new();
    for (content, expected) in
        [("p w", "p w"), ("pw\n", "pw"), ("pw\r\n", "pw"), ("pw\n\n", "pw\n"), (" pw ", " pw ")]
    {
        let path = folder.write("secret", content);
        let config = with(&[("PASSWORD", &format!("file:{}", path.display()))], BASE).unwrap();
        assert_eq!(redis(&config).password.as_ref().unwrap().expose(), expected);
    }
    let url = folder.write("url", "redis://u:p@h");
    let lines = format!("type: redis\nredis_url: file:{}\n", url.display());
    let BackendKind::Redis(redis) = backend(&lines).kind else { panic!("a redis backend") };
    assert_eq!(redis.url.unwrap().expose(), "redis://u:p@h");
    // What is no secret is no file.
    assert_eq!(
        backend(&format!("type: memory\nkey_prefix: file:{}", url.display())).key_prefix.len(),
        5 + url.display().to_string().len()
    );
}

#[test]
fn a_secret_file_that_cannot_be_used_is_told_by_key_and_path_only() {
    let folder = Folder::new();
    let large = folder.write("large", CANARY.repeat(10_000));
    let empty = folder.write("empty", "\n");
    let binary = folder.write("binary", b"S3CR3T-7f2a\xff");
    let wrong = folder.write("wrong", "http://:S3CR3T-7f2a@h");
    let there = |path: &PathBuf| path.display().to_string();
    for (path, expected) in [
        (
            "/nowhere/secret".to_owned(),
            "cannot read the secret file /nowhere/secret: No such file".to_owned(),
        ),
        (there(&folder.0), format!("the secret file {} is no regular file", there(&folder.0))),
        (there(&large), format!("the secret file {} is larger than 64 KiB", there(&large))),
        (there(&empty), format!("the secret file {} is empty", there(&empty))),
        (there(&binary), format!("the secret file {} is not UTF-8 text", there(&binary))),
        (there(&wrong), "must be an address that begins with".to_owned()),
        (CANARY.to_owned(), "`file:` needs an absolute path".to_owned()),
        ("../S3CR3T-7f2a".to_owned(), "`file:` needs an absolute path".to_owned()),
        ("/dev/null".to_owned(), "the secret file /dev/null is no regular file".to_owned()),
    ] {
        let text = refused(&[("URL", &format!("file:{path}"))], &one("type: redis\nredis_url: ${URL}"));
        let expected = format!("configuration: cache.backends[0].redis_url (line 5, column 7): {expected}");
        assert!(text.starts_with(&expected), "{text}");
    }
}

#[test]
fn the_file_for_the_environment_is_laid_over_the_other() {
    let folder = Folder::new();
    let base = folder.write(
        "cache.yaml",
        "cache:\n  service: {stale_for: 5, ttl_jitter: 1}\n  backends:\n    - {name: a, type: memory, max_size: 7, default: true}\n    - {name: b, type: memory, default_ttl: 5}\n",
    );
    folder.write(
        "cache.staging.yaml",
        "service: {stale_for: 9}\nbackends:\n  - {name: c, type: memory}\n  - {name: a, type: redis, redis_port: 7}\n  - {name: b, timeout: 3}\n",
    );
    let load = |variables: &[(&str, &str)]| {
        ConfigLoader::new().variables(variables.iter().copied()).yaml_file(&base)
    };
    for (variables, env) in [
        (&[("LEX_ENV", "staging"), ("APP_ENV", "test")][..], Environment::Staging),
        (&[("LEX_CACHE__ENV", "staging"), ("LEX_ENV", "test")], Environment::Staging),
        (&[("LEX_ENV", ""), ("APP_ENV", "staging")], Environment::Staging),
        (&[("LEX_ENV", "development")], Environment::Development),
    ] {
        let config = load(variables).unwrap();
        assert_eq!(config.env, Some(env));
        let is_merged = env == Environment::Staging;
        assert_eq!(config.backends.len(), if is_merged { 3 } else { 2 });
        assert_eq!(config.service.stale_for, secs(if is_merged { 9 } else { 5 }));
        assert_eq!(config.service.ttl_jitter, secs(1));
        if is_merged {
            assert_eq!((redis(&config).port, config.backends[0].default), (7, true));
            assert_eq!(
                (config.backends[1].timeout, config.backends[1].default_ttl),
                (secs(3), Some(secs(5)))
            );
            assert_eq!(config.backends[2].name, "c");
        }
    }
    assert_eq!(load(&[]).unwrap().env, None);
    assert_eq!(
        ConfigLoader::new()
            .variables([("LEX_CACHE__ENV", "test")])
            .environment(Environment::Staging)
            .yaml_file(&base)
            .unwrap()
            .backends
            .len(),
        3
    );
    folder
        .write("cache.yaml", "env: ${STAGE:-staging}\nbackends: [{name: a, type: memory, default: true}, {name: b, type: memory}]\n");
    assert_eq!(load(&[("LEX_ENV", "test")]).unwrap().backends.len(), 3);
    assert_eq!(load(&[("STAGE", "test")]).unwrap().backends.len(), 2);
}

#[test]
fn faults_of_two_files_and_of_variables_are_told_at_once_each_with_its_place() {
    let folder = Folder::new();
    let base = folder
        .write("cache.yaml", "enabled: maybe\nbackends:\n  - name: a\n    type: memory\n    max_size: 0\n");
    let over = folder
        .write("cache.test.yaml", "env: staging\nservice:\n  stale_fro: 1\n  stale_for: 1\n  stale_for: 2\n");
    let variables = [("APP_ENV", "test"), ("LEX_CACHE__SERVICE__TTL_JITTER", "x")];
    let error = ConfigLoader::new().variables(variables).yaml_file(&base).unwrap_err();
    let (base, over) = (base.display(), over.display());
    let expected = [
        "configuration: 6 faults".to_owned(),
        format!("  enabled ({base}:1:1): expected true or false; this is text"),
        "    1 | enabled: …".to_owned(),
        "      | ^".to_owned(),
        format!("  backends[0].max_size ({base}:5:5): must be at least 1"),
        "    5 |     max_size: 0".to_owned(),
        "      |     ^".to_owned(),
        format!("  env ({over}:1:1): this is the file for test; take the key out here"),
        "    1 | env: staging".to_owned(),
        "      | ^".to_owned(),
        format!("  service.stale_fro ({over}:3:3): unknown key; did you mean `stale_for`?"),
        "    3 |   stale_fro: …".to_owned(),
        "      |   ^".to_owned(),
        format!("  service.stale_for ({over}:5:3): given twice; the first is on line 4"),
        "    5 |   stale_for: 2".to_owned(),
        "      |   ^".to_owned(),
        "  service.ttl_jitter (LEX_CACHE__SERVICE__TTL_JITTER): expected a duration: a number of seconds, or text such as \"250ms\", \"30s\", \"5m\", \"1h\", \"2d\"".to_owned(),
    ];
    assert_eq!(error.to_string().lines().collect::<Vec<_>>(), expected);
}

#[test]
fn a_file_for_the_environment_that_is_no_configuration_is_refused_by_its_name() {
    let folder = Folder::new();
    let base = folder.write("cache.yaml", "cache: {backends: [{name: a, type: memory}]}");
    let load = || ConfigLoader::new().variables([("LEX_ENV", "test")]).yaml_file(&base);
    for (text, expected) in [
        ("- a\n", "expected a mapping of keys; this is a list"),
        ("cache: {}\nother: 1\n", "unknown key; everything belongs under `cache`"),
        ("cache: {}\ncache: {}\n", "given twice"),
        ("a: [\n", "not valid YAML"),
    ] {
        let over = folder.write("cache.test.yaml", text);
        let text = told(load().unwrap_err());
        assert!(text.contains(&over.display().to_string()) && text.contains(expected), "{text}");
    }
    folder.write("cache.test.yaml", "");
    assert!(load().is_ok());
    fs::remove_file(folder.0.join("cache.test.yaml")).unwrap();
    fs::create_dir(folder.0.join("cache.test.yaml")).unwrap();
    assert!(told(load().unwrap_err()).starts_with("configuration: cannot read "));
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
