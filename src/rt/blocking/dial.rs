//! Connecting a thread to a server, within the call's deadline.

use std::net::{TcpStream, ToSocketAddrs};
#[cfg(all(unix, feature = "redis"))]
use std::os::unix::net::UnixStream;
use std::time::Duration;

use super::super::fault::io_error;
use super::stream::Armed;
use crate::deadline::Deadline;
use crate::error::{Error, ErrorKind, Result};

/// Tries every address of the host, resolved anew. Each gets its share of the time, so that a dead first one
/// leaves some for the second.
///
/// A name that needs a resolver can outlast the deadline, since the system's resolver takes none.
pub(super) fn dial(
    host_and_port: impl ToSocketAddrs,
    at: &str,
    deadline: Deadline,
) -> Result<Armed<TcpStream>> {
    let addresses =
        host_and_port.to_socket_addrs().map_err(|error| io_error(&format!("resolve {at}"), error))?;
    let addresses: Vec<_> = addresses.collect();
    let mut last = Error::new(ErrorKind::Unavailable, format!("{at} has no address"));
    for (tried, address) in addresses.iter().enumerate() {
        let share = deadline.remaining()? / (addresses.len() - tried) as u32;
        match TcpStream::connect_timeout(address, share.max(Duration::from_millis(1))) {
            Ok(stream) => {
                stream.set_nodelay(true).map_err(|error| io_error("set up the connection", error))?;
                return Ok(Armed::new(stream, deadline));
            }
            Err(error) => last = io_error(&format!("connect to {at}"), error),
        }
    }
    Err(last)
}

/// Connecting has no time limit of its own: it waits while the server's backlog is full.
#[cfg(all(unix, feature = "redis"))]
pub(super) fn dial_unix(path: &std::path::Path, deadline: Deadline) -> Result<Armed<UnixStream>> {
    let dialled = UnixStream::connect(path);
    let stream = dialled.map_err(|error| io_error(&format!("connect to {}", path.display()), error))?;
    Ok(Armed::new(stream, deadline))
}
