//! What production asks for beyond what is right anywhere: a Redis on another machine has a strong password.

use std::net::IpAddr;

use super::fault::{Report, Step};
use super::{BackendKind, Config, RedisConfig};

/// Holds every backend that is built to it.
pub(super) fn check(config: &Config, report: &mut Report) {
    for (index, backend) in config.backends.iter().enumerate() {
        let BackendKind::Redis(redis) = &backend.kind else { continue };
        if !backend.enabled || !needs_password(redis) {
            continue;
        }
        let login = login(redis);
        let text = match login.as_ref().and_then(|(user, password)| Some((user, password.as_ref()?))) {
            None => "production needs a password for a Redis that is not on this machine",
            Some((user, password)) if is_weak(user.as_deref(), password) => {
                "production needs a stronger password for a Redis that is not on this machine: at least 12 \
                 characters, 6 of them different, and not a word that everybody tries"
            }
            Some(_) => continue,
        };
        let key = if redis.url.is_some() { "redis_url" } else { "redis_password" };
        report.at(&[Step::Key("backends"), Step::Item(index), Step::Key(key)], text);
    }
}

/// Whether any of its servers is on another machine.
fn needs_password(redis: &RedisConfig) -> bool {
    let first = match &redis.url {
        Some(url) => address(url.expose()).map(|(_, host)| host.to_owned()),
        None if !redis.nodes.is_empty() => None,
        None if redis.host.starts_with('/') => None,
        None => Some(redis.host.clone()),
    };
    first
        .iter()
        .map(String::as_str)
        .chain(redis.nodes.iter().map(|node| host_of(node)))
        .any(|host| !is_here(host))
}

/// User and password, wherever they stand.
fn login(redis: &RedisConfig) -> Option<(Option<String>, Option<String>)> {
    let Some(url) = &redis.url else {
        let expose =
            |secret: &Option<super::Secret>| secret.as_ref().map(|secret| secret.expose().to_owned());
        return Some((expose(&redis.username), expose(&redis.password)));
    };
    let (login, _) = address(url.expose())?;
    let (user, password) = login?.split_once(':')?;
    Some((Some(decoded(user)), Some(decoded(password)).filter(|password| !password.is_empty())))
}

/// Login and host of a URL; `None` for a Unix socket.
fn address(url: &str) -> Option<(Option<&str>, &str)> {
    let (scheme, rest) = url.split_once("://")?;
    if scheme.ends_with("unix") {
        return None;
    }
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    match authority.rsplit_once('@') {
        Some((login, host)) => Some((Some(login), host_of(host))),
        None => Some((None, host_of(authority))),
    }
}

/// A host without its port and its brackets.
fn host_of(server: &str) -> &str {
    if let Some((host, _)) = server.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return host;
    }
    match server.rsplit_once(':') {
        Some((host, _)) if !host.contains(':') => host,
        _ => server,
    }
}

fn is_here(host: &str) -> bool {
    let host = host.trim_end_matches('.');
    host.is_empty()
        || host.eq_ignore_ascii_case("localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
}

fn is_weak(user: Option<&str>, password: &str) -> bool {
    let mut different: Vec<char> = password.chars().collect();
    different.sort_unstable();
    different.dedup();
    let lower = password.to_ascii_lowercase();
    // What is left of `Password2024!!` and the like.
    let core = lower.trim_matches(|c: char| !c.is_ascii_alphabetic());
    let is_tried = TRIED.iter().any(|word| core.replace(word, "").len() <= 3);
    password.chars().count() < 12
        || different.len() < 6
        || is_tried
        || user.is_some_and(|user| !user.is_empty() && user.eq_ignore_ascii_case(password))
}

const TRIED: [&str; 10] = [
    "password", "passw0rd", "changeme", "secret", "redis", "admin", "default", "letmein", "qwerty",
    "foobared",
];

fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let (mut at, mut decoded) = (0, Vec::new());
    while at < bytes.len() {
        let digits = text.get(at + 1..at + 3).filter(|_| bytes[at] == b'%');
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                decoded.push(byte);
                at += 3;
            }
            None => {
                decoded.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_does_without_a_password() {
        let needs =
            |url: &str| needs_password(&RedisConfig { url: Some(url.into()), ..RedisConfig::default() });
        for here in [
            "redis://localhost",
            "redis://:p@127.0.0.2:1/0",
            "rediss://[::1]:6379",
            "redis://[::ffff:127.0.0.1]",
            "unix:///run/r.sock",
            "redis+unix:///run/r.sock?db=1",
        ] {
            assert!(!needs(here), "{here}");
        }
        for away in [
            "redis://h",
            "redis://10.0.0.1",
            "redis://localhost@h",
            "redis://[fe80::1]",
            "redis://localhost.x",
        ] {
            assert!(needs(away), "{away}");
        }
        let nodes = vec!["localhost:1".to_owned(), "h:2".to_owned()];
        assert!(needs_password(&RedisConfig { nodes, ..RedisConfig::default() }));
        assert!(!needs_password(&RedisConfig { host: "/run/r.sock".to_owned(), ..RedisConfig::default() }));
    }

    #[test]
    fn a_login_is_found_in_a_url_and_decoded() {
        let of = |url: &str| login(&RedisConfig { url: Some(url.into()), ..RedisConfig::default() });
        assert_eq!(of("redis://u:p%40%2F@h"), Some((Some("u".into()), Some("p@/".into()))));
        assert_eq!(of("redis://:p@h"), Some((Some(String::new()), Some("p".into()))));
        assert_eq!(of("redis://h"), None);
        assert_eq!(of("redis://u:@h"), Some((Some("u".into()), None)));
    }

    #[test]
    fn a_weak_password_is_known() {
        for weak in [
            "",
            "short",
            "password1234567",
            "REDIS-2024-2025",
            "aaaaaaaaaaaaaaaa",
            "abababababab",
            "Changeme!!!!!!",
        ] {
            assert!(is_weak(None, weak), "{weak}");
        }
        assert!(is_weak(Some("averylonguser"), "averylonguser"));
        for strong in ["correct-horse-battery", "k3J9xQ2mZ7pL", "tr0ub4dor&3xyz", "redistribution-of-cats"] {
            assert!(!is_weak(Some("u"), strong), "{strong}");
        }
    }
}
