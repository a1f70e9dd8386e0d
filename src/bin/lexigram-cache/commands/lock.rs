//! `lock run`: a command under a lock.

use std::io;
use std::process::{Command, ExitStatus};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use lexigram_cache::{ErrorKind, LockGuard, LockStore, Released};

use crate::tool::arguments::{Common, LockRun};
use crate::tool::child::{Child, Event};
use crate::tool::configured::Target;
use crate::tool::failure::{Code, Ending, Failure, say};

/// Ends as the command does. Where there is no end of a command to pass on, the code is 100 more than usual.
pub fn run(common: &Common, run: LockRun) -> Ending {
    under_lock(common, &run).unwrap_or_else(|failure| {
        failure.tell(common.json);
        Ending::without_command(failure.code())
    })
}

fn under_lock(common: &Common, run: &LockRun) -> Result<Ending, Failure> {
    let target = Target::find(common)?;
    if target.is_memory() {
        say("this backend is memory: the lock keeps out nobody but this process");
    }
    let (events, heard) = mpsc::channel();
    let guard = lock(&target, run, events.clone())?;
    // Signals are heard from before the command begins, so that none ends this process and leaves the command.
    let ended = match Child::start(&mut command(run, &guard), &events)? {
        Ok(child) => watch(child, run, &heard)?,
        Err(error) => cannot_run(run, &error),
    };
    settle(guard, run);
    Ok(ended)
}

fn lock(target: &Target, run: &LockRun, events: Sender<Event>) -> Result<LockGuard, Failure> {
    let lost = move |_: &str| drop(events.send(Event::Lost));
    let locks = LockStore::builder(&target.cache).on_loss(lost).on_warning(say).build()?;
    let begun = Instant::now();
    let guard = match run.wait {
        Duration::ZERO => locks.try_acquire(&run.name, run.ttl)?,
        wait => match locks.acquire(&run.name, run.ttl, wait) {
            // Else it was the server that took too long.
            Err(error) if error.kind() == ErrorKind::Timeout && begun.elapsed() >= wait => None,
            taken => Some(taken?),
        },
    };
    guard.ok_or_else(|| Failure::new(Code::No, format!("`{}` is held by another", run.name)))
}

fn command(run: &LockRun, guard: &LockGuard) -> Command {
    // There is a first word: clap asks for it.
    let mut command = Command::new(&run.command[0]);
    command
        .args(&run.command[1..])
        .env("LEXIGRAM_LOCK_NAME", &run.name)
        .env("LEXIGRAM_LOCK_FENCING", guard.fencing().to_string());
    command
}

/// With the codes that shells have for it.
fn cannot_run(run: &LockRun, error: &io::Error) -> Ending {
    say(&format!("{}: {error}", run.command[0].display()));
    Ending::of_command(if error.kind() == io::ErrorKind::NotFound { 127 } else { 126 })
}

/// Passes signals on until the command has ended. A lock that is lost ends it, unless that is not wanted.
fn watch(mut child: Child, run: &LockRun, heard: &Receiver<Event>) -> Result<Ending, Failure> {
    let mut lost = false;
    let mut last_word: Option<Instant> = None;
    loop {
        if let Some(status) = child.ended()? {
            return Ok(match lost && !run.keep_running {
                true => Ending::without_command(Code::No),
                false => ending(status),
            });
        }
        if last_word.is_some_and(|at| at <= Instant::now()) {
            child.kill();
            last_word = None;
        }
        match heard.recv_timeout(LOOK) {
            Ok(Event::Signal(signal)) => child.pass_on(signal),
            Ok(Event::Lost) if run.keep_running => {
                say(&format!("the lock `{}` was lost; the command goes on", run.name));
            }
            Ok(Event::Lost) => {
                say(&format!("the lock `{}` was lost; the command is ended", run.name));
                lost = true;
                child.end();
                last_word = Some(Instant::now() + PATIENCE);
            }
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
        }
    }
}

fn ending(status: ExitStatus) -> Ending {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return Ending::of_command(128 + signal);
    }
    Ending::of_command(status.code().unwrap_or(1))
}

/// The command has ended, so what becomes of the lock changes nothing any more, but is worth a word.
fn settle(guard: LockGuard, run: &LockRun) {
    match guard.release() {
        Ok(Released::Released) => {}
        Ok(Released::NotOwned | Released::Expired) => {
            say(&format!("the lock `{}` was not held to the end of the command", run.name));
        }
        Err(error) => {
            say(&format!("the lock `{}` is not released and ends with its time: {error}", run.name));
        }
    }
}

/// How long a command that is to end has for it.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often it is looked whether the command has ended, should nobody tell.
const LOOK: Duration = Duration::from_millis(if cfg!(unix) { 500 } else { 20 });
