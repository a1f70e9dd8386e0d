//! A task's way to the Memcached servers.

use std::io;
use std::pin::pin;

use tokio::io::AsyncWriteExt;

use super::super::fault::{Fault, io_error};
use super::dial::{Stream, dial};
use super::pool::{Place, Pool};
use super::receive::receive;
use super::runtime::Runtime;
use crate::deadline::Deadline;
use crate::error::Result;
use crate::handle::memcached::Settings;
use crate::wire::memcached::{
    GREETING, Reply, Request, Window, greeting, keeps_step, out_of_step, read_greeting,
};

/// Pooled connections to each server.
pub(crate) struct Link {
    servers: Vec<Server>,
    max_reply_size: usize,
}

struct Server {
    address: String,
    pool: Pool,
}

impl Link {
    pub(crate) fn new(settings: &Settings) -> Link {
        let server =
            |address: &String| Server { address: address.clone(), pool: Pool::new(settings.pool_size) };
        Link {
            servers: settings.servers.iter().map(server).collect(),
            max_reply_size: settings.max_reply_size,
        }
    }

    /// Sends a request to one server and receives all its replies, which may be refusals. One round trip, on a `fresh`
    /// connection if those there are may be dead.
    ///
    /// A connection belongs to one exchange at a time and goes back to the pool only after a clean one, so a
    /// dropped task takes its connection with it.
    pub(crate) async fn exchange(
        &self,
        server: usize,
        request: &Request,
        fresh: bool,
        deadline: Deadline,
    ) -> Result<Vec<Reply>, Fault> {
        let server = &self.servers[server];
        let windows = request.windows(self.max_reply_size).map_err(Fault::of_our_own)?;
        let runtime = Runtime::current().map_err(Fault::of_our_own)?;
        let place = server.pool.checkout(&runtime, deadline).await?;
        let mut sent = false;
        let call = server.call(&place, &windows, request.repeatable, fresh, deadline, &mut sent);
        let answer = runtime.within(deadline.instant(), pin!(call)).await.and_then(|answer| answer);
        answer.map_err(|error| runtime.blame(Fault { sent, ..Fault::unsent(error) }))
    }
}

impl Server {
    async fn call(
        &self,
        place: &Place<'_>,
        windows: &[Window],
        repeatable: bool,
        fresh: bool,
        deadline: Deadline,
        sent: &mut bool,
    ) -> Result<Vec<Reply>> {
        // Taken in either case, or there would be more connections than places.
        let idle = place.idle().filter(|_| !fresh);
        let stream = match idle {
            Some(stream) => stream,
            None => Box::pin(self.greeted(deadline)).await?,
        };
        match in_place(place, stream, windows, sent).await {
            Err(error) if (Fault { sent: *sent, ..Fault::unsent(error.clone()) }).may_repeat(repeatable) => {
                *sent = false;
                let stream = Box::pin(self.greeted(deadline)).await?;
                in_place(place, stream, windows, sent).await
            }
            result => result,
        }
    }

    /// A connection whose other side has shown that it is a Memcached server which answers, so that a write is not the
    /// first thing it hears.
    async fn greeted(&self, deadline: Deadline) -> Result<Stream> {
        let mut stream = dial(&self.address, deadline).await?;
        read_greeting(exchange(&mut stream, &greeting().windows(GREETING)?, &mut false).await?)?;
        Ok(stream)
    }
}

/// Exchanges, and keeps the connection if it is in step afterwards.
async fn in_place(
    place: &Place<'_>,
    mut stream: Stream,
    windows: &[Window],
    sent: &mut bool,
) -> Result<Vec<Reply>> {
    let replies = exchange(&mut stream, windows, sent).await?;
    if replies.iter().all(keeps_step) {
        place.keep(stream);
    }
    Ok(replies)
}

async fn exchange(stream: &mut Stream, windows: &[Window], sent: &mut bool) -> Result<Vec<Reply>> {
    let mut replies: Vec<Reply> = Vec::new();
    for window in windows {
        if !replies.iter().all(keeps_step) {
            return Err(out_of_step());
        }
        send(stream, &window.packed, sent).await?;
        replies.extend(receive(stream, window.replies()).await?);
    }
    Ok(replies)
}

/// Sends, noting the first byte that leaves.
async fn send(stream: &mut Stream, mut packed: &[u8], sent: &mut bool) -> Result<()> {
    while !packed.is_empty() {
        match stream.write(packed).await {
            Ok(0) => return Err(io_error("send", io::ErrorKind::WriteZero.into())),
            Ok(written) => packed = &packed[written..],
            Err(error) => return Err(io_error("send", error)),
        }
        *sent = true;
    }
    Ok(())
}
