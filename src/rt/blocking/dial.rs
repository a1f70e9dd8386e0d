//! Connecting a thread to a server, within the call's deadline.

use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc;
use std::time::Duration;

use super::super::fault::io_error;
use super::super::resolve::resolve;
use super::stream::Armed;
use crate::deadline::Deadline;
use crate::error::{Error, ErrorKind, Result};

/// Tries every address of `host:port`, resolved anew. Each gets its share of the time, so that a dead first one leaves
/// some for the second.
pub(super) fn dial(at: &str, deadline: Deadline) -> Result<Armed<TcpStream>> {
    let addresses = addresses(at, deadline)?;
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

fn addresses(at: &str, deadline: Deadline) -> Result<Vec<SocketAddr>> {
    let (tell, told) = mpsc::sync_channel(1);
    // Who has given up waiting need not be told.
    resolve(at, move |answer| drop(tell.send(answer)));
    told.recv_timeout(deadline.remaining()?).unwrap_or_else(|_| {
        let text = format!("the deadline passed; could not resolve {at} in time");
        Err(Error::new(ErrorKind::Timeout, text))
    })
}

/// A Unix socket connects at once or not at all: while the server's backlog is full, it has to be tried again.
#[cfg(all(unix, feature = "redis"))]
pub(super) fn dial_unix(
    path: &std::path::Path,
    deadline: Deadline,
) -> Result<Armed<std::os::unix::net::UnixStream>> {
    use socket2::{Domain, SockAddr, Socket, Type};

    let failed = |error| io_error(&format!("connect to {}", path.display()), error);
    let address = SockAddr::unix(path).map_err(failed)?;
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None).map_err(failed)?;
    socket.set_nonblocking(true).map_err(failed)?;
    while let Err(error) = socket.connect(&address) {
        if error.kind() != std::io::ErrorKind::WouldBlock {
            return Err(failed(error));
        }
        let left = deadline.remaining().map_err(|_| failed(std::io::ErrorKind::TimedOut.into()))?;
        std::thread::sleep(left.min(super::super::BACKLOG_PAUSE));
    }
    socket.set_nonblocking(false).map_err(failed)?;
    Ok(Armed::new(std::os::fd::OwnedFd::from(socket).into(), deadline))
}
