//! The books of a pool: which connections are out, and who waits for one.

use std::collections::VecDeque;
use std::sync::Arc;

use super::super::socket::Socket;
use super::waiting::{Carried, Waiting};
use super::{Place, Pool};

pub(super) struct Places<Q, A> {
    /// The process these connections belong to. A forked child has copies of them that talk into its parent's
    /// conversations.
    pub(super) process: u32,
    pub(super) taken: u32,
    /// How many of those are taken to ask and carry, and how many callers they carry.
    pub(super) asking: u32,
    pub(super) carried: usize,
    /// How many were called to a place and have not come yet.
    pub(super) called: u32,
    pub(super) idle: Vec<Socket>,
    /// Who waits for a place, the first to come in front. Who is called or carried has left it.
    pub(super) queue: VecDeque<Arc<Waiting<Q, A>>>,
}

impl<Q, A> Places<Q, A> {
    pub(super) fn new(process: u32) -> Places<Q, A> {
        let (idle, queue) = (Vec::new(), VecDeque::new());
        Places { process, taken: 0, asking: 0, carried: 0, called: 0, idle, queue }
    }

    /// A place if one is free, and whom its caller carries.
    pub(super) fn take<'a>(&mut self, pool: &'a Pool<Q, A>, asks: bool) -> Option<Place<'a, Q, A>> {
        if self.taken == pool.size {
            return None;
        }
        self.taken += 1;
        let carried = if asks { self.carry() } else { Carried::default() };
        let share = Share { asks, carried: carried.0.len() };
        self.asking += u32::from(asks);
        self.carried += share.carried;
        Some(Place { pool, process: self.process, idle: self.idle.pop(), carried, share })
    }

    /// Whether a caller with a question does better to wait: more are here than there are places, and enough of those are
    /// under way to carry them.
    pub(super) fn are_crowded(&self, pool: &Pool<Q, A>) -> bool {
        let here = self.taken as usize + self.queue.len() + self.carried;
        self.asking >= pool.lanes && here >= pool.size as usize
    }

    fn carry(&mut self) -> Carried<Q, A> {
        let mut carried = Vec::new();
        self.queue.retain(|waiting| {
            let goes = carried.len() < MOST_CARRIED && waiting.question().is_some();
            if goes {
                waiting.carry();
                carried.push(Arc::clone(waiting));
            }
            !goes
        });
        Carried(carried)
    }

    /// Who was called and found the place taken by somebody faster is the first to be called again.
    pub(super) fn queue(&mut self, waiting: &Arc<Waiting<Q, A>>, first: bool) {
        let waiting = Arc::clone(waiting);
        if first { self.queue.push_front(waiting) } else { self.queue.push_back(waiting) }
    }

    /// Takes a place back; says whom to wake for it. Nobody where as many are on their way as there are places free: the first
    /// of them may find it taken by somebody faster, and all others would.
    pub(super) fn give_back(
        &mut self,
        size: u32,
        idle: Option<Socket>,
        share: Share,
    ) -> Option<Arc<Waiting<Q, A>>> {
        self.taken -= 1;
        self.asking -= u32::from(share.asks);
        self.carried -= share.carried;
        self.idle.extend(idle);
        if self.called >= size - self.taken {
            return None;
        }
        let next = self.queue.pop_front()?;
        next.call();
        self.called += 1;
        Some(next)
    }
}

/// What a place counts for beside itself.
#[derive(Clone, Copy)]
pub(super) struct Share {
    asks: bool,
    carried: usize,
}

/// So many connections carry a crowd better than more, each of which would carry fewer; one alone would leave the server
/// idle while it is read.
pub(super) const LANES: u32 = 4;
/// So many answers come at once: more would keep the first of them waiting for longer than a round trip.
const MOST_CARRIED: usize = 31;
