//! A task's way to the Memcached servers.

use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::runtime::{Handle, Id};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout_at;

use super::super::fault::{Fault, exhausted, io_error};
use super::dial::dial;
use super::receive::receive;
use crate::deadline::Deadline;
use crate::error::Result;
use crate::handle::memcached::Settings;
use crate::wire::memcached::{Reply, Request, Window, greeting, keeps_step, out_of_step, read_greeting};

/// Pooled connections to each server.
pub(crate) struct Link {
    servers: Vec<Server>,
}

struct Server {
    address: String,
    pool_size: u32,
    /// A place for each connection in use.
    places: Semaphore,
    idle: Mutex<Vec<Idle>>,
}

/// A connection works only in the runtime that opened it, and is the other side of a conversation of its process.
struct Idle {
    stream: TcpStream,
    process: u32,
    runtime: Id,
}

impl Link {
    pub(crate) fn new(settings: &Settings) -> Link {
        let server = |address: &String| Server {
            address: address.clone(),
            pool_size: settings.pool_size,
            places: Semaphore::new(settings.pool_size as usize),
            idle: Mutex::new(Vec::new()),
        };
        Link { servers: settings.servers.iter().map(server).collect() }
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
        let windows = request.windows().map_err(Fault::of_our_own)?;
        let _place = server.place(deadline).await?;
        let mut sent = false;
        let call = server.call(&windows, request.repeatable, fresh, deadline, &mut sent);
        match timeout_at(deadline.instant().into(), call).await {
            Ok(Ok(replies)) => Ok(replies),
            Ok(Err(error)) => Err(Fault { sent, ..Fault::unsent(error) }),
            Err(_) => Err(Fault { sent, ..Fault::unsent(Deadline::passed()) }),
        }
    }
}

impl Server {
    /// Waits for a place.
    async fn place(&self, deadline: Deadline) -> Result<SemaphorePermit<'_>, Fault> {
        match timeout_at(deadline.instant().into(), self.places.acquire()).await {
            Ok(Ok(place)) => Ok(place),
            // It is never closed.
            Ok(Err(_)) | Err(_) => Err(Fault::of_our_own(exhausted(self.pool_size))),
        }
    }

    async fn call(
        &self,
        windows: &[Window],
        repeatable: bool,
        fresh: bool,
        deadline: Deadline,
        sent: &mut bool,
    ) -> Result<Vec<Reply>> {
        let idle = if fresh { None } else { self.idle() };
        let stream = match idle {
            Some(stream) => stream,
            None => self.greeted(deadline).await?,
        };
        match self.exchange(stream, windows, sent).await {
            Err(error) if (Fault { sent: *sent, ..Fault::unsent(error.clone()) }).may_repeat(repeatable) => {
                *sent = false;
                let stream = self.greeted(deadline).await?;
                self.exchange(stream, windows, sent).await
            }
            result => result,
        }
    }

    /// A connection whose other side has shown that it is a Memcached server which answers, so that a write is not the
    /// first thing it hears.
    async fn greeted(&self, deadline: Deadline) -> Result<TcpStream> {
        let mut stream = dial(self.address.as_str(), &self.address, deadline).await?;
        read_greeting(exchange(&mut stream, &greeting().windows()?, &mut false).await?)?;
        Ok(stream)
    }

    /// Keeps the connection if it is in step afterwards.
    async fn exchange(
        &self,
        mut stream: TcpStream,
        windows: &[Window],
        sent: &mut bool,
    ) -> Result<Vec<Reply>> {
        let replies = exchange(&mut stream, windows, sent).await?;
        if replies.iter().all(keeps_step) {
            self.lock().push(Idle { stream, process: std::process::id(), runtime: Handle::current().id() });
        }
        Ok(replies)
    }

    /// An idle connection fit for use: of this process and runtime, open, and with nothing to read, since nothing was
    /// asked.
    fn idle(&self) -> Option<TcpStream> {
        let runtime = Handle::current().id();
        loop {
            let idle = self.lock().pop()?;
            let quiet = || {
                let probe = idle.stream.try_read(&mut [0]);
                matches!(probe, Err(error) if error.kind() == io::ErrorKind::WouldBlock)
            };
            if idle.process == std::process::id() && idle.runtime == runtime && quiet() {
                return Some(idle.stream);
            }
        }
    }

    /// Pushed and popped whole, so a poisoned lock guards a whole list.
    fn lock(&self) -> MutexGuard<'_, Vec<Idle>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn exchange(stream: &mut TcpStream, windows: &[Window], sent: &mut bool) -> Result<Vec<Reply>> {
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
async fn send(stream: &mut TcpStream, mut packed: &[u8], sent: &mut bool) -> Result<()> {
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
