//! TLS over a task's socket.

use std::io;

use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::super::fault::{io_error, tls_error};
use super::dial::Stream;
use crate::error::Result;
use crate::handle::tls::Tls;

/// Shakes hands; the caller bounds it by the deadline.
///
/// # Errors
/// `Misconfigured` if the two sides cannot agree or the certificate is not accepted; `Unavailable` if the connection ends.
pub(super) async fn handshake(stream: Stream, tls: &Tls, at: &str) -> Result<TlsStream<Stream>> {
    let connector = TlsConnector::from(tls.config.clone());
    connector.connect(tls.server_name.clone(), stream).await.map_err(|error| match error.kind() {
        // What rustls has to say of the other side; all else is the connection's.
        io::ErrorKind::InvalidData => tls_error(at, error),
        _ => io_error(&format!("shake hands with {at}"), error),
    })
}
