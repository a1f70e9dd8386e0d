//! A server that is not there: what it holds, what it was asked, and what it was told to do wrong. All by a clock that a
//! test moves, so that nothing here depends on real time.

mod faults;
mod log;
mod op;
mod shelf;

pub(crate) use self::faults::Fault;
pub use self::faults::Faults;
pub use self::log::FakeCall;
pub(crate) use self::log::Log;
pub use self::op::Op;
pub(crate) use self::shelf::Shelf;
use crate::clock::Clock;

/// What all handles of one fake share.
#[derive(Debug)]
pub(crate) struct Fake {
    pub(crate) clock: Clock,
    pub(crate) shelf: Shelf,
    pub(crate) faults: Faults,
    pub(crate) log: Log,
}

impl Fake {
    pub(crate) fn new() -> Fake {
        let clock = Clock::hand();
        Fake { shelf: Shelf::new(clock.clone()), clock, faults: Faults::default(), log: Log::default() }
    }
}
