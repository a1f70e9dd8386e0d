//! TLS over a thread's socket.

use std::io::{self, Read, Write};
use std::net::TcpStream;

use rustls::{ClientConnection, StreamOwned};

use super::super::fault::{io_error, tls_error};
use super::stream::{Armed, Stream};
use crate::deadline::Deadline;
use crate::error::Result;
use crate::handle::tls::Tls;

/// An encrypted stream, past its handshake.
pub(super) struct TlsStream(StreamOwned<ClientConnection, Armed<TcpStream>>);

impl TlsStream {
    /// Shakes hands within the deadline that the socket is bounded by.
    ///
    /// # Errors
    /// `Misconfigured` if the two sides cannot agree or the certificate is not accepted.
    pub(super) fn handshake(mut socket: Armed<TcpStream>, tls: &Tls, at: &str) -> Result<TlsStream> {
        let client = ClientConnection::new(tls.config.clone(), tls.server_name.clone());
        let mut client = client.map_err(|error| tls_error(at, error))?;
        while client.is_handshaking() {
            let step = match client.wants_write() {
                true => client.write_tls(&mut socket),
                false => client.read_tls(&mut socket),
            };
            if step.map_err(|error| io_error(&format!("shake hands with {at}"), error))? == 0 {
                return Err(io_error(&format!("shake hands with {at}"), io::ErrorKind::UnexpectedEof.into()));
            }
            if let Err(error) = client.process_new_packets() {
                // The server is told why, if it still listens; our own error is the one that counts.
                let _ = client.write_tls(&mut socket);
                return Err(tls_error(at, error));
            }
        }
        Ok(TlsStream(StreamOwned::new(client, socket)))
    }
}

impl Stream for TlsStream {
    fn set_deadline(&mut self, deadline: Deadline) {
        self.0.sock.set_deadline(deadline);
    }

    fn set_patient(&mut self, patient: bool) -> io::Result<()> {
        self.0.sock.set_patient(patient)
    }
}

impl Read for TlsStream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Write for TlsStream {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let written = self.0.write(buffer)?;
        // rustls buffers, and an unsent rest would be forgotten: nobody flushes after the last write.
        self.0.flush()?;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
