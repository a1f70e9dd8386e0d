use std::io::{Read, Write};
use std::marker::PhantomData;
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use std::{env, io};

use super::eventually::poll;
use super::port::closed_port;
use super::watched::Watched;

/// What one kind of server needs to be told, and how it says that it is ready.
pub trait Program {
    const NAME: &'static str;
    /// How a person installs it.
    const INSTALL: &'static str;
    /// A command whose answer names the process that answers.
    const WHO_ARE_YOU: &'static str;

    fn arguments(port: u16, folder: &Path) -> Vec<String>;
    fn is_answer(answer: &str, pid: u32) -> bool;
    fn url(addr: SocketAddr) -> String;
}

/// A server of its own on a loopback port of its own. Empty at the start, gone at the end.
#[derive(Debug)]
pub struct Server<P> {
    port: u16,
    extra: Vec<String>,
    running: Mutex<Option<Watched>>,
    kind: PhantomData<fn() -> P>,
}

impl<P: Program> Server<P> {
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// With further arguments on the server's command line.
    pub fn start_with(extra: &[&str]) -> Self {
        let extra: Vec<String> = extra.iter().map(ToString::to_string).collect();
        let (port, running) = launch_anywhere::<P>(&extra);
        Self { port, extra, running: Mutex::new(Some(running)), kind: PhantomData }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn addr(&self) -> SocketAddr {
        loopback(self.port)
    }

    pub fn url(&self) -> String {
        P::url(self.addr())
    }

    /// The server's own process id.
    pub fn pid(&self) -> u32 {
        self.with_running(Watched::pid)
    }

    /// SIGSTOP: connections stay open, the kernel still accepts new ones, and nothing is answered.
    pub fn stop(&self) {
        self.with_running(Watched::stop);
    }

    /// SIGCONT: what was sent meanwhile is answered now.
    pub fn cont(&self) {
        self.with_running(Watched::cont);
    }

    /// SIGKILL. Connections are reset and new ones refused when this returns.
    pub fn kill(&self) {
        *self.lock() = None;
    }

    /// Killed if it runs, then started on the same port, without data.
    pub fn restart(&self) {
        let mut running = self.lock();
        *running = None;
        *running =
            Some(launch::<P>(self.port, &self.extra).unwrap_or_else(|output| cannot_start::<P>(&output)));
    }

    fn with_running<R>(&self, act: impl FnOnce(&Watched) -> R) -> R {
        act(self.lock().as_ref().expect("the server was killed and not restarted"))
    }

    // A failed assertion in one test must not hide what the others have to say.
    fn lock(&self) -> MutexGuard<'_, Option<Watched>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// Between the choice of a port and the server's bind, another process may take it.
fn launch_anywhere<P: Program>(extra: &[String]) -> (u16, Watched) {
    let mut output = String::new();
    for _ in 0..PORTS_TO_TRY {
        let port = closed_port();
        match launch::<P>(port, extra) {
            Ok(running) => return (port, running),
            Err(said) if said.contains(PORT_TAKEN) => output = said,
            Err(said) => cannot_start::<P>(&said),
        }
    }
    cannot_start::<P>(&output)
}

/// The running server once it answers, or else what it printed.
fn launch<P: Program>(port: u16, extra: &[String]) -> Result<Watched, String> {
    let running = Watched::spawn(&program::<P>(), |folder| {
        let mut arguments = P::arguments(port, folder);
        arguments.extend_from_slice(extra);
        arguments
    });
    let mut ready = false;
    poll(READY_WITHIN, || {
        ready = answers::<P>(port, running.pid()).unwrap_or(false);
        ready || running.output().contains(PORT_TAKEN)
    });
    if ready { Ok(running) } else { Err(running.output()) }
}

// The process id in the answer tells ours from a stranger that was faster on the same port.
fn answers<P: Program>(port: u16, pid: u32) -> io::Result<bool> {
    let mut stream = TcpStream::connect_timeout(&loopback(port), ANSWER_WITHIN)?;
    stream.set_read_timeout(Some(ANSWER_WITHIN))?;
    stream.set_write_timeout(Some(ANSWER_WITHIN))?;
    stream.write_all(P::WHO_ARE_YOU.as_bytes())?;
    let mut answer = Vec::new();
    let mut chunk = [0; 4096];
    while !P::is_answer(&String::from_utf8_lossy(&answer), pid) {
        match stream.read(&mut chunk)? {
            0 => return Ok(false),
            n => answer.extend_from_slice(&chunk[..n]),
        }
    }
    Ok(true)
}

// A test without its server fails; it never passes by being skipped.
fn program<P: Program>() -> PathBuf {
    let path = env::var_os("PATH").unwrap_or_default();
    let found = env::split_paths(&path).map(|folder| folder.join(P::NAME)).find(|file| file.is_file());
    let (name, install) = (P::NAME, P::INSTALL);
    found.unwrap_or_else(|| panic!("{name} is not installed: `sh tests/run.sh` installs it, or {install}"))
}

fn cannot_start<P: Program>(output: &str) -> ! {
    panic!("{} did not answer within {READY_WITHIN:?}. It printed:\n{output}", P::NAME)
}

fn loopback(port: u16) -> SocketAddr {
    ([127, 0, 0, 1], port).into()
}

const PORTS_TO_TRY: u32 = 20;
// What both servers print, in the system's words.
const PORT_TAKEN: &str = "Address already in use";
// Usually 30 ms; the rest is for a machine that compiles at the same time.
const READY_WITHIN: Duration = Duration::from_secs(10);
const ANSWER_WITHIN: Duration = Duration::from_millis(500);
