//! TLS by rustls. Certificates are read when a backend is built, so a wrong file is found at start-up.

use std::path::Path;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};

use super::TlsSettings;
use crate::error::{BoxError, Error, ErrorKind, Result};

/// What a TLS connection to one server needs.
#[derive(Clone)]
pub(crate) struct Tls {
    pub(crate) config: Arc<ClientConfig>,
    pub(crate) server_name: ServerName<'static>,
}

impl Tls {
    /// # Errors
    /// `Config`, naming the file or the host name that cannot be used.
    pub(crate) fn new(host: &str, settings: &TlsSettings) -> Result<Tls> {
        let server_name = server_name(host)?;
        // A provider that the program has installed is respected; else ring, without installing it for all.
        let provider =
            CryptoProvider::get_default().cloned().unwrap_or_else(|| Arc::new(ring::default_provider()));
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| {
                wrong("the installed crypto provider offers no safe TLS version".into(), error)
            })?;
        #[cfg(feature = "tracing")]
        if settings.accept_invalid_certs {
            tracing::warn!(
                host,
                "any certificate is taken for this server's; whoever sits in between reads along"
            );
        }
        let builder = match settings.accept_invalid_certs {
            true => builder.dangerous().with_custom_certificate_verifier(Arc::new(Anybody(provider))),
            false => builder.with_root_certificates(roots(settings.ca_file.as_deref())?),
        };
        let config = match &settings.client_certificate {
            None => builder.with_no_client_auth(),
            Some((chain, key)) => {
                let key_of = PrivateKeyDer::from_pem_file(key).map_err(|error| {
                    wrong(format!("no private key can be read from {}", key.display()), error)
                })?;
                builder.with_client_auth_cert(certificates(chain)?, key_of).map_err(|error| {
                    wrong(format!("{} and {} do not go together", chain.display(), key.display()), error)
                })?
            }
        };
        Ok(Tls { config: Arc::new(config), server_name })
    }

    /// The same trust for another server.
    ///
    /// # Errors
    /// `Config` for a host that no certificate can name.
    pub(crate) fn of(&self, host: &str) -> Result<Tls> {
        Ok(Tls { config: Arc::clone(&self.config), server_name: server_name(host)? })
    }
}

fn server_name(host: &str) -> Result<ServerName<'static>> {
    // An IPv6 address stands in brackets in a URL, not in a certificate.
    let name = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    ServerName::try_from(name)
        .map_err(|error| wrong(format!("`{host}` cannot be the name in a certificate"), error))
}

/// The authorities of a file alone, or the public ones that Mozilla trusts.
fn roots(ca_file: Option<&Path>) -> Result<RootCertStore> {
    let Some(path) = ca_file else {
        return Ok(RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() });
    };
    let mut roots = RootCertStore::empty();
    for certificate in certificates(path)? {
        roots
            .add(certificate)
            .map_err(|error| wrong(format!("{} holds no usable authority", path.display()), error))?;
    }
    Ok(roots)
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let unreadable = |error| wrong(format!("no certificate can be read from {}", path.display()), error);
    let chain = CertificateDer::pem_file_iter(path).map_err(unreadable)?;
    let chain = chain.collect::<std::result::Result<Vec<_>, _>>().map_err(unreadable)?;
    if chain.is_empty() {
        let text = format!("{} holds no certificate in PEM form", path.display());
        return Err(Error::new(ErrorKind::Config, text));
    }
    Ok(chain)
}

fn wrong(text: String, cause: impl Into<BoxError>) -> Error {
    Error::new(ErrorKind::Config, text).with_source(cause)
}

/// Takes any certificate for anybody's; only ever used where the user asked for it by its dangerous name.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
