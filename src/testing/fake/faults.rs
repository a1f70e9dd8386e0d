//! What a fake was told to do wrong, and when.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::op::Op;
use crate::engine::flight::{Boarding, Flight, Flights, Landing, Leader};
use crate::error::{Error, ErrorKind};

/// Faults to come, of a [`FakeCache`](crate::testing::FakeCache). They are used up in the order in which they were asked
/// for, each by the next request that it is meant for.
///
/// ```
/// use lexigram_cache::{ErrorKind, Ttl, testing::FakeCache};
///
/// let fake = FakeCache::new();
/// fake.faults().fail_next("get", 1);
/// let error = fake.cache().get::<u32>("k").unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Unavailable);
/// assert_eq!(fake.cache().get::<u32>("k")?, None);
/// # Ok::<(), lexigram_cache::Error>(())
/// ```
#[derive(Debug, Default)]
pub struct Faults(Mutex<Plan>);

#[derive(Default)]
struct Plan {
    coming: Vec<(Op, Fault)>,
    down: bool,
    /// Where those wait who were told to hang; made when the first is.
    gate: Option<Gate>,
    gates: Arc<Flights>,
}

/// A flight that lands when the fake is told to go on.
struct Gate {
    leader: Leader,
    flight: Arc<Flight>,
}

/// What becomes of one request.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// Nothing is done.
    Fail(ErrorKind),
    /// It is done, and nobody hears of it.
    DropReply,
    /// It is done so much later.
    Delay(Duration),
    /// It waits until the fake is told to go on, and is done then.
    Hang,
}

impl Faults {
    /// The next `n` requests of this kind fail as [`Unavailable`](ErrorKind::Unavailable) and do nothing.
    pub fn fail_next(&self, op: impl Into<Op>, n: usize) {
        self.fail_next_with(op, n, ErrorKind::Unavailable);
    }

    /// The next `n` requests of this kind fail as this kind of error and do nothing.
    pub fn fail_next_with(&self, op: impl Into<Op>, n: usize, kind: ErrorKind) {
        self.plan(op.into(), n, Fault::Fail(kind));
    }

    /// The next `n` requests of this kind are done and not answered: the caller is told
    /// [`Ambiguous`](ErrorKind::Ambiguous), of a read [`Timeout`](ErrorKind::Timeout). Nothing waits for it.
    pub fn drop_replies(&self, op: impl Into<Op>, n: usize) {
        self.plan(op.into(), n, Fault::DropReply);
    }

    /// The next `n` requests of this kind take so long by the fake's clock, which is moved by it: nothing waits. What takes
    /// longer than the call may is done and not answered, as by [`drop_replies`](Faults::drop_replies).
    pub fn delay_next(&self, op: impl Into<Op>, n: usize, by: Duration) {
        self.plan(op.into(), n, Fault::Delay(by));
    }

    /// The next `n` requests of this kind hang until [`go_on`](Faults::go_on), and are done then. Who hangs longer than the
    /// call may, by real time, is told `Timeout`, and nothing is done.
    pub fn hang_next(&self, op: impl Into<Op>, n: usize) {
        self.plan(op.into(), n, Fault::Hang);
    }

    /// Lets those go on who hang, and takes back what was still to hang.
    pub fn go_on(&self) {
        let mut plan = self.lock();
        plan.coming.retain(|(_, fault)| !matches!(fault, Fault::Hang));
        let gate = plan.gate.take();
        // Its landing wakes those who wait, which is not for under the lock.
        drop(plan);
        if let Some(gate) = gate {
            gate.leader.land(Landing::Abandoned);
        }
    }

    /// Every request fails as [`Unavailable`](ErrorKind::Unavailable) from now on.
    pub fn go_down(&self) {
        self.lock().down = true;
    }

    /// Requests are done again, as they were before [`go_down`](Faults::go_down).
    pub fn come_up(&self) {
        self.lock().down = false;
    }

    /// How many faults have been asked for and met nobody yet.
    pub fn left(&self) -> usize {
        self.lock().coming.len()
    }

    fn plan(&self, op: Op, n: usize, fault: Fault) {
        self.lock().coming.extend(std::iter::repeat_n((op, fault), n));
    }

    /// What becomes of a request.
    pub(crate) fn meet(&self, op: Op) -> Option<Fault> {
        let mut plan = self.lock();
        if plan.down {
            return Some(Fault::Fail(ErrorKind::Unavailable));
        }
        let at = plan.coming.iter().position(|(meant, _)| meant.means(op))?;
        Some(plan.coming.remove(at).1)
    }

    /// What lands when those who hang may go on.
    pub(crate) fn gate(&self) -> Arc<Flight> {
        let mut plan = self.lock();
        if plan.gate.is_none()
            && let Boarding::Lead(leader) = plan.gates.board("gate".into(), None)
        {
            let flight = leader.flight();
            plan.gate = Some(Gate { leader, flight });
        }
        plan.gate.as_ref().map_or_else(|| Arc::new(Flight::new()), |gate| Arc::clone(&gate.flight))
    }

    /// Each step leaves a whole plan.
    fn lock(&self) -> MutexGuard<'_, Plan> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Fault {
    /// What a caller hears of a request that was done and not answered.
    pub(crate) fn unanswered(op: Op) -> Error {
        match op.is_read() {
            true => Error::new(ErrorKind::Timeout, "the fake was told not to answer"),
            false => Error::new(ErrorKind::Ambiguous, "the fake was told to do it and not to answer"),
        }
    }
}

impl std::fmt::Debug for Plan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Plan")
            .field("coming", &self.coming)
            .field("down", &self.down)
            .field("hanging", &self.gate.as_ref().map(|gate| Arc::strong_count(&gate.flight)))
            .finish_non_exhaustive()
    }
}
