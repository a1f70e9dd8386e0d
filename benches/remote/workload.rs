//! What is asked of a server, one way and the other.

use std::time::Duration;

use lexigram_cache::Cache;

use super::support::{Row, abreast, contender, interleaved, wanted};
use super::{KEYS, OUR_KEYS, OURS, Plan, THEIR_KEYS, keys};

/// One call as users of both write it, given the keys that it is for.
pub struct Workload<P> {
    pub name: &'static str,
    /// How many keys a call is for.
    pub width: usize,
    pub ours: fn(&Cache, &[String]),
    pub theirs: fn(&mut P, &[String]),
}

impl<P: Send> Workload<P> {
    /// A row for each number of threads. `pair` makes a cache that they share, and a peer for each of them.
    pub fn measure(
        &self,
        plan: &Plan,
        rows: &mut Vec<Row>,
        peer: &'static str,
        pair: impl Fn(usize) -> (Cache, Vec<P>),
    ) {
        if !wanted(self.name) {
            return;
        }
        for threads in &plan.threads {
            let (cache, mut peers) = pair(*threads);
            let turn = |owner| Turn { threads: *threads, width: self.width, keys: keys(owner) };
            let (our_turn, their_turn) = (turn(OUR_KEYS), turn(THEIR_KEYS));
            let ours =
                || our_turn.thousands((0..*threads).map(|_| |keys: &[String]| (self.ours)(&cache, keys)));
            let theirs = || {
                their_turn.thousands(peers.iter_mut().map(|peer| |keys: &[String]| (self.theirs)(peer, keys)))
            };
            let contenders = vec![contender(OURS, ours), contender(peer, theirs)];
            rows.push(interleaved(format!("{}/{threads}", self.name), "k/s", plan.rounds, contenders));
        }
    }
}

/// What one peer does in a round.
struct Turn {
    threads: usize,
    width: usize,
    keys: Vec<String>,
}

impl Turn {
    /// Thousands of keys per second of all callers together.
    fn thousands<C: FnMut(&[String]) + Send>(&self, callers: impl Iterator<Item = C>) -> f64 {
        let calls = calls(self.threads, self.width);
        let callers = callers.map(|mut call| move |number| call(self.keys_of(number)));
        rate(abreast(callers, calls), self.threads * calls * self.width)
    }

    fn keys_of(&self, number: usize) -> &[String] {
        let first = number * 389 % (KEYS - self.width + 1);
        &self.keys[first..first + self.width]
    }
}

/// So many for each caller that a round takes about a tenth of a second.
pub fn calls(callers: usize, width: usize) -> usize {
    let round = if callers == 1 { 1_500 } else { 12_000 };
    round / callers / width.div_ceil(4)
}

/// Thousands per second.
pub fn rate(spent: Duration, count: usize) -> f64 {
    count as f64 / spent.as_secs_f64() / 1e3
}
