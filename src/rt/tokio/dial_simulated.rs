//! Connecting a task to a server of a simulation, which has no sockets.

use crate::deadline::Deadline;
use crate::error::Result;
use crate::rt::fault::io_error;
pub(super) use crate::simulation::Stream;

/// The caller bounds it by its deadline.
pub(super) async fn dial(at: &str, _: Deadline) -> Result<Stream> {
    crate::simulation::dial(at).await.map_err(|error| io_error(&format!("connect to {at}"), error))
}

#[cfg(all(unix, feature = "redis"))]
pub(super) async fn dial_unix(path: &std::path::Path) -> Result<Stream> {
    dial(&path.display().to_string(), Deadline::unneeded()).await
}
