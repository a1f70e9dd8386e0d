//! Rate limits as pure decisions: what a subject has taken, the time and a request go in, a decision and what it has
//! taken now come out. Whole microseconds throughout, so that every backend comes to the same.
//!
//! What is a script on Redis (`wire/redis/lua/`) does the same steps on numbers below 2^53, which its floats hold exactly; `terms`
//! has the bounds that keep them there.

mod fixed;
mod gcra;
mod leases;
mod permits;
mod sliding;
mod state;
mod table;
mod terms;
#[cfg(test)]
mod tests;

pub(crate) use self::leases::{Draw, Leases};
pub use self::permits::{Permits, Step};
pub(crate) use self::state::State;
pub(crate) use self::table::Table;
pub(crate) use self::terms::Terms;

/// Microseconds since some beginning, below 2^53.
pub(crate) type Micros = u64;

/// Whose time it is that states are written by.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Clocks {
    /// One clock's, the server's own. A state from its future tells that it was set back, so what it holds ahead is cut to
    /// the most that can have been taken.
    One,
    /// The clients', which differ. A state from the future comes from a client whose clock is ahead, and counts as it is: cut
    /// down, it would be full again for that client.
    Several,
}

/// How permits are counted by one algorithm.
trait Meter: Sized {
    /// What this comes to now. Says whether a state from the future was cut.
    fn settle(&mut self, terms: &Terms, now: Micros, clocks: Clocks) -> bool;

    /// How long until so many permits can be had; zero if they can now. Never more are asked for than there are at most.
    fn wait(&self, terms: &Terms, now: Micros, n: u64) -> Micros;

    /// Takes permits that can be had.
    fn add(&mut self, terms: &Terms, now: Micros, n: u64);

    /// How many could be had now.
    fn room(&self, terms: &Terms, now: Micros) -> u64;

    /// How long until all are back; from then on the state means nothing.
    fn rest(&self, terms: &Terms, now: Micros) -> Micros;

    /// As servers keep it: decimal numbers.
    fn write(&self) -> String;

    /// `None` for what was not written so.
    fn read(numbers: &[u64]) -> Option<Self>;
}
