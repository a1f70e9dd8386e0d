//! The network between the library and the server: it delays, loses, cuts, resets and half-writes, by chance.
//!
//! A connection has two ways with a carrier task each, so that the order of bytes on one way holds and nothing else does.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};

use lexigram_cache::simulation::{Stream, Wire};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::Notify;

use crate::sim::{Planted, Sim, reset};

/// How the network behaves; chances are in a thousand, times in milliseconds.
#[derive(Clone, Copy, Debug, Default)]
pub struct Knobs {
    /// The longest ordinary delay.
    pub delay: u64,
    pub late: u64,
    /// How long what is late takes at most.
    pub latest: u64,
    pub lost: u64,
    pub cut: u64,
    /// A connection that takes in no more.
    pub stuck: u64,
    pub refused: u64,
}

/// What both ends and both carriers know.
pub struct Connection {
    process: usize,
    wires: Mutex<Wires>,
    /// Something came for a carrier, or there will be no more.
    up: Notify,
    down: Notify,
}

#[derive(Default)]
struct Wires {
    /// Written by the client, not yet under way.
    requests: Vec<u8>,
    /// Of the server, not yet under way.
    replies: VecDeque<Vec<u8>>,
    /// Arrived at the client.
    arrived: VecDeque<u8>,
    reader: Option<Waker>,
    is_reset: bool,
    is_stuck: bool,
    /// The client has closed it.
    is_left: bool,
}

/// What becomes of bytes under way.
enum Fate {
    Arrive(u64),
    /// So much of it, in 16 parts, and then a reset.
    Cut(u64, usize),
    /// It, and all that comes after it.
    Lost,
}

pub async fn dial(sim: Arc<Sim>, process: usize) -> io::Result<Stream> {
    sim.pause(sim.below(sim.knobs().delay + 1)).await;
    if sim.chance(sim.knobs().lost) {
        std::future::pending::<()>().await;
    }
    let is_refused = sim.chance(sim.knobs().refused) || sim.host().is_down;
    sim.note("network", process, if is_refused { "refuses" } else { "connects" }, 0, 0);
    if is_refused {
        return Err(io::ErrorKind::ConnectionRefused.into());
    }
    let connection =
        Arc::new(Connection { process, wires: Mutex::default(), up: Notify::new(), down: Notify::new() });
    let mut host = sim.host();
    host.connections.retain(|one| one.strong_count() > 0);
    host.connections.push(Arc::downgrade(&connection));
    host.opened += 1;
    drop(host);
    tokio::spawn(carry_requests(Arc::clone(&sim), Arc::clone(&connection)));
    tokio::spawn(carry_replies(Arc::clone(&sim), Arc::clone(&connection)));
    Ok(Box::new(End { sim, connection }))
}

async fn carry_requests(sim: Arc<Sim>, connection: Arc<Connection>) {
    let mut received = Vec::new();
    loop {
        let bytes = std::mem::take(&mut connection.wires().requests);
        if bytes.is_empty() {
            if connection.is_over() {
                return;
            }
            connection.up.notified().await;
            continue;
        }
        let (delay, part) = match sim.fate() {
            Fate::Arrive(delay) => (delay, None),
            Fate::Cut(delay, part) => (delay, Some(part)),
            Fate::Lost => return sim.note("network", connection.process, "loses requests", 0, 0),
        };
        sim.pause(delay).await;
        if connection.wires().is_reset {
            return;
        }
        received.extend_from_slice(&bytes[..part.map_or(bytes.len(), |part| bytes.len() * part / 16)]);
        sim.arrive(&connection, &mut received);
        if part.is_some() {
            sim.note("network", connection.process, "cuts a request", 0, 0);
            return connection.reset();
        }
    }
}

async fn carry_replies(sim: Arc<Sim>, connection: Arc<Connection>) {
    loop {
        let mut replies = std::mem::take(&mut connection.wires().replies);
        if replies.is_empty() {
            if connection.is_over() {
                return;
            }
            connection.down.notified().await;
            continue;
        }
        if sim.bug == Some(Planted::SwapsReplies) {
            let is_value = |reply: &&Vec<u8>| reply[0] == b'$' && reply.contains(&b'{');
            let texts = replies.iter().filter(is_value).count();
            if texts == replies.len() {
                replies.rotate_left(1);
            }
        }
        let bytes: Vec<u8> = replies.into_iter().flatten().collect();
        let (delay, part) = match sim.fate() {
            Fate::Arrive(delay) => (delay, None),
            Fate::Cut(delay, part) => (delay, Some(part)),
            Fate::Lost => return sim.note("network", connection.process, "loses replies", 0, 0),
        };
        sim.pause(delay).await;
        let half = bytes.len() * part.unwrap_or(if sim.chance(100) { 8 } else { 16 }) / 16;
        connection.deliver(&bytes[..half]);
        if part.is_some() {
            sim.note("network", connection.process, "cuts a reply", 0, 0);
            return connection.reset();
        }
        if half < bytes.len() {
            sim.pause(sim.below(2)).await;
            connection.deliver(&bytes[half..]);
        }
    }
}

impl Sim {
    fn fate(&self) -> Fate {
        let knobs = self.knobs();
        let ordinary = self.below(knobs.delay + 1);
        if self.chance(knobs.lost) {
            Fate::Lost
        } else if self.chance(knobs.cut) {
            Fate::Cut(ordinary, self.below(17) as usize)
        } else if self.chance(knobs.late) {
            Fate::Arrive(1 + self.below(knobs.latest))
        } else {
            Fate::Arrive(ordinary)
        }
    }

    /// Runs what is whole of the bytes that the server has received.
    fn arrive(&self, connection: &Connection, received: &mut Vec<u8>) {
        while !received.is_empty() {
            let served = self.host().server.serve(received, self.now());
            let Some(served) = served else { return };
            self.note("server", connection.process, served.verb, served.key, served.reply.len() as u64);
            received.drain(..served.taken);
            connection.wires().replies.push_back(served.reply);
            connection.down.notify_one();
        }
    }
}

impl Connection {
    fn wires(&self) -> MutexGuard<'_, Wires> {
        self.wires.lock().unwrap()
    }

    fn is_over(&self) -> bool {
        let wires = self.wires();
        wires.is_left || wires.is_reset
    }

    pub fn is_open(&self) -> bool {
        !self.wires().is_left
    }

    fn deliver(&self, bytes: &[u8]) {
        let mut wires = self.wires();
        if !wires.is_reset {
            wires.arrived.extend(bytes);
        }
        wake(wires);
    }

    /// Ends it for both sides.
    pub fn reset(&self) {
        let mut wires = self.wires();
        wires.is_reset = true;
        wake(wires);
        self.up.notify_one();
        self.down.notify_one();
    }
}

fn wake(mut wires: MutexGuard<'_, Wires>) {
    let reader = wires.reader.take();
    drop(wires);
    reader.into_iter().for_each(Waker::wake);
}

/// The library's end of a connection.
struct End {
    sim: Arc<Sim>,
    connection: Arc<Connection>,
}

impl Wire for End {
    fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut wires = self.connection.wires();
        let count = buffer.len().min(wires.arrived.len());
        if count == 0 {
            return Err(if wires.is_reset { reset() } else { io::ErrorKind::WouldBlock.into() });
        }
        wires.arrived.drain(..count).zip(buffer).for_each(|(byte, place)| *place = byte);
        Ok(count)
    }
}

impl AsyncRead for End {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut wires = self.connection.wires();
        let count = buffer.remaining().min(wires.arrived.len());
        if count > 0 {
            let bytes: Vec<u8> = wires.arrived.drain(..count).collect();
            buffer.put_slice(&bytes);
            return Poll::Ready(Ok(()));
        }
        if wires.is_reset {
            return Poll::Ready(Err(reset()));
        }
        wires.reader = Some(context.waker().clone());
        Poll::Pending
    }
}

impl AsyncWrite for End {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let mut wires = self.connection.wires();
        if wires.is_reset {
            return Poll::Ready(Err(reset()));
        }
        if wires.is_stuck {
            return Poll::Pending;
        }
        // Buffers fill up in the middle of a command.
        wires.is_stuck = self.sim.chance(self.sim.knobs().stuck);
        let half = wires.is_stuck || self.sim.chance(60);
        let count = if half { bytes.len().div_ceil(2) } else { bytes.len() };
        wires.requests.extend_from_slice(&bytes[..count]);
        drop(wires);
        self.connection.up.notify_one();
        Poll::Ready(Ok(count))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// What was written before is still under way.
impl Drop for End {
    fn drop(&mut self) {
        self.connection.wires().is_left = true;
        self.connection.up.notify_one();
        self.connection.down.notify_one();
    }
}
