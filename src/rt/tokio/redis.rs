//! A task's way to a Redis server: one multiplexed connection that all tasks of a runtime share.

use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, RedisConnectionInfo, Value};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::runtime::Id;
use tokio::task::JoinHandle;

use super::super::fault::{Fault, io_error};
use super::dial::dial;
use super::receive::receive;
use super::runtime::Runtime;
use super::watched::{Verdict, Watched};
use crate::deadline::Deadline;
use crate::error::Result;
use crate::handle::redis::{Address, Settings};
use crate::wire::redis::{
    Replies, Request, expected, failed, fits, handshake, keeps_connection, read_handshake, unfit,
};

/// The connections to one server, one for each runtime.
pub(crate) struct Link {
    settings: Settings,
    live: Mutex<Vec<Live>>,
    /// Connections for one call at a time, while they are idle.
    apart: Mutex<Vec<Live>>,
    /// Held while dialling, so that a crowd of tasks dials once; one for each runtime and process, since a task that dials
    /// may be left standing with its runtime.
    dialling: Mutex<Vec<Turn>>,
    /// Numbers connections, so that who finds one broken gives up that one and no later one.
    dialled: AtomicU64,
}

/// Whose turn it is to dial, of one process and runtime.
type Turn = ((u32, Id), Arc<tokio::sync::Mutex<()>>);

#[derive(Clone)]
struct Live {
    connection: MultiplexedConnection,
    verdict: Verdict,
    number: u64,
    /// Ends when the connection does, so a dead one is known before anything is sent on it.
    driver: Arc<Driver>,
    /// A connection cannot be used from another runtime than the one that drives it, nor from a forked child.
    runtime: Id,
    process: u32,
}

/// What moves a connection's bytes. Nobody is left to be answered when the last call on it has ended: it must not wait
/// for a server that takes in no more.
struct Driver(JoinHandle<()>);

impl Drop for Driver {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Live {
    fn is_of(&self, runtime: &Runtime) -> bool {
        self.runtime == runtime.id && self.process == std::process::id()
    }
}

impl Link {
    pub(crate) fn new(settings: Settings) -> Link {
        Link {
            settings,
            live: Mutex::default(),
            apart: Mutex::default(),
            dialling: Mutex::default(),
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
        let runtime = Runtime::current().map_err(Fault::of_our_own)?;
        if request.apart {
            return self
                .exchange_apart(&runtime, request, fresh, deadline)
                .await
                .map_err(|fault| runtime.blame(fault));
        }
        if fresh {
            self.give_up(|live| live.runtime == runtime.id);
        }
        let answer = match self.exchange_once(&runtime, request, deadline).await {
            Err(Failure::Sending(fault)) if fault.may_repeat(request.repeatable) => {
                self.exchange_once(&runtime, request, deadline).await
            }
            answer => answer,
        };
        answer.map_err(|(Failure::Dialling(fault) | Failure::Sending(fault))| runtime.blame(fault))
    }

    async fn exchange_once(
        &self,
        runtime: &Runtime,
        request: &Request,
        deadline: Deadline,
    ) -> Result<Vec<Value>, Failure> {
        let live = match self.live(runtime) {
            Some(live) => live,
            // Boxed, since it is rare and its future is many times as large as the rest.
            None => {
                let dialled = Box::pin(self.connect(runtime, deadline)).await;
                dialled.map_err(|error| Failure::Dialling(Fault::unsent(error)))?
            }
        };
        let number = live.number;
        let answer = send(live, request, runtime, deadline).await;
        if !answer.as_ref().is_ok_and(|values| keeps_connection(values)) {
            self.give_up(|live| live.number == number);
        }
        answer.map_err(Failure::Sending)
    }

    /// On a connection that nobody else is on meanwhile: one for each call that keeps its connection waiting. If the call is
    /// dropped, so is the connection.
    async fn exchange_apart(
        &self,
        runtime: &Runtime,
        request: &Request,
        fresh: bool,
        deadline: Deadline,
    ) -> Result<Vec<Value>, Fault> {
        if let Some(live) = self.idle_apart(runtime).filter(|_| !fresh) {
            match self.send_apart(live, request, runtime, deadline).await {
                Err(fault) if fault.may_repeat(request.repeatable) => {}
                answer => return answer,
            }
        }
        let open = Box::pin(self.open(runtime, deadline));
        let live = runtime.within(deadline.instant(), pin!(open)).await.and_then(|live| live);
        self.send_apart(live.map_err(Fault::unsent)?, request, runtime, deadline).await
    }

    async fn send_apart(
        &self,
        live: Live,
        request: &Request,
        runtime: &Runtime,
        deadline: Deadline,
    ) -> Result<Vec<Value>, Fault> {
        let answer = send(live.clone(), request, runtime, deadline).await;
        if answer.as_ref().is_ok_and(|values| keeps_connection(values)) {
            let mut idle = self.apart.lock().unwrap_or_else(PoisonError::into_inner);
            if idle.len() < self.settings.pool_size as usize {
                idle.push(live);
            }
        }
        answer
    }

    fn idle_apart(&self, runtime: &Runtime) -> Option<Live> {
        let mut idle = self.apart.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|live| !live.driver.0.is_finished());
        let at = idle.iter().position(|live| live.is_of(runtime))?;
        Some(idle.swap_remove(at))
    }

    /// Dials, unless another task has meanwhile.
    async fn connect(&self, runtime: &Runtime, deadline: Deadline) -> Result<Live> {
        let connect = async {
            let turn = self.turn(runtime);
            let _turn = turn.lock().await;
            match self.live(runtime) {
                Some(live) => Ok(live),
                None => self.dial(runtime, deadline).await,
            }
        };
        runtime.within(deadline.instant(), pin!(connect)).await?
    }

    async fn dial(&self, runtime: &Runtime, deadline: Deadline) -> Result<Live> {
        let live = self.open(runtime, deadline).await?;
        let mut lives = self.lock();
        lives.retain(|live| !live.driver.0.is_finished());
        lives.push(live.clone());
        Ok(live)
    }

    async fn open(&self, runtime: &Runtime, deadline: Deadline) -> Result<Live> {
        match &self.settings.address {
            address @ Address::Tcp { tls, .. } => {
                let at = address.to_string();
                let stream = dial(&at, deadline).await?;
                match tls {
                    None => self.drive(stream, runtime).await,
                    #[cfg(feature = "async-tls")]
                    Some(tls) => self.drive(super::tls::handshake(stream, tls, &at).await?, runtime).await,
                    #[cfg(all(feature = "tls", not(feature = "async-tls")))]
                    Some(_) => Err(super::super::fault::no_async_tls()),
                    #[cfg(not(feature = "tls"))]
                    Some(never) => match *never {},
                }
            }
            #[cfg(unix)]
            Address::Unix(path) => self.drive(super::dial::dial_unix(path).await?, runtime).await,
            #[cfg(not(unix))]
            Address::Unix(_) => Err(super::super::fault::no_unix_sockets()),
        }
    }

    /// Introduces us and hands the connection to the library's driver, whose own handshake is left empty: ours
    /// is the same in both worlds, and tells a server of another kind, of which the driver only says that the
    /// connection ended.
    async fn drive<S>(&self, mut stream: S, runtime: &Runtime) -> Result<Live>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let hello = handshake(&self.settings);
        let packed = hello.commands.get_packed_pipeline();
        stream.write_all(&packed).await.map_err(|error| io_error("send", error))?;
        // TLS holds back what does not fill a record.
        stream.flush().await.map_err(|error| io_error("send", error))?;
        read_handshake(
            receive(&mut stream, Replies::new(hello.commands.len(), self.settings.max_reply_size)).await?,
        )?;
        let nobody = RedisConnectionInfo::default().set_skip_set_lib_name();
        let config = AsyncConnectionConfig::new().set_response_timeout(None).set_connection_timeout(None);
        let (stream, verdict) = Watched::new(stream, self.settings.max_reply_size);
        let (connection, driver) =
            MultiplexedConnection::new_with_config(&nobody, stream, config).await.map_err(failed)?;
        Ok(Live {
            connection,
            verdict,
            number: self.dialled.fetch_add(1, Ordering::Relaxed),
            driver: Arc::new(Driver(tokio::spawn(driver))),
            runtime: runtime.id,
            process: std::process::id(),
        })
    }

    /// The turns of this runtime.
    fn turn(&self, runtime: &Runtime) -> Arc<tokio::sync::Mutex<()>> {
        let owner = (std::process::id(), runtime.id);
        let mut turns = self.dialling.lock().unwrap_or_else(PoisonError::into_inner);
        // Nobody waits for those that nobody else has.
        turns.retain(|(of, turn)| *of == owner || Arc::strong_count(turn) > 1);
        if let Some((_, turn)) = turns.iter().find(|(of, _)| *of == owner) {
            return Arc::clone(turn);
        }
        let turn = Arc::new(tokio::sync::Mutex::new(()));
        turns.push((owner, Arc::clone(&turn)));
        turn
    }

    fn live(&self, runtime: &Runtime) -> Option<Live> {
        let usable = |live: &&Live| live.is_of(runtime) && !live.driver.0.is_finished();
        self.lock().iter().find(usable).cloned()
    }

    fn give_up(&self, meant: impl Fn(&Live) -> bool) {
        self.lock().retain(|live| !meant(live));
    }

    /// Each step leaves a whole list, so a poisoned lock guards one.
    fn lock(&self) -> MutexGuard<'_, Vec<Live>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where an exchange came to nothing: only one that had a connection is worth another.
enum Failure {
    Dialling(Fault),
    Sending(Fault),
}

/// From the moment a request is handed to the connection it counts as sent: what the driver has written of
/// it by then is not known.
async fn send(
    mut live: Live,
    request: &Request,
    runtime: &Runtime,
    deadline: Deadline,
) -> Result<Vec<Value>, Fault> {
    let count = request.commands.len();
    let exchange = live.connection.send_packed_commands(&request.commands, 0, count);
    match runtime.within(deadline.instant(), pin!(exchange)).await {
        Ok(Ok(values)) if fits(expected(&request.commands), &values) => Ok(values),
        Ok(Ok(_)) => Err(Fault::sent(unfit())),
        Ok(Err(error)) => Err(Fault::sent(live.verdict.get().cloned().unwrap_or_else(|| failed(error)))),
        Err(error) => Err(Fault::sent(error)),
    }
}
