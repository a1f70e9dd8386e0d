//! Configurations that are wrong, and what their author is told.

use super::*;

#[test]
fn wrong_files_are_told_what_is_wrong() {
    for (text, expected) in [
        (
            one("type: redis\nredis_prot: 1"),
            "cache.backends[0].redis_prot (line 5, column 7): unknown key; did you mean `redis_port`?",
        ),
        (
            one("type: redis\nport: 1"),
            "cache.backends[0].port (line 5, column 7): unknown key; did you mean `redis_port`?",
        ),
        (
            one("type: memory\nredis_port: 1"),
            "cache.backends[0].redis_port (line 5, column 7): only a backend of type redis has this key; this one's type is memory",
        ),
        (
            one("type: memory\nttl_jitter: 1"),
            "cache.backends[0].ttl_jitter (line 5, column 7): unknown key here; it belongs in `service`",
        ),
        (
            one("type: reddis"),
            "cache.backends[0].type (line 4, column 7): expected memory, redis or memcached; did you mean `redis`?",
        ),
        (one("max_size: 1"), "cache.backends[0].type (line 3, column 7): is missing"),
        ("backends:\n  - type: memory".to_owned(), "backends[0].name (line 2, column 5): is missing"),
        (
            one("type: redis\nredis_port: 70000"),
            "cache.backends[0].redis_port (line 5, column 7): expected a whole number from 0 to 65535",
        ),
        (
            one("type: redis\nredis_port: 0"),
            "cache.backends[0].redis_port (line 5, column 7): must be from 1 to 65535",
        ),
        (
            one("type: redis\nredis_db: -1"),
            "cache.backends[0].redis_db (line 5, column 7): expected a whole number from 0 to 4294967295",
        ),
        (
            one("type: redis\nredis_pool_size: 0"),
            "cache.backends[0].redis_pool_size (line 5, column 7): must be from 1 to 10000",
        ),
        (
            one("type: redis\nredis_url: http://h"),
            "cache.backends[0].redis_url (line 5, column 7): must be an address that begins with redis://, rediss://, redis+unix:// or unix://",
        ),
        (
            one("type: redis\nredis_username: u"),
            "cache.backends[0].redis_username (line 5, column 7): needs `redis_password` too",
        ),
        (
            one("type: redis\nredis_ca_file: ca.pem"),
            "cache.backends[0].redis_ca_file (line 5, column 7): is for TLS only; it needs `redis_ssl: true` or an address that begins with rediss:// too",
        ),
        (
            one("type: redis\nredis_mode: sentinel"),
            "cache.backends[0].redis_mode (line 5, column 7): sentinel needs `redis_sentinel_master` too",
        ),
        (
            one("type: redis\nredis_mode: sentinel\nredis_sentinel_master: m"),
            "cache.backends[0].redis_mode (line 5, column 7): sentinel needs `redis_nodes` too, which are the sentinels",
        ),
        (
            one("type: redis\nredis_nodes: [a:1]"),
            "cache.backends[0].redis_nodes (line 5, column 7): several servers need `redis_mode: cluster` or `redis_mode: sentinel` too",
        ),
        (
            one("type: redis\nredis_sentinel_master: m"),
            "cache.backends[0].redis_sentinel_master (line 5, column 7): is for `redis_mode: sentinel` only",
        ),
        (
            one("type: redis\nredis_mode: cluster\nredis_db: 1"),
            "cache.backends[0].redis_db (line 6, column 7): a cluster has database 0 only",
        ),
        (
            one(
                "type: redis\nredis_mode: sentinel\nredis_sentinel_master: m\nredis_nodes: [a]\nredis_sentinel_username: u",
            ),
            "cache.backends[0].redis_sentinel_username (line 8, column 7): needs `redis_sentinel_password` too",
        ),
        (
            one("type: memory\nmax_size: 0"),
            "cache.backends[0].max_size (line 5, column 7): must be at least 1",
        ),
        (
            one("type: memory\nmax_size: \"500\""),
            "cache.backends[0].max_size (line 5, column 7): expected a whole number, not negative; this is text",
        ),
        (
            one("type: memory\nmax_size: 99999999999999999999999999999999999999999999"),
            "cache.backends[0].max_size (line 5, column 7): expected a whole number, not negative; this has a fraction, or is too large",
        ),
        (
            one("type: memory\ndefault_ttl: 0"),
            "cache.backends[0].default_ttl (line 5, column 7): must be more than zero; leave the key out to keep values for ever",
        ),
        (
            one("type: memory\ndefault_ttl: -5"),
            "cache.backends[0].default_ttl (line 5, column 7): a duration cannot be negative",
        ),
        (
            one("type: memory\ndefault_ttl: .nan"),
            "cache.backends[0].default_ttl (line 5, column 7): expected a duration: a number of seconds, or text such as \"250ms\", \"30s\", \"5m\", \"1h\", \"2d\"",
        ),
        (
            one("type: memory\ndefault_ttl: 200000d"),
            "cache.backends[0].default_ttl (line 5, column 7): must be at most 100 years",
        ),
        (
            one("type: memory\ntimeout:"),
            "cache.backends[0].timeout (line 5, column 7): expected a duration: a number of seconds, or text such as \"250ms\", \"30s\", \"5m\", \"1h\", \"2d\"; this is nothing",
        ),
        (
            one("type: memory\nkey_prefix: on"),
            "cache.backends[0].key_prefix (line 5, column 7): expected text; this is a boolean: put it in quotes",
        ),
        (
            one("type: memory\ntimeout: 1\ntimeout: 2"),
            "cache.backends[0].timeout (line 6, column 7): given twice; the first is on line 5",
        ),
        (
            one("type: memory\nenabled: false"),
            "cache.backends[0].enabled (line 5, column 7): the default backend, backends[0], is not enabled",
        ),
        (
            one("type: memory\nserializer: pickle"),
            "cache.backends[0].serializer (line 5, column 7): `pickle` can run code of whoever writes to the server and is not supported; `postcard` is the compact binary form here",
        ),
        (
            one("type: memory\nserializer: json+comprssion"),
            "cache.backends[0].serializer (line 5, column 7): expected json, postcard, compression, json+compression or postcard+compression; did you mean `json+compression`?",
        ),
        (
            one("type: memcached\nmemcached_host: h:11211"),
            "cache.backends[0].memcached_host (line 5, column 7): must be a host without a port; the port has its own key",
        ),
        (
            one("type: memcached\nmemcached_servers: [a, \"b:0\"]"),
            "cache.backends[0].memcached_servers (line 5, column 7): entry [1] must be `host` or `host:port`",
        ),
        (
            one("type: memory") + "  service:\n    default_backend: b\n",
            "cache.service.default_backend (line 6, column 5): no backend has this name; the names are a",
        ),
        (
            one("type: memory") + "  servise: {}\n",
            "cache.servise (line 5, column 3): unknown key; did you mean `service`?",
        ),
        (
            one("type: memory") + "database: {}\n",
            "database (line 5, column 1): unknown key; everything belongs under `cache`",
        ),
        (
            one("type: memory") + "  7: 1\n",
            "cache.? (line 5, column 3): a key must be text; put it in quotes",
        ),
        (
            one("type: memory\n") + "    - just text\n",
            "cache.backends[1] (line 5, column 7): expected a mapping of keys; this is text",
        ),
        (String::new(), "top level: expected a mapping of keys; this is nothing"),
        ("# only a comment\n".to_owned(), "top level: expected a mapping of keys; this is nothing"),
        ("- a\n".to_owned(), "top level: expected a mapping of keys; this is a list"),
        ("cache:\n".to_owned(), "cache (line 1, column 1): expected a mapping of keys; this is nothing"),
        ("cache: {}\n".to_owned(), "cache.backends (line 1, column 1): at least one backend is needed"),
        (
            "cache:\n  backends: []\n".to_owned(),
            "cache.backends (line 2, column 3): at least one backend is needed",
        ),
        (
            "a: 1\n---\nb: 2\n".to_owned(),
            "line 3, column 1: there is a second document (`---`); a configuration is one",
        ),
        ("cache:\n\tbackends: []\n".to_owned(), "line 2, column 2: a tab cannot indent YAML; use spaces"),
        ("cache: *nowhere\n".to_owned(), "line 1, column 8: an alias (`*name`) without its anchor (`&name`)"),
        ("x".repeat(10_000_000), "the text is larger than 1 MiB, which no configuration is"),
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
            "  cache.enabled (line 2, column 3)",
            "  cache.backends[0].max_size (line 6, column 7)",
            "  cache.backends[0].redis_port (line 7, column 7)",
            "  cache.backends[1].name (line 8, column 7)",
            "  cache.backends[1].redis_pasword (line 9, column 7)",
            "  cache.service.default_serializer (line 11, column 5)",
        ]
    );
}

#[test]
fn a_feature_that_is_not_compiled_in_is_named() {
    let alone = Features { cluster: false, ..Features::ALL };
    let small = Features {
        json: true,
        postcard: false,
        compress: false,
        redis: false,
        memcached: false,
        cluster: false,
        tls: false,
    };
    let plain = Features { tls: false, ..Features::ALL };
    for (lines, features, place, feature) in [
        ("type: redis", small, "type", "redis"),
        ("type: redis\nredis_mode: cluster", alone, "redis_mode", "cluster"),
        ("type: redis\nredis_ssl: true", plain, "redis_ssl", "tls"),
        ("type: redis\nredis_url: rediss://h", plain, "redis_url", "tls"),
        ("type: memcached", small, "type", "memcached"),
        ("type: memory\nserializer: postcard", small, "serializer", "postcard"),
        ("type: memory\nserializer: compression", small, "serializer", "compress"),
    ] {
        let error = told(load_with(&one(lines), &features).unwrap_err());
        let advice =
            format!("not compiled in: add features = [\"{feature}\"] to lexigram-cache in Cargo.toml");
        assert!(
            error.contains(&format!("cache.backends[0].{place} (line ")) && error.ends_with(&advice),
            "{error}"
        );
    }
    let off =
        "backends:\n  - {name: a, type: memory, default: true}\n  - {name: b, type: redis, enabled: false}\n";
    assert!(load_with(off, &small).is_ok());
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
        "type: redis\nredis_sentinel_password: [CANARY]",
        "type: redis\nredis_sentinel_password: CANARY",
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
    let whole = include_str!("../../../tests/samples/named.yaml");
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
fn a_file_that_cannot_be_read_is_a_configuration_error() {
    let error = Config::from_yaml_file("/nowhere/cache.yaml").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().starts_with("configuration: cannot read /nowhere/cache.yaml: "));
}
