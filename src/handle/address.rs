//! `host:port` as users write it.

/// Taken apart, the brackets of an IPv6 address with it. `None` for what is no address, or names no port where there is no
/// usual one.
pub(super) fn host_and_port(server: &str, usual: Option<u16>) -> Option<(&str, u16)> {
    let (host, port) = match server.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port.parse().ok()?),
        _ => (server, usual?),
    };
    let bracketed = host.starts_with('[') && host.ends_with(']');
    let allowed =
        |c: char| c.is_ascii_alphanumeric() || "-._".contains(c) || (bracketed && ":[]%".contains(c));
    (!host.is_empty() && port != 0 && host.chars().all(allowed)).then_some((host, port))
}
