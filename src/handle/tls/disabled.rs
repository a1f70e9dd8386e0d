//! A build without TLS.

use super::TlsSettings;
use crate::error::{Error, ErrorKind, Result};

/// Cannot be made.
#[derive(Clone)]
pub(crate) enum Tls {}

impl Tls {
    pub(crate) fn new(_: &str, _: &TlsSettings) -> Result<Tls> {
        let text = "rediss:// needs TLS: add features = [\"tls\"] to lexigram-cache in Cargo.toml";
        Err(Error::new(ErrorKind::Config, text))
    }

    pub(crate) fn of(&self, _: &str) -> Result<Tls> {
        match *self {}
    }
}
