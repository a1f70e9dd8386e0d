//! Files beside the one that is read: secrets, and what holds in one environment.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use super::completed::{BASE, redis, refused, with};
use super::*;

/// A folder of this test's own, removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Folder {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("lexigram-config-{}-{number}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder for temporary files");
        Folder(folder)
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, content).expect("room for a small file");
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
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
fn a_file_of_ten_megabytes_is_refused_by_its_name_and_not_read_to_its_end() {
    let folder = Folder::new();
    for content in ["x".repeat(10_000_000), "é".repeat(5_000_000), "- &a [*a]\n".repeat(1_000_000)] {
        let path = folder.write("cache.yaml", content);
        let text = told(Config::from_yaml_file(&path).unwrap_err());
        assert_eq!(
            text,
            format!("configuration: {} is larger than 1 MiB, which no configuration is", path.display())
        );
    }
}

#[test]
fn an_empty_file_is_named() {
    let folder = Folder::new();
    let path = folder.write("cache.yaml", "# nothing yet\n");
    let error = ConfigLoader::new().variables([("", ""); 0]).yaml_file(&path).unwrap_err();
    let expected = "expected a mapping of keys; this is nothing";
    assert_eq!(error.to_string(), format!("configuration: top level ({}): {expected}", path.display()));
}
