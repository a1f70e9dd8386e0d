//! A thread's way to the Memcached servers.

use super::super::fault::Fault;
use super::dial::dial;
use super::pool::Pool;
use super::socket::Socket;
use crate::deadline::Deadline;
use crate::error::Result;
use crate::handle::memcached::Settings;
use crate::wire::memcached::{Reply, Request, keeps_step};

/// Pooled connections to each server.
pub(crate) struct Link {
    servers: Vec<(String, Pool)>,
}

impl Link {
    pub(crate) fn new(settings: &Settings) -> Link {
        let server = |address: &String| (address.clone(), Pool::new(settings.pool_size));
        Link { servers: settings.servers.iter().map(server).collect() }
    }

    /// Sends a request to one server and receives all its replies, which may be refusals. One round trip.
    pub(crate) fn exchange(
        &self,
        server: usize,
        request: &Request,
        deadline: Deadline,
    ) -> Result<Vec<Reply>> {
        let (address, pool) = &self.servers[server];
        let slot = pool.checkout(deadline)?;
        let packed = request.packed()?;
        slot.with(
            request.repeatable,
            || dial(address.as_str(), address, deadline).map(Socket::new),
            |socket| exchange(socket, &packed, request, deadline),
        )
    }
}

/// The replies, and whether the connection is in step after them.
fn exchange(
    socket: &mut Socket,
    packed: &[u8],
    request: &Request,
    deadline: Deadline,
) -> Result<(Vec<Reply>, bool), Fault> {
    socket.send(packed, deadline)?;
    let replies = socket.receive(request.replies(), deadline).map_err(|error| Fault { error, sent: true })?;
    let in_step = replies.iter().all(keeps_step);
    Ok((replies, in_step))
}
