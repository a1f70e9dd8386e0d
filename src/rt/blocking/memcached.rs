//! A thread's way to the Memcached servers.

use super::super::fault::Fault;
use super::dial::dial;
use super::pool::Pool;
use super::socket::Socket;
use crate::deadline::Deadline;
use crate::error::Result;
use crate::handle::memcached::Settings;
use crate::wire::memcached::{
    GREETING, Reply, Request, Window, greeting, keeps_step, out_of_step, read_greeting,
};

/// Pooled connections to each server.
pub(crate) struct Link {
    servers: Vec<(String, Pool)>,
    max_reply_size: usize,
}

impl Link {
    pub(crate) fn new(settings: &Settings) -> Link {
        let server = |address: &String| (address.clone(), Pool::new(settings.pool_size));
        Link {
            servers: settings.servers.iter().map(server).collect(),
            max_reply_size: settings.max_reply_size,
        }
    }

    /// Sends a request to one server and receives all its replies, which may be refusals. One round trip, on a `fresh`
    /// connection if those there are may be dead.
    pub(crate) fn exchange(
        &self,
        server: usize,
        request: &Request,
        fresh: bool,
        deadline: Deadline,
    ) -> Result<Vec<Reply>, Fault> {
        let (address, pool) = &self.servers[server];
        let windows = request.windows(self.max_reply_size).map_err(Fault::of_our_own)?;
        pool.checkout(deadline)?.with(
            request.repeatable,
            fresh,
            || greeted(address, deadline),
            |socket| exchange(socket, &windows, deadline),
        )
    }
}

/// A connection whose other side has shown that it is a Memcached server which answers, so that a write is not the
/// first thing it hears.
fn greeted(address: &str, deadline: Deadline) -> Result<Socket> {
    let mut socket = Socket::plain(dial(address, deadline)?);
    let (replies, _) =
        exchange(&mut socket, &greeting().windows(GREETING)?, deadline).map_err(|fault| fault.error)?;
    read_greeting(replies)?;
    Ok(socket)
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
            return Err(Fault::sent(out_of_step()));
        }
        let sent = nth > 0;
        socket.send(&window.packed, deadline).map_err(|fault| Fault { sent: sent || fault.sent, ..fault })?;
        let answer = socket.receive(window.replies(), deadline);
        replies.extend(answer.map_err(Fault::sent)?);
    }
    let in_step = replies.iter().all(keeps_step);
    Ok((replies, in_step))
}
