//! `host:port`, and which colon is the one in the middle.

/// `host:port`, with an IPv6 address in brackets.
pub(super) fn host_and_port(host: &str, port: u16) -> String {
    if host.contains(':') && !host.starts_with('[') {
        return format!("[{host}]:{port}");
    }
    format!("{host}:{port}")
}

/// The same for what may have its port already.
pub(super) fn with_port(server: &str, port: u16) -> String {
    match port_of(server) {
        Some(_) => server.to_owned(),
        None => host_and_port(server, port),
    }
}

/// The text behind the colon that separates a port, if there is one. A bare IPv6 address has none: its
/// colons are its own.
pub(super) fn port_of(server: &str) -> Option<&str> {
    if let Some(end) = server.rfind(']') {
        return server[end + 1..].strip_prefix(':');
    }
    let (host, port) = server.rsplit_once(':')?;
    (!host.contains(':')).then_some(port)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_colon_of_a_port_is_one() {
        for (server, port) in [
            ("a", None),
            ("a:1", Some("1")),
            ("a:", Some("")),
            ("::1", None),
            ("[::1]", None),
            ("[::1]:7", Some("7")),
            ("]", None),
        ] {
            assert_eq!(port_of(server), port, "{server}");
        }
    }

    #[test]
    fn a_port_is_added_where_there_is_none() {
        for (server, complete) in [("a", "a:7"), ("a:1", "a:1"), ("::1", "[::1]:7"), ("[::1]:1", "[::1]:1")] {
            assert_eq!(with_port(server, 7), complete);
        }
    }

    #[test]
    fn an_ipv6_address_is_bracketed_once() {
        assert_eq!(host_and_port("::1", 7), "[::1]:7");
        assert_eq!(host_and_port("[::1]", 7), "[::1]:7");
        assert_eq!(host_and_port("a", 7), "a:7");
    }
}
