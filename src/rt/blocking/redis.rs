//! A thread's way to a Redis server.

use redis::Value;

use super::super::fault::Fault;
use super::dial::dial;
use super::pool::Pool;
use super::socket::Socket;
#[cfg(feature = "tls")]
use super::tls::TlsStream;
use crate::deadline::Deadline;
use crate::error::Result;
use crate::handle::redis::{Address, Settings};
use crate::wire::redis::{Replies, Request, fits, handshake, keeps_connection, read_handshake, unfit};

/// Pooled connections to one server.
pub(crate) struct Link {
    settings: Settings,
    pool: Pool,
}

impl Link {
    pub(crate) fn new(settings: Settings) -> Link {
        Link { pool: Pool::new(settings.pool_size), settings }
    }

    /// Sends a request and receives all its replies, which may be refusals. One round trip, on a `fresh` connection if
    /// those there are may be dead.
    pub(crate) fn exchange(
        &self,
        request: &Request,
        fresh: bool,
        deadline: Deadline,
    ) -> Result<Vec<Value>, Fault> {
        let packed = request.commands.get_packed_pipeline();
        self.pool.checkout(deadline)?.with(
            request.repeatable,
            fresh,
            || self.dial(deadline),
            |socket| {
                let replies = self.converse(socket, &packed, request.commands.len(), deadline)?;
                if !fits(&request.commands, &replies) {
                    return Err(Fault::sent(unfit()));
                }
                let keep = keeps_connection(&replies);
                Ok((replies, keep))
            },
        )
    }

    fn dial(&self, deadline: Deadline) -> Result<Socket> {
        let mut socket = self.connect(deadline)?;
        let hello = handshake(&self.settings);
        let replies =
            self.converse(&mut socket, &hello.commands.get_packed_pipeline(), hello.commands.len(), deadline);
        read_handshake(replies.map_err(|fault| fault.error)?)?;
        Ok(socket)
    }

    fn connect(&self, deadline: Deadline) -> Result<Socket> {
        match &self.settings.address {
            address @ Address::Tcp { tls, .. } => {
                let at = address.to_string();
                let stream = dial(&at, deadline)?;
                match tls {
                    None => Ok(Socket::plain(stream)),
                    #[cfg(feature = "tls")]
                    Some(tls) => TlsStream::handshake(stream, tls, &at).map(Socket::encrypted),
                    #[cfg(not(feature = "tls"))]
                    Some(never) => match *never {},
                }
            }
            #[cfg(unix)]
            Address::Unix(path) => super::dial::dial_unix(path, deadline).map(Socket::plain),
            #[cfg(not(unix))]
            Address::Unix(_) => Err(super::super::fault::no_unix_sockets()),
        }
    }

    fn converse(
        &self,
        socket: &mut Socket,
        packed: &[u8],
        count: usize,
        deadline: Deadline,
    ) -> Result<Vec<Value>, Fault> {
        socket.send(packed, deadline)?;
        let replies = Replies::new(count, self.settings.max_reply_size);
        socket.receive(replies, deadline).map_err(Fault::sent)
    }
}
