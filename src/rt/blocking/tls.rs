//! TLS over a thread's socket.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use rustls::{ClientConnection, StreamOwned};

use super::super::fault::{io_error, tls_error};
use super::stream::Stream;
use crate::deadline::Deadline;
use crate::error::Result;
use crate::handle::tls::Tls;

/// An encrypted stream, past its handshake.
pub(super) struct TlsStream(StreamOwned<ClientConnection, TcpStream>);

impl TlsStream {
    /// Shakes hands, step by step, each bounded by what is left of the call.
    ///
    /// # Errors
    /// `Misconfigured` if the two sides cannot agree or the certificate is not accepted.
    pub(super) fn handshake(
        mut stream: TcpStream,
        tls: &Tls,
        at: &str,
        deadline: Deadline,
    ) -> Result<TlsStream> {
        let client = ClientConnection::new(tls.config.clone(), tls.server_name.clone());
        let mut client = client.map_err(|error| tls_error(at, error))?;
        while client.is_handshaking() {
            let left = Some(deadline.remaining()?);
            let step = match client.wants_write() {
                true => stream.set_write_timeout(left).and_then(|()| client.write_tls(&mut stream)),
                false => stream.set_read_timeout(left).and_then(|()| client.read_tls(&mut stream)),
            };
            if step.map_err(|error| io_error(&format!("shake hands with {at}"), error))? == 0 {
                return Err(io_error(&format!("shake hands with {at}"), io::ErrorKind::UnexpectedEof.into()));
            }
            if let Err(error) = client.process_new_packets() {
                // The server is told why, if it still listens; our own error is the one that counts.
                let _ = client.write_tls(&mut stream);
                return Err(tls_error(at, error));
            }
        }
        Ok(TlsStream(StreamOwned::new(client, stream)))
    }
}

impl Stream for TlsStream {
    fn set_read_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        self.0.sock.set_read_timeout(timeout)
    }
    fn set_write_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        self.0.sock.set_write_timeout(timeout)
    }
    fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
        self.0.sock.set_nonblocking(nonblocking)
    }
}

impl Read for TlsStream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Write for TlsStream {
    /// One record at a time, so that the timeout that was set bounds little more than one system call.
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let written = self.0.write(&buffer[..buffer.len().min(RECORD)])?;
        self.0.flush()?;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

const RECORD: usize = 16 * 1024;
