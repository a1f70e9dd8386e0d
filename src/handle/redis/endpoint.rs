//! One server of several, by host and port.

use std::fmt;

use super::super::address::host_and_port;
use super::{Address, Settings};
use crate::error::{Error, ErrorKind, Result};

/// Where one of several servers listens. An IPv6 address stands without brackets.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Endpoint {
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl Endpoint {
    pub(crate) fn new(host: &str, port: u16) -> Endpoint {
        let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        Endpoint { host: bare.unwrap_or(host).to_owned(), port }
    }

    /// # Errors
    /// `Config` for what is no `host:port`. It is not quoted: a whole URL may stand there, with a password.
    pub(super) fn parse(server: &str) -> Result<Endpoint> {
        let (host, port) = host_and_port(server.trim(), None).ok_or_else(|| {
            let text = "a further Redis server is not of the form host:port, or [v6 address]:port; \
                credentials and TLS are those of the URL";
            Error::new(ErrorKind::Config, text)
        })?;
        Ok(Endpoint::new(host, port))
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Endpoint { host, port } = self;
        if host.contains(':') { write!(f, "[{host}]:{port}") } else { write!(f, "{host}:{port}") }
    }
}

impl Settings {
    /// The same for another server.
    ///
    /// # Errors
    /// `Config` for a host that no certificate can name, where TLS is asked for.
    pub(crate) fn at(&self, endpoint: &Endpoint) -> Result<Settings> {
        let Endpoint { host, port } = endpoint;
        let tls = match &self.address {
            Address::Tcp { tls: Some(tls), .. } => Some(tls.of(host)?),
            Address::Tcp { tls: None, .. } | Address::Unix(_) => None,
        };
        let address = Address::Tcp { host: host.clone(), port: *port, tls };
        Ok(Settings { address, ..self.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_printed_as_it_is_written() {
        for (written, host, port) in
            [("a:1", "a", 1), ("10.0.0.1:7000", "10.0.0.1", 7000), ("[::1]:5", "::1", 5)]
        {
            let endpoint = Endpoint::parse(written).unwrap();
            assert_eq!((endpoint.host.as_str(), endpoint.port), (host, port));
            assert_eq!(endpoint.to_string(), written);
        }
    }

    #[test]
    fn what_is_no_endpoint_is_refused_without_being_quoted() {
        for wrong in
            ["", "a", ":1", "a:", "a:0", "a:65536", "::1", "S3CR3T@h:1", "redis://:S3CR3T@h:1", "/a:1"]
        {
            let error = Endpoint::parse(wrong).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config, "{wrong}");
            assert!(!format!("{error} {error:?}").contains("S3CR3T"));
        }
    }
}
