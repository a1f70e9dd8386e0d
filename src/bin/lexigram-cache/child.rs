//! A command that runs beside, and the signals that are meant for it.

use std::io;
use std::process::{self, Command, ExitStatus};
use std::sync::mpsc::Sender;

use super::failure::{Code, Failure};

/// What happens while it runs.
pub enum Event {
    /// Of the system; also that a child has ended.
    Signal(i32),
    /// The lock is not ours any more.
    Lost,
}

pub struct Child {
    child: process::Child,
}

impl Child {
    /// Starts it, and tells of signals from before on.
    ///
    /// # Errors
    /// The outer one if signals cannot be heard, the inner one if the command cannot be run.
    pub fn start(command: &mut Command, events: &Sender<Event>) -> Result<io::Result<Child>, Failure> {
        signals::tell(events)?;
        Ok(command.spawn().map(|child| Child { child }))
    }

    pub fn ended(&mut self) -> Result<Option<ExitStatus>, Failure> {
        self.child.try_wait().map_err(|error| Failure::new(Code::System, error.to_string()))
    }

    pub fn kill(&mut self) {
        // One that has ended meanwhile cannot be killed, and need not be.
        let _ = self.child.kill();
    }

    /// A signal that this process was sent. The keys of a terminal reach the command by themselves.
    pub fn pass_on(&self, signal: i32) {
        signals::pass_on(&self.child, signal);
    }

    /// Asks it to end.
    pub fn end(&mut self) {
        signals::end(&mut self.child);
    }
}

#[cfg(unix)]
mod signals {
    use std::io::{self, IsTerminal as _};
    use std::process::Child;
    use std::sync::mpsc::Sender;
    use std::thread;

    use rustix::process::{Pid, Signal, kill_process};
    use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};
    use signal_hook::iterator::Signals;

    use super::Event;
    use crate::tool::failure::{Code, Failure};

    pub fn tell(events: &Sender<Event>) -> Result<(), Failure> {
        let signals = Signals::new([SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2]);
        let mut signals = signals.map_err(|error| Failure::new(Code::System, format!("signals: {error}")))?;
        let events = events.clone();
        thread::spawn(move || signals.forever().all(|signal| events.send(Event::Signal(signal)).is_ok()));
        Ok(())
    }

    pub fn pass_on(child: &Child, signal: i32) {
        let by_terminal = matches!(signal, SIGINT | SIGQUIT) && io::stdin().is_terminal();
        if signal != SIGCHLD && !by_terminal {
            send(child, Signal::from_named_raw(signal));
        }
    }

    pub fn end(child: &mut Child) {
        send(child, Some(Signal::TERM));
    }

    /// It was not waited for yet, so its number is nobody else's.
    fn send(child: &Child, signal: Option<Signal>) {
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        if let (Some(pid), Some(signal)) = (pid, signal) {
            let _ = kill_process(pid, signal);
        }
    }
}

#[cfg(not(unix))]
mod signals {
    use std::process::Child;
    use std::sync::mpsc::Sender;

    use super::Event;
    use crate::tool::failure::Failure;

    pub fn tell(_: &Sender<Event>) -> Result<(), Failure> {
        Ok(())
    }

    pub fn pass_on(_: &Child, _: i32) {}

    pub fn end(child: &mut Child) {
        let _ = child.kill();
    }
}
