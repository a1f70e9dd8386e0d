use std::collections::HashMap;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use socket2::SockRef;

use super::Shared;
use super::spoil::Then;

/// One client's connection with its continuation to the server.
#[derive(Debug)]
struct Link {
    number: usize,
    client: TcpStream,
    server: TcpStream,
    /// The client is to see a reset, not an end.
    is_reset: AtomicBool,
}

/// Serves one connection until either side closes it.
pub fn run(number: usize, client: TcpStream, shared: &Shared) {
    let Ok(server) = TcpStream::connect_timeout(&shared.server, DIAL_WITHIN) else { return };
    let link = Arc::new(Link { number, client, server, is_reset: AtomicBool::new(false) });
    shared.links.enter(&link);
    // `close_all` may have been called before this link was entered.
    if !shared.faults.has_ended() {
        thread::scope(|scope| {
            scope.spawn(|| link.until_closed(|| link.pass_reply(shared)));
            link.until_closed(|| link.pass_request(shared));
        });
    }
    shared.links.leave(number);
}

impl Link {
    fn until_closed(&self, pass: impl Fn() -> io::Result<bool>) {
        let _ = self.client.set_nodelay(true).and_then(|()| self.server.set_nodelay(true));
        while let Ok(true) = pass() {}
        self.close();
    }

    fn pass_request(&self, shared: &Shared) -> io::Result<bool> {
        let bytes = self.gather_request(shared.gathers)?;
        if bytes.is_empty() {
            return Ok(false);
        }
        shared.record.request(self.number, &bytes);
        if shared.faults.swallows() {
            return self.swallow_all();
        }
        shared.faults.delay_request(&bytes);
        shared.faults.hold();
        (&self.server).write_all(&bytes)?;
        Ok(true)
    }

    // A stream has no gaps: what follows lost bytes never arrives either.
    fn swallow_all(&self) -> io::Result<bool> {
        self.client.set_read_timeout(None)?;
        while (&self.client).read(&mut [0; CHUNK])? > 0 {}
        Ok(false)
    }

    fn pass_reply(&self, shared: &Shared) -> io::Result<bool> {
        let mut bytes = [0; CHUNK];
        let read = (&self.server).read(&mut bytes)?;
        if read == 0 {
            return Ok(false);
        }
        if shared.record.reply(self.number, &bytes[..read]) {
            shared.faults.delay_reply(&bytes[..read]);
        }
        shared.faults.hold();
        let spoiled = shared.faults.spoil(&bytes[..read]);
        self.deliver(&spoiled.bytes, shared)?;
        match spoiled.then {
            Then::GoOn => return Ok(true),
            Then::Close => {}
            Then::Reset => self.reset(),
            Then::Endless(filler) => self.deliver_for_ever(&filler)?,
        }
        Ok(false)
    }

    fn deliver(&self, bytes: &[u8], shared: &Shared) -> io::Result<()> {
        let Some(step) = shared.faults.step() else { return (&self.client).write_all(bytes) };
        for piece in bytes.chunks(step) {
            (&self.client).write_all(piece)?;
            shared.faults.pause();
        }
        Ok(())
    }

    fn deliver_for_ever(&self, filler: &[u8]) -> io::Result<()> {
        let many = filler.repeat(CHUNK.div_ceil(filler.len()));
        loop {
            (&self.client).write_all(&many)?;
        }
    }

    /// What the client sends until it is silent for a moment, or at once; empty at the end of the connection.
    fn gather_request(&self, patient: bool) -> io::Result<Vec<u8>> {
        let (mut gathered, mut chunk) = (Vec::new(), [0; CHUNK]);
        self.client.set_read_timeout(None)?;
        loop {
            match (&self.client).read(&mut chunk) {
                Ok(0) => return Ok(gathered),
                Ok(read) => gathered.extend_from_slice(&chunk[..read]),
                Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    return Ok(gathered);
                }
                Err(e) => return Err(e),
            }
            if !patient || gathered.len() >= MOST_GATHERED {
                return Ok(gathered);
            }
            self.client.set_read_timeout(Some(SILENCE))?;
        }
    }

    // A socket that lingers for no time says so with a reset when it is dropped, unless it was shut before.
    fn reset(&self) {
        let _ = SockRef::from(&self.client).set_linger(Some(Duration::ZERO));
        self.is_reset.store(true, Ordering::SeqCst);
    }

    // Also ends the other direction's blocking read.
    fn close(&self) {
        let how = if self.is_reset.load(Ordering::SeqCst) { Shutdown::Read } else { Shutdown::Both };
        let _ = self.client.shutdown(how);
        let _ = self.server.shutdown(Shutdown::Both);
    }
}

/// The connections there are, so that the relay can close them all.
#[derive(Debug, Default)]
pub struct Links {
    made: AtomicUsize,
    open: Mutex<HashMap<usize, Arc<Link>>>,
}

impl Links {
    /// The number of a new connection.
    pub fn count(&self) -> usize {
        self.made.fetch_add(1, Ordering::Relaxed) + 1
    }

    pub fn made(&self) -> usize {
        self.made.load(Ordering::Relaxed)
    }

    pub fn open(&self) -> usize {
        self.lock().len()
    }

    pub fn close_all(&self) {
        self.lock().values().for_each(|link| link.close());
    }

    fn enter(&self, link: &Arc<Link>) {
        self.lock().insert(link.number, Arc::clone(link));
    }

    fn leave(&self, number: usize) {
        self.lock().remove(&number);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<usize, Arc<Link>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const DIAL_WITHIN: Duration = Duration::from_secs(1);
const SILENCE: Duration = Duration::from_millis(3);
const CHUNK: usize = 64 * 1024;
const MOST_GATHERED: usize = 8 * 1024 * 1024;
