//! The right to use one connection.

use std::mem;

use super::super::super::fault::Fault;
use super::super::socket::Socket;
use super::Pool;
use super::places::Share;
use super::waiting::Carried;
use crate::engine::sync::PoisonError;
use crate::error::{ErrorKind, Result};

/// The right to use one connection, and the duty to answer those whose questions are carried.
pub(in super::super) struct Place<'a, Q = (), A = ()> {
    pub(super) pool: &'a Pool<Q, A>,
    pub(super) process: u32,
    pub(super) idle: Option<Socket>,
    pub(super) carried: Carried<Q, A>,
    pub(super) share: Share,
}

impl<Q, A> Place<'_, Q, A> {
    /// Runs an exchange on the idle connection of this place, or on a new one where it has none, a dead one, or is
    /// to have a `fresh` one.
    ///
    /// `exchange` says whether the connection is still in step; only then is it kept. If the connection failed, the
    /// exchange is tried once more on a fresh one, where that can apply nothing twice.
    pub(in super::super) fn with<T>(
        &mut self,
        repeatable: bool,
        fresh: bool,
        dial: impl Fn() -> Result<Socket>,
        mut exchange: impl FnMut(&mut Socket) -> Result<(T, bool), Fault>,
    ) -> Result<T, Fault> {
        let idle = self.idle.take().filter(|_| !fresh);
        let idle = idle.and_then(|mut socket| socket.is_quiet().then_some(socket));
        let dial = || dial().map_err(Fault::unsent);
        let mut socket = idle.map_or_else(dial, Ok)?;
        let mut repeated = false;
        loop {
            match exchange(&mut socket) {
                Ok((value, in_step)) => {
                    self.idle = in_step.then_some(socket);
                    return Ok(value);
                }
                Err(fault) if !repeated && fault.may_repeat(repeatable) => {
                    repeated = true;
                    // Before the next one: the server sees no more of them than there are places.
                    drop(socket);
                    socket = dial()?;
                }
                Err(fault) => return Err(fault),
            }
        }
    }

    /// Asks a question that may be asked twice, and those that are carried. `exchange` is given those, and has all answers.
    pub(in super::super) fn ask(
        mut self,
        dial: impl Fn() -> Result<Socket>,
        mut exchange: impl FnMut(&mut Socket, &[&Q]) -> Result<(Answers<A>, bool), Fault>,
    ) -> Result<A, Fault> {
        let carried = mem::take(&mut self.carried);
        let theirs = carried.questions();
        match self.with(true, false, &dial, |socket| exchange(socket, &theirs)) {
            Ok((answer, answers)) => {
                // First: whoever has the place next need not wait until all of these are awake.
                drop(self);
                carried.answer(answers);
                Ok(answer)
            }
            // That may have been about one of the others, or about all of them together.
            Err(fault) if !theirs.is_empty() && fault.error.kind() == ErrorKind::Protocol => {
                drop(carried);
                self.with(true, true, dial, |socket| exchange(socket, &[])).map(|(answer, _)| answer)
            }
            Err(fault) => Err(fault),
        }
    }
}

/// To one's own question, and to those that one carries.
pub(in super::super) type Answers<A> = (A, Vec<A>);

/// Gives the place back, also where a panic ends the exchange.
impl<Q, A> Drop for Place<'_, Q, A> {
    fn drop(&mut self) {
        // No caller's code runs in between, so no fork either: who took the place gives it back.
        let mut places = self.pool.places.lock().unwrap_or_else(PoisonError::into_inner);
        if places.process != self.process {
            return;
        }
        let next = places.give_back(self.pool.size, self.idle.take(), self.share);
        drop(places);
        if let Some(next) = next {
            next.wake();
        }
    }
}
