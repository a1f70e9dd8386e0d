//! A task's way to the Memcached servers.

use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::runtime::{Handle, Id};
use tokio::sync::Semaphore;
use tokio::time::timeout_at;

use super::super::fault::{Fault, io_error};
use super::dial::dial;
use super::receive::receive;
use crate::deadline::Deadline;
use crate::error::Result;
use crate::handle::memcached::Settings;
use crate::wire::memcached::{Reply, Request, Window, keeps_step, out_of_step};

/// Pooled connections to each server.
pub(crate) struct Link {
    servers: Vec<Server>,
}

struct Server {
    address: String,
    /// A place for each connection in use.
    places: Semaphore,
    idle: Mutex<Vec<Idle>>,
}

/// A connection works only in the runtime that opened it.
struct Idle {
    stream: TcpStream,
    runtime: Id,
}

impl Link {
    pub(crate) fn new(settings: &Settings) -> Link {
        let server = |address: &String| Server {
            address: address.clone(),
            places: Semaphore::new(settings.pool_size as usize),
            idle: Mutex::new(Vec::new()),
        };
        Link { servers: settings.servers.iter().map(server).collect() }
    }

    /// Sends a request to one server and receives all its replies, which may be refusals. One round trip.
    ///
    /// A connection belongs to one exchange at a time and goes back to the pool only after a clean one, so a
    /// dropped task takes its connection with it.
    pub(crate) async fn exchange(
        &self,
        server: usize,
        request: &Request,
        deadline: Deadline,
    ) -> Result<Vec<Reply>> {
        let server = &self.servers[server];
        let windows = request.windows()?;
        let mut sent = false;
        let call = server.call(&windows, request.repeatable, deadline, &mut sent);
        let result = timeout_at(deadline.instant().into(), call).await;
        let fault = match result {
            Ok(Ok(replies)) => return Ok(replies),
            Ok(Err(error)) => Fault { error, sent },
            Err(_) => Fault { error: Deadline::passed(), sent },
        };
        Err(fault.into_error(request.repeatable))
    }
}

impl Server {
    async fn call(
        &self,
        windows: &[Window],
        repeatable: bool,
        deadline: Deadline,
        sent: &mut bool,
    ) -> Result<Vec<Reply>> {
        // The semaphore is never closed, so this only waits; the caller bounds it.
        let _place = self.places.acquire().await;
        if let Some(stream) = self.idle() {
            match self.exchange(stream, windows, sent).await {
                Err(error) if (Fault { error: error.clone(), sent: *sent }).may_repeat(repeatable) => {
                    *sent = false;
                }
                result => return result,
            }
        }
        let stream = dial(self.address.as_str(), &self.address, deadline).await?;
        self.exchange(stream, windows, sent).await
    }

    async fn exchange(
        &self,
        mut stream: TcpStream,
        windows: &[Window],
        sent: &mut bool,
    ) -> Result<Vec<Reply>> {
        let mut replies: Vec<Reply> = Vec::new();
        for window in windows {
            if !replies.iter().all(keeps_step) {
                return Err(out_of_step());
            }
            send(&mut stream, &window.packed, sent).await?;
            replies.extend(receive(&mut stream, window.replies()).await?);
        }
        if replies.iter().all(keeps_step) {
            self.lock().push(Idle { stream, runtime: Handle::current().id() });
        }
        Ok(replies)
    }

    /// An idle connection fit for use: of this runtime, open, and with nothing to read, since nothing was
    /// asked.
    fn idle(&self) -> Option<TcpStream> {
        let runtime = Handle::current().id();
        loop {
            let idle = self.lock().pop()?;
            let quiet = || {
                let probe = idle.stream.try_read(&mut [0]);
                matches!(probe, Err(error) if error.kind() == io::ErrorKind::WouldBlock)
            };
            if idle.runtime == runtime && quiet() {
                return Some(idle.stream);
            }
        }
    }

    /// Pushed and popped whole, so a poisoned lock guards a whole list.
    fn lock(&self) -> MutexGuard<'_, Vec<Idle>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
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
