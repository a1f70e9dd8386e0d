//! What a value of the right type must still fulfil. Refusals say what is allowed, never what was given.

use std::path::Path;
use std::time::Duration;

use super::Secret;
use super::address::port_of;
use super::fault::Text;
use super::redis::SCHEMES;
use crate::ttl::Lifetime;

type Checked = Result<(), Text>;

/// Every value of the type is meaningful.
pub(super) fn any<T>(_: &T) -> Checked {
    Ok(())
}

pub(super) fn optional<T>(value: &Option<T>, check: fn(&T) -> Checked) -> Checked {
    value.as_ref().map_or(Ok(()), check)
}

/// A duration that may be zero.
pub(super) fn moment(duration: &Duration) -> Checked {
    require(*duration <= Lifetime::MAX, "must be at most 100 years")
}

pub(super) fn positive(duration: &Duration) -> Checked {
    require(!duration.is_zero(), "must be more than zero")?;
    moment(duration)
}

/// A server answers within a few milliseconds at best; a lease has to outlive that.
pub(super) fn lease(duration: &Duration) -> Checked {
    require(*duration >= Duration::from_millis(10), "must be at least 10 ms")?;
    moment(duration)
}

pub(super) fn lifetime(duration: &Option<Duration>) -> Checked {
    let zero = duration.is_some_and(|duration| duration.is_zero());
    require(!zero, "must be more than zero; leave the key out to keep values for ever")?;
    optional(duration, moment)
}

/// At least one of what is counted.
pub(super) fn some<T: Default + PartialEq>(count: &T) -> Checked {
    require(*count != T::default(), "must be at least 1")
}

/// A pool larger than this exhausts file handles before it helps.
pub(super) fn pool(connections: &u32) -> Checked {
    require((1..=10_000).contains(connections), "must be from 1 to 10000")
}

pub(super) fn below_one(fraction: &f64) -> Checked {
    require((0.0..1.0).contains(fraction), "must be a fraction from 0 to below 1")
}

pub(super) fn port(port: &u16) -> Checked {
    require(*port != 0, "must be from 1 to 65535")
}

/// A name that can be printed in a log line.
pub(super) fn label(name: &impl AsRef<str>) -> Checked {
    let name = name.as_ref();
    let printable = !name.chars().any(char::is_control);
    require((1..=100).contains(&name.len()) && printable, "must be 1 to 100 bytes of printable text")
}

pub(super) fn path(path: &impl AsRef<Path>) -> Checked {
    require(!path.as_ref().as_os_str().is_empty(), "must be the path of a file")
}

pub(super) fn redis_url(url: &Secret) -> Checked {
    let url = url.expose();
    let address = SCHEMES.iter().find_map(|scheme| url.strip_prefix(scheme)).unwrap_or_default();
    let clean = !url.contains(|c: char| c.is_whitespace() || c.is_control());
    require(
        !address.is_empty() && clean,
        "must be an address that begins with redis://, rediss://, redis+unix:// or unix://",
    )
}

pub(super) fn redis_host(host: &str) -> Checked {
    if host.starts_with('/') {
        return require(!host.contains(char::is_control), "must be a host or the path of a Unix socket");
    }
    host_name(host)
}

pub(super) fn host_name(host: &str) -> Checked {
    require(port_of(host).is_none(), "must be a host without a port; the port has its own key")?;
    require(is_host(host), "must be a host name or an IP address, not a URL")
}

/// `host` or `host:port`, for each of a list.
pub(super) fn each_server(servers: &[String]) -> Checked {
    match servers.iter().position(|server| !is_server(server)) {
        Some(index) => Err(format!("entry [{index}] must be `host` or `host:port`").into()),
        None => Ok(()),
    }
}

fn is_server(server: &str) -> bool {
    match port_of(server) {
        Some(port) => {
            let host = &server[..server.len() - port.len() - 1];
            is_host(host) && port.parse::<u16>().is_ok_and(|port| port > 0)
        }
        None => is_host(server),
    }
}

/// Neither a URL nor a login, and nothing that would let one connection string say two things.
fn is_host(host: &str) -> bool {
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let plain = |c: char| !c.is_whitespace() && !c.is_control() && !"/@?#[]\"'".contains(c);
    let text = bare.unwrap_or(host);
    !text.is_empty() && text.chars().all(plain) && (bare.is_none() || text.contains(':'))
}

fn require(holds: bool, text: &'static str) -> Checked {
    if holds { Ok(()) } else { Err(text.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redis_url_has_one_of_the_schemes_and_an_address() {
        for good in ["redis://h", "rediss://:p@h:1/0", "unix:///run/r.sock", "redis+unix:///run/r.sock"] {
            assert!(redis_url(&good.into()).is_ok(), "{good}");
        }
        for bad in ["", "http://h", "redis://", "h:6379", "redis://h ", "redis://h\r\nFLUSHALL"] {
            assert!(redis_url(&bad.into()).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_host_is_no_url_and_no_login() {
        for good in ["localhost", "10.0.0.1", "::1", "[::1]", "redis.internal"] {
            assert!(host_name(good).is_ok(), "{good}");
        }
        for bad in ["", "h:6379", "redis://h", "u@h", "a b", "/run/r.sock", "[h]", "[]", "[::1]:1"] {
            assert!(host_name(bad).is_err(), "{bad}");
        }
        assert!(redis_host("/run/r.sock").is_ok());
    }

    #[test]
    fn a_server_may_have_a_port() {
        let check = |server: &str| each_server(&[server.to_owned()]).is_ok();
        for good in ["a", "a:1", "::1", "[::1]:65535"] {
            assert!(check(good), "{good}");
        }
        for bad in ["", ":1", "a:", "a:0", "a:65536", "a:x", "u@a:1", "http://a:1", "[::1]x"] {
            assert!(!check(bad), "{bad}");
        }
    }

    #[test]
    fn a_fraction_is_a_number_below_one() {
        assert!(below_one(&0.0).is_ok() && below_one(&0.99).is_ok());
        for bad in [1.0, -0.1, f64::NAN, f64::INFINITY] {
            assert!(below_one(&bad).is_err(), "{bad}");
        }
    }
}
