//! Connecting a task to a server, within the call's deadline.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;

pub(super) use tokio::net::TcpStream as Stream;
use tokio::sync::oneshot;

use super::super::fault::io_error;
use super::super::resolve::resolve;
#[cfg(all(unix, feature = "redis"))]
use super::runtime::sleep;
use super::runtime::within;
use crate::deadline::Deadline;
use crate::error::{Error, ErrorKind, Result};

/// Tries every address of `host:port`, resolved anew. The caller bounds the whole by its deadline; each address gets its
/// share, so that a dead first one leaves some for the second.
pub(super) async fn dial(at: &str, deadline: Deadline) -> Result<Stream> {
    let addresses = addresses(at).await?;
    let mut last = Error::new(ErrorKind::Unavailable, format!("{at} has no address"));
    for (tried, address) in addresses.iter().enumerate() {
        let share = Deadline::after(deadline.remaining()? / (addresses.len() - tried) as u32);
        let dialled = match within(share.instant(), pin!(Stream::connect(address))).await {
            Err(error) if error.is_timeout() => Err(io::ErrorKind::TimedOut.into()),
            dialled => dialled?,
        };
        match dialled {
            Ok(stream) => {
                stream.set_nodelay(true).map_err(|error| io_error("set up the connection", error))?;
                return Ok(stream);
            }
            Err(error) => last = io_error(&format!("connect to {at}"), error),
        }
    }
    Err(last)
}

/// Not on the runtime's own threads for what blocks: a runtime waits for them when it ends, and a resolver can hang.
async fn addresses(at: &str) -> Result<Vec<SocketAddr>> {
    let (tell, told) = oneshot::channel();
    // Who has given up waiting need not be told.
    resolve(at, move |answer| drop(tell.send(answer)));
    told.await.unwrap_or_else(|_| Err(io_error(&format!("resolve {at}"), io::ErrorKind::Other.into())))
}

/// A Unix socket connects at once or not at all: while the server's backlog is full, it has to be tried again.
#[cfg(all(unix, feature = "redis"))]
pub(super) async fn dial_unix(path: &std::path::Path) -> Result<tokio::net::UnixStream> {
    loop {
        match tokio::net::UnixStream::connect(path).await {
            Ok(stream) => return Ok(stream),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                sleep(super::super::BACKLOG_PAUSE).await;
            }
            Err(error) => return Err(io_error(&format!("connect to {}", path.display()), error)),
        }
    }
}
