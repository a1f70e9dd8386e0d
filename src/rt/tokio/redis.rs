//! A task's way to a Redis server: one multiplexed connection that all tasks of a runtime share.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, RedisConnectionInfo, Value};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::runtime::{Handle, Id};
use tokio::task::JoinHandle;
use tokio::time::timeout_at;

use super::super::fault::{Fault, io_error};
use super::dial::dial;
use super::receive::receive;
use super::watched::{Verdict, Watched};
use crate::deadline::Deadline;
use crate::error::Result;
use crate::handle::redis::{Address, Settings};
use crate::wire::redis::{Replies, Request, failed, handshake, keeps_connection, read_handshake};

/// The connection to one server.
pub(crate) struct Link {
    settings: Settings,
    live: Mutex<Option<Live>>,
    /// Held while dialling, so that a crowd of tasks dials once.
    dialling: tokio::sync::Mutex<()>,
    /// Numbers connections, so that who finds one broken gives up that one and no later one.
    dialled: AtomicU64,
}

#[derive(Clone)]
struct Live {
    connection: MultiplexedConnection,
    verdict: Verdict,
    number: u64,
    /// Ends when the connection does, so a dead one is known before anything is sent on it.
    driver: Arc<JoinHandle<()>>,
    /// A connection cannot be used from another runtime than the one that drives it, nor from a forked child.
    runtime: Id,
    process: u32,
}

impl Link {
    pub(crate) fn new(settings: Settings) -> Link {
        Link {
            settings,
            live: Mutex::new(None),
            dialling: tokio::sync::Mutex::new(()),
            dialled: AtomicU64::new(0),
        }
    }

    /// Sends a request and receives all its replies, which may be refusals. One round trip, on a `fresh` connection if
    /// the one there is may be dead.
    ///
    /// The reply to a request whose task was dropped is thrown away: the connection keeps count of whose
    /// turn it is. One that did not answer in time is given up whole.
    pub(crate) async fn exchange(
        &self,
        request: &Request,
        fresh: bool,
        deadline: Deadline,
    ) -> Result<Vec<Value>, Fault> {
        if fresh {
            self.give_up_any();
        }
        let mut repeated = false;
        loop {
            let live = match self.live() {
                Some(live) => live,
                None => self.connect(deadline).await.map_err(Fault::unsent)?,
            };
            let number = live.number;
            match send(live, request, deadline).await {
                Ok(values) => {
                    if !values.iter().all(keeps_connection) {
                        self.give_up(number);
                    }
                    return Ok(values);
                }
                Err(fault) => {
                    self.give_up(number);
                    if repeated || !fault.may_repeat(request.repeatable) {
                        return Err(fault);
                    }
                    repeated = true;
                }
            }
        }
    }

    /// Dials, unless another task has meanwhile.
    async fn connect(&self, deadline: Deadline) -> Result<Live> {
        let connect = async {
            let _turn = self.dialling.lock().await;
            match self.live() {
                Some(live) => Ok(live),
                None => self.dial(deadline).await,
            }
        };
        timeout_at(deadline.instant().into(), connect).await.unwrap_or_else(|_| Err(Deadline::passed()))
    }

    async fn dial(&self, deadline: Deadline) -> Result<Live> {
        let live = match &self.settings.address {
            address @ Address::Tcp { tls, .. } => {
                let at = address.to_string();
                let stream = dial(&at, deadline).await?;
                match tls {
                    None => self.drive(stream).await?,
                    #[cfg(feature = "async-tls")]
                    Some(tls) => self.drive(super::tls::handshake(stream, tls, &at).await?).await?,
                    #[cfg(all(feature = "tls", not(feature = "async-tls")))]
                    Some(_) => return Err(super::super::fault::no_async_tls()),
                    #[cfg(not(feature = "tls"))]
                    Some(never) => match *never {},
                }
            }
            #[cfg(unix)]
            Address::Unix(path) => self.drive(super::dial::dial_unix(path).await?).await?,
            #[cfg(not(unix))]
            Address::Unix(_) => return Err(super::super::fault::no_unix_sockets()),
        };
        *self.lock() = Some(live.clone());
        Ok(live)
    }

    /// Introduces us and hands the connection to the library's driver, whose own handshake is left empty: ours
    /// is the same in both worlds, and tells a server of another kind, of which the driver only says that the
    /// connection ended.
    async fn drive<S>(&self, mut stream: S) -> Result<Live>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let hello = handshake(&self.settings);
        let packed = hello.commands.get_packed_pipeline();
        stream.write_all(&packed).await.map_err(|error| io_error("send", error))?;
        // TLS holds back what does not fill a record.
        stream.flush().await.map_err(|error| io_error("send", error))?;
        read_handshake(receive(&mut stream, Replies::new(hello.commands.len())).await?)?;
        let nobody = RedisConnectionInfo::default().set_skip_set_lib_name();
        let config = AsyncConnectionConfig::new().set_response_timeout(None).set_connection_timeout(None);
        let (stream, verdict) = Watched::new(stream);
        let (connection, driver) =
            MultiplexedConnection::new_with_config(&nobody, stream, config).await.map_err(failed)?;
        Ok(Live {
            connection,
            verdict,
            number: self.dialled.fetch_add(1, Ordering::Relaxed),
            driver: Arc::new(tokio::spawn(driver)),
            runtime: Handle::current().id(),
            process: std::process::id(),
        })
    }

    fn live(&self) -> Option<Live> {
        let usable = |live: &&Live| {
            let ours = live.runtime == Handle::current().id() && live.process == std::process::id();
            ours && !live.driver.is_finished()
        };
        self.lock().as_ref().filter(usable).cloned()
    }

    fn give_up_any(&self) {
        *self.lock() = None;
    }

    fn give_up(&self, number: u64) {
        let mut live = self.lock();
        if live.as_ref().is_some_and(|live| live.number == number) {
            *live = None;
        }
    }

    /// Only ever replaced whole, so a poisoned lock guards a whole value.
    fn lock(&self) -> MutexGuard<'_, Option<Live>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// From the moment a request is handed to the connection it counts as sent: what the driver has written of
/// it by then is not known.
async fn send(mut live: Live, request: &Request, deadline: Deadline) -> Result<Vec<Value>, Fault> {
    let count = request.commands.len();
    let exchange = live.connection.send_packed_commands(&request.commands, 0, count);
    match timeout_at(deadline.instant().into(), exchange).await {
        Ok(Ok(values)) => Ok(values),
        Ok(Err(error)) => Err(Fault::sent(live.verdict.get().cloned().unwrap_or_else(|| failed(error)))),
        Err(_) => Err(Fault::sent(Deadline::passed())),
    }
}
