//! A thread's way to the Memcached servers.

use super::super::fault::Fault;
use super::dial::dial;
use super::pool::Pool;
use super::socket::Socket;
use crate::deadline::Deadline;
use crate::error::Result;
use crate::handle::memcached::Settings;
use crate::wire::memcached::{Reply, Request, Window, keeps_step, out_of_step};

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
        let windows = request.windows()?;
        slot.with(
            request.repeatable,
            || dial(address.as_str(), address, deadline).map(Socket::plain),
            |socket| exchange(socket, &windows, deadline),
        )
    }
}

/// The replies, and whether the connection is in step after them.
fn exchange(
    socket: &mut Socket,
    windows: &[Window],
    deadline: Deadline,
) -> Result<(Vec<Reply>, bool), Fault> {
    let mut replies: Vec<Reply> = Vec::new();
    for (nth, window) in windows.iter().enumerate() {
        if !replies.iter().all(keeps_step) {
            return Err(Fault { error: out_of_step(), sent: true });
        }
        let sent = nth > 0;
        socket.send(&window.packed, deadline).map_err(|fault| Fault { sent: sent || fault.sent, ..fault })?;
        let answer = socket.receive(window.replies(), deadline);
        replies.extend(answer.map_err(|error| Fault { error, sent: true })?);
    }
    let in_step = replies.iter().all(keeps_step);
    Ok((replies, in_step))
}
