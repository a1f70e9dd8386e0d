//! All peers, with the same keys in them.

use std::hint::black_box;

use super::draws::Draws;
use super::workloads::Workload;
use super::{Plan, timed};
use crate::support::{Cached, Contender, Kind, Locked, MiniMoka, Moka, Ours, Peer, Quick, Random, name};

pub struct Field<T: Kind> {
    pub ours: Ours,
    quick: Quick<T>,
    moka: Moka<T>,
    slow: Option<(MiniMoka<T>, Cached<T>, Locked<T>)>,
}

impl<T: Kind> Field<T> {
    /// Each holds the keys `0..resident`.
    pub fn holding(plan: &Plan, resident: usize) -> Field<T> {
        let keys = shuffled(resident);
        let stocked = Stocked { capacity: plan.capacity, keys: &keys };
        Field {
            ours: stocked.resident::<T, _>(),
            quick: stocked.resident(),
            moka: stocked.resident(),
            slow: plan.with_slow.then(|| (stocked.resident(), stocked.resident(), stocked.resident())),
        }
    }

    /// Each is full and has seen all draws once.
    pub fn worn(plan: &Plan, draws: &Draws) -> Field<T> {
        let keys = shuffled(plan.capacity);
        let stocked = Stocked { capacity: plan.capacity, keys: &keys };
        Field {
            ours: stocked.worn::<T, _>(draws),
            quick: stocked.worn(draws),
            moka: stocked.worn(draws),
            slow: plan.with_slow.then(|| (stocked.worn(draws), stocked.worn(draws), stocked.worn(draws))),
        }
    }

    pub fn contenders<'a>(
        &'a self,
        plan: &Plan,
        threads: usize,
        workload: &'a impl Workload<T>,
    ) -> Vec<Contender<'a>> {
        let mut peers = vec![
            working(plan, threads, &self.ours, workload),
            working(plan, threads, &self.quick, workload),
            working(plan, threads, &self.moka, workload),
        ];
        if let Some((mini, cached, locked)) = &self.slow {
            peers.push(working(plan, threads, mini, workload));
            peers.push(working(plan, threads, cached, workload));
            peers.push(working(plan, threads, locked, workload));
        }
        peers
    }
}

fn working<'a, T: Kind, P: Peer<T>>(
    plan: &Plan,
    threads: usize,
    peer: &'a P,
    workload: &'a impl Workload<T>,
) -> Contender<'a> {
    timed(P::NAME, plan, threads, move |turn| workload.turn(peer, turn))
}

/// In the order of their numbers the popular ones would lie side by side.
fn shuffled(count: usize) -> Vec<String> {
    let mut random = Random::new(2);
    let mut keys: Vec<String> = (0..count).map(name).collect();
    (1..count).rev().for_each(|last| keys.swap(last, random.below(last + 1)));
    keys
}

struct Stocked<'a> {
    capacity: usize,
    keys: &'a [String],
}

impl Stocked<'_> {
    fn resident<T: Kind, P: Peer<T>>(&self) -> P {
        let peer: P = self.full();
        let held = self.keys.iter().filter(|key| peer.get(key).is_some()).count();
        let share = held as f64 / self.keys.len() as f64;
        // Shards of a small cache fill unevenly. A few misses do no harm; many would make reads look cheap.
        assert!(share > 0.9, "{} holds {share:.3} of what it was given", P::NAME);
        if share < 1.0 {
            println!("{} of {} holds {share:.3} of what it was given", P::NAME, self.capacity);
        }
        peer
    }

    fn worn<T: Kind, P: Peer<T>>(&self, draws: &Draws) -> P {
        let peer: P = self.full();
        draws.each().for_each(|key| peer.get_or_insert(key, || T::new(1), |value| _ = black_box(value)));
        peer.settle();
        peer
    }

    fn full<T: Kind, P: Peer<T>>(&self) -> P {
        let peer = P::new(self.capacity);
        for (number, key) in self.keys.iter().enumerate() {
            peer.set(key, &T::new(number));
        }
        peer.settle();
        peer
    }
}
