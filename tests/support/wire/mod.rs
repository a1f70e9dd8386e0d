//! A relay in front of a server: it writes down what passes, and disturbs it when told to.
//!
//! ```text
//! client ── requests ─►┌───────┐── requests ─► server      one thread for each direction of each connection,
//!        ◄── replies ──└───────┘◄── replies ──             all of them joined when the relay is dropped
//! ```

mod faults;
mod link;
mod record;
mod spoil;

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use faults::{Delay, Faults, Knobs};
use link::Links;
use record::Record;
use socket2::SockRef;
use spoil::{How, Spoil};

pub use record::Exchange;

/// The relay. Give `addr()` to the client in the server's place.
///
/// What a client sends is passed on once it has been silent for 3 ms, so that a batch written in many pieces
/// counts as the one request it is. A server that is down shows as a connection that is closed at once.
#[derive(Debug)]
pub struct Wire {
    addr: SocketAddr,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    server: SocketAddr,
    /// Waits for the end of a request before it is passed on.
    gathers: bool,
    record: Record,
    faults: Faults,
    links: Links,
}

impl Wire {
    pub fn before(server: SocketAddr) -> Self {
        Self::new([127, 0, 0, 1], server, true)
    }

    /// A relay that passes on at once what comes, in whatever pieces: faster, but no stand to count requests on.
    pub fn prompt(server: SocketAddr) -> Self {
        Self::prompt_at([127, 0, 0, 1], server)
    }

    /// The same at another address of this machine.
    pub fn prompt_at(ip: [u8; 4], server: SocketAddr) -> Self {
        Self::new(ip, server, false)
    }

    fn new(ip: [u8; 4], server: SocketAddr, gathers: bool) -> Self {
        let listener = TcpListener::bind(SocketAddr::from((ip, 0))).expect("loopback has a free port");
        let addr = listener.local_addr().expect("a bound listener has an address");
        let shared = Arc::new(Shared {
            server,
            gathers,
            record: Record::default(),
            faults: Faults::default(),
            links: Links::default(),
        });
        let theirs = Arc::clone(&shared);
        let acceptor = thread::spawn(move || accept(&listener, &theirs));
        Self { addr, shared, acceptor: Some(acceptor) }
    }

    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// What has passed since the last `take`, in the order in which the requests began.
    pub fn take(&self) -> Vec<Exchange> {
        self.shared.record.take()
    }

    /// The requests' bytes since the last `take`, exchange after exchange.
    pub fn requests(&self) -> Vec<u8> {
        self.shared.record.requests()
    }

    /// How many requests have been answered since the last `take`, at least in part. A pipeline counts once.
    pub fn round_trips(&self) -> usize {
        self.shared.record.round_trips()
    }

    /// How many connections clients have made to the relay, ever.
    pub fn connections(&self) -> usize {
        self.shared.links.made()
    }

    /// How many of them are still open.
    pub fn open_connections(&self) -> usize {
        self.shared.links.open()
    }

    /// Holds every reply back for this long from now on, once at its first byte. Zero ends it.
    pub fn delay_replies(&self, delay: Duration) {
        self.set(|knobs| knobs.replies = Delay::of_all(delay));
    }

    /// The same for replies only whose first piece contains these bytes.
    pub fn delay_replies_with(&self, pattern: &str, time: Duration) {
        self.set(|knobs| knobs.replies = Delay { time, only: pattern.into() });
    }

    /// Passes requests that contain these bytes on so much later.
    pub fn delay_requests_with(&self, pattern: &str, time: Duration) {
        self.set(|knobs| knobs.requests = Delay { time, only: pattern.into() });
    }

    /// Lets so many bytes of a reply pass, then pauses, and so on. A step of none ends it.
    pub fn trickle(&self, step: usize, pause: Duration) {
        self.set(|knobs| knobs.trickle = Some((step, pause)).filter(|_| step > 0));
    }

    /// Lets this many bytes of replies pass from now on, then closes the connection that carries the next one. Once.
    /// This and the following ones replace each other.
    pub fn cut_after(&self, reply_bytes: usize) {
        self.spoil(reply_bytes, How::Close);
    }

    /// The same with a reset in place of an orderly end.
    pub fn reset_after(&self, reply_bytes: usize) {
        self.spoil(reply_bytes, How::Reset);
    }

    /// Turns this bit of the reply byte that follows so many. Once.
    pub fn flip_bit_after(&self, reply_bytes: usize, bit: u8) {
        self.spoil(reply_bytes, How::Flip(bit));
    }

    /// Sends these in place of what follows so many bytes in the piece of a reply that carries the next one. Once.
    pub fn replace_after(&self, reply_bytes: usize, other: &[u8]) {
        self.spoil(reply_bytes, How::Replace(other.into()));
    }

    /// Sends these after so many bytes, and then `filler` again and again, as long as the client takes it. Once.
    pub fn endless_after(&self, reply_bytes: usize, head: &[u8], filler: &[u8]) {
        self.spoil(reply_bytes, How::Endless(head.into(), filler.into()));
    }

    /// While true, nothing passes in either direction and no connection is closed. What was sent meanwhile passes
    /// afterwards, late, as on a network that was interrupted.
    pub fn blackhole(&self, on: bool) {
        self.set(|knobs| knobs.blackhole = on);
    }

    /// While true, new connections are reset. A port that refuses them outright is what a killed server leaves.
    pub fn refuse(&self, on: bool) {
        self.set(|knobs| knobs.refuse = on);
    }

    /// The next request never reaches the server, nor does what follows it on its connection. Once.
    pub fn swallow_next(&self) {
        self.set(|knobs| knobs.swallow = true);
    }

    fn spoil(&self, after: usize, how: How) {
        self.set(|knobs| knobs.spoil = Some(Spoil { after, how }));
    }

    fn set(&self, set: impl FnOnce(&mut Knobs)) {
        self.shared.faults.set(set);
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.shared.faults.end();
        self.shared.links.close_all();
        // Wakes the acceptor, which then sees that it is over.
        let _ = TcpStream::connect(self.addr);
        let ended = self.acceptor.take().map(JoinHandle::join);
        if let (Some(Err(panic)), false) = (ended, thread::panicking()) {
            std::panic::resume_unwind(panic);
        }
    }
}

fn accept(listener: &TcpListener, shared: &Shared) {
    thread::scope(|scope| {
        for client in listener.incoming() {
            if shared.faults.has_ended() {
                return;
            }
            let Ok(client) = client else { continue };
            let number = shared.links.count();
            if shared.faults.refuses() {
                let _ = SockRef::from(&client).set_linger(Some(Duration::ZERO));
                continue;
            }
            scope.spawn(move || link::run(number, client, shared));
        }
    });
}
