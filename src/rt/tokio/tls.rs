//! TLS over a task's socket.

use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::super::fault::tls_error;
use crate::error::Result;
use crate::handle::tls::Tls;

/// Shakes hands; the caller bounds it by the deadline.
///
/// # Errors
/// `Misconfigured` if the two sides cannot agree or the certificate is not accepted.
pub(super) async fn handshake(stream: TcpStream, tls: &Tls, at: &str) -> Result<TlsStream<TcpStream>> {
    let connector = TlsConnector::from(tls.config.clone());
    connector.connect(tls.server_name.clone(), stream).await.map_err(|error| tls_error(at, error))
}
