//! TLS for connections to servers: what to trust, and who we are.
//!
//! The same names exist without the feature `tls`; asking for TLS is then an error that names it.

use std::path::PathBuf;

#[cfg(feature = "tls")]
mod enabled;
#[cfg(feature = "tls")]
pub(crate) use enabled::Tls;

#[cfg(not(feature = "tls"))]
mod disabled;
#[cfg(not(feature = "tls"))]
pub(crate) use disabled::Tls;

/// How a user wants a server to be trusted.
#[derive(Clone, Default)]
pub(crate) struct TlsSettings {
    /// PEM file of the authorities to trust in place of the public ones.
    pub(crate) ca_file: Option<PathBuf>,
    /// PEM files of our certificate chain and its key.
    pub(crate) client_certificate: Option<(PathBuf, PathBuf)>,
    pub(crate) accept_invalid_certs: bool,
}

impl TlsSettings {
    pub(crate) fn is_default(&self) -> bool {
        self.ca_file.is_none() && self.client_certificate.is_none() && !self.accept_invalid_certs
    }
}
