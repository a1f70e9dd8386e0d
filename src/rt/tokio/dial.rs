//! Connecting a task to a server, within the call's deadline.

use std::io;
use std::time::Duration;

use tokio::net::{TcpStream, ToSocketAddrs, lookup_host};
use tokio::time::timeout;

use super::super::fault::io_error;
use crate::deadline::Deadline;
use crate::error::{Error, ErrorKind, Result};

/// Tries every address of the host, resolved anew. The caller bounds the whole by its deadline; each address
/// gets its share, so that a dead first one leaves some for the second.
pub(super) async fn dial(
    host_and_port: impl ToSocketAddrs,
    at: &str,
    deadline: Deadline,
) -> Result<TcpStream> {
    let addresses: Vec<_> = lookup_host(host_and_port)
        .await
        .map_err(|error| io_error(&format!("resolve {at}"), error))?
        .collect();
    let mut last = Error::new(ErrorKind::Unavailable, format!("{at} has no address"));
    for (tried, address) in addresses.iter().enumerate() {
        let share = deadline.remaining()? / (addresses.len() - tried) as u32;
        let dialled = timeout(share.max(Duration::from_millis(1)), TcpStream::connect(address)).await;
        match dialled.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())) {
            Ok(stream) => {
                stream.set_nodelay(true).map_err(|error| io_error("set up the connection", error))?;
                return Ok(stream);
            }
            Err(error) => last = io_error(&format!("connect to {at}"), error),
        }
    }
    Err(last)
}

#[cfg(all(unix, feature = "redis"))]
pub(super) async fn dial_unix(path: &std::path::Path) -> Result<tokio::net::UnixStream> {
    tokio::net::UnixStream::connect(path)
        .await
        .map_err(|error| io_error(&format!("connect to {}", path.display()), error))
}
