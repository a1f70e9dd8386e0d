//! A stream to a server on which every system call ends by the call's deadline.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
#[cfg(unix)]
use std::os::unix::net::UnixStream;
#[cfg(all(unix, feature = "redis"))]
use std::path::Path;
use std::time::Duration;

use super::super::fault::{Fault, io_error};
use crate::deadline::Deadline;
use crate::error::{Error, ErrorKind, Result};
use crate::wire::{Replies, within_limit};

pub(super) struct Socket {
    stream: Stream,
}

enum Stream {
    Tcp(TcpStream),
    #[cfg(unix)]
    #[cfg_attr(not(feature = "redis"), expect(dead_code, reason = "only Redis listens on Unix sockets"))]
    Unix(UnixStream),
}

impl Socket {
    /// Tries every address of the host, resolved anew, within the deadline.
    ///
    /// A name that needs a resolver can outlast the deadline, since the system's resolver takes none.
    pub(super) fn dial_tcp(
        host_and_port: impl ToSocketAddrs,
        at: &str,
        deadline: Deadline,
    ) -> Result<Socket> {
        let addresses: Vec<_> = host_and_port
            .to_socket_addrs()
            .map_err(|error| io_error(&format!("resolve {at}"), error))?
            .collect();
        let mut last = Error::new(ErrorKind::Unavailable, format!("{at} has no address"));
        for (tried, address) in addresses.iter().enumerate() {
            // Each address gets its share of the time, so that a dead first one leaves some for the second.
            let share = deadline.remaining()? / (addresses.len() - tried) as u32;
            match TcpStream::connect_timeout(address, share.max(Duration::from_millis(1))) {
                Ok(stream) => {
                    stream.set_nodelay(true).map_err(|error| io_error("set up the connection", error))?;
                    return Ok(Socket { stream: Stream::Tcp(stream) });
                }
                Err(error) => last = io_error(&format!("connect to {at}"), error),
            }
        }
        Err(last)
    }

    #[cfg(all(unix, feature = "redis"))]
    pub(super) fn dial_unix(path: &Path) -> Result<Socket> {
        let stream = UnixStream::connect(path)
            .map_err(|error| io_error(&format!("connect to {}", path.display()), error))?;
        Ok(Socket { stream: Stream::Unix(stream) })
    }

    /// Sends a request, and says how much of it left if it did not all leave.
    pub(super) fn send(&mut self, mut request: &[u8], deadline: Deadline) -> Result<(), Fault> {
        let mut sent = false;
        while !request.is_empty() {
            match self.write_some(request, deadline) {
                Ok(written) => request = &request[written..],
                Err(error) => return Err(Fault { error, sent }),
            }
            sent = true;
        }
        Ok(())
    }

    /// Receives all replies of the request that was sent.
    pub(super) fn receive<R: Replies>(&mut self, mut replies: R, deadline: Deadline) -> Result<R::Output> {
        let mut received = Vec::new();
        loop {
            self.read_some(&mut received, deadline)?;
            if replies.advance(&received)? {
                return replies.read(received);
            }
            within_limit(&received)?;
        }
    }

    /// Whether an idle connection is fit for use: open, and with nothing to read, since nothing was asked.
    pub(super) fn is_quiet(&mut self) -> bool {
        let quiet = self.stream.set_nonblocking(true).is_ok()
            && matches!(self.stream.read(&mut [0]), Err(error) if error.kind() == io::ErrorKind::WouldBlock);
        quiet && self.stream.set_nonblocking(false).is_ok()
    }

    fn write_some(&mut self, request: &[u8], deadline: Deadline) -> Result<usize> {
        let left = Some(deadline.remaining()?);
        let written = self.stream.set_write_timeout(left).and_then(|()| self.stream.write(request));
        match written {
            Ok(0) => Err(io_error("send", io::ErrorKind::WriteZero.into())),
            Ok(written) => Ok(written),
            Err(error) => Err(io_error("send", error)),
        }
    }

    fn read_some(&mut self, received: &mut Vec<u8>, deadline: Deadline) -> Result<()> {
        let left = Some(deadline.remaining()?);
        self.stream.set_read_timeout(left).map_err(|error| io_error("receive", error))?;
        let length = received.len();
        // Doubling keeps a long reply at a few reads; the first read fits most replies.
        received.resize(length + length.clamp(FIRST_READ, LARGEST_READ), 0);
        let read = loop {
            match self.stream.read(&mut received[length..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read,
            }
        };
        received.truncate(length + *read.as_ref().unwrap_or(&0));
        match read {
            Ok(0) => Err(io_error("receive", io::ErrorKind::UnexpectedEof.into())),
            Ok(_) => Ok(()),
            Err(error) => Err(io_error("receive", error)),
        }
    }
}

const FIRST_READ: usize = 4 * 1024;
const LARGEST_READ: usize = 1024 * 1024;

impl Stream {
    fn set_read_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        match self {
            Stream::Tcp(stream) => stream.set_read_timeout(timeout),
            #[cfg(unix)]
            Stream::Unix(stream) => stream.set_read_timeout(timeout),
        }
    }

    fn set_write_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        match self {
            Stream::Tcp(stream) => stream.set_write_timeout(timeout),
            #[cfg(unix)]
            Stream::Unix(stream) => stream.set_write_timeout(timeout),
        }
    }

    fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
        match self {
            Stream::Tcp(stream) => stream.set_nonblocking(nonblocking),
            #[cfg(unix)]
            Stream::Unix(stream) => stream.set_nonblocking(nonblocking),
        }
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Stream::Tcp(stream) => stream.read(buffer),
            #[cfg(unix)]
            Stream::Unix(stream) => stream.read(buffer),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        match self {
            Stream::Tcp(stream) => stream.write(buffer),
            #[cfg(unix)]
            Stream::Unix(stream) => stream.write(buffer),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
