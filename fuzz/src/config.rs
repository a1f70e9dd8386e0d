//! A configuration, a URL or a list of servers that somebody mistyped.

use lexigram_cache::{Config, ErrorKind, Memcached, Redis, Result};

pub fn run(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    sound_or_refused(Config::from_yaml_str(text));
    if let Ok(config) = serde_json::from_slice(bytes) {
        sound_or_refused(Ok(config));
    }
    discreet(text, Redis::builder(text).build().map(|redis| format!("{redis:?}")));
    for server in text.split(',') {
        discreet(server, Memcached::builder([server]).build().map(|server| format!("{server:?}")));
    }
}

fn sound_or_refused(config: Result<Config>) {
    match config {
        Ok(config) => {
            config.validate().expect("what was read is sound");
            let _ = config.default_name();
            let _ = format!("{config:?}");
        }
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::Config, "{error}");
            assert!(error.to_string().starts_with("configuration: "), "{error}");
        }
    }
}

/// The word that stands for a password, wherever it is.
const SECRET: &str = ":S3CR3T@";

fn discreet(text: &str, shown: Result<String>) {
    let shown = shown.unwrap_or_else(|error| format!("{error} {error:?}"));
    // Where it stands by itself as well, it is no secret.
    let is_secret = text.contains(SECRET) && !text.replace(SECRET, "").contains("S3CR3T");
    assert!(!is_secret || !shown.contains("S3CR3T"), "{shown}");
}
