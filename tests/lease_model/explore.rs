//! Looks at every state that can be reached, nearest first, so that what is found is found by a shortest way.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::hash::{BuildHasherDefault, Hasher};

use super::protocol::{At, Setup, Stale, Step, World};

pub struct Explored {
    pub states: usize,
    pub steps: usize,
    /// States in which nothing can happen any more.
    pub ends: usize,
}

/// A promise that is broken, and the way there.
pub struct Broken {
    pub what: String,
    trail: Vec<Step>,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let trail: Vec<String> = self.trail.iter().map(Step::to_string).collect();
        write!(f, "{} after: {}", self.what, trail.join(", "))
    }
}

#[derive(Default)]
struct Search {
    numbers: HashMap<World, u32, BuildHasherDefault<Fold>>,
    worlds: Vec<World>,
    /// How each state was reached first.
    reached: Vec<Option<(u32, Step)>>,
    /// All steps, as the numbers of the states before and after.
    edges: Vec<(u32, u32)>,
}

pub fn explore(setup: Setup) -> Result<Explored, Broken> {
    let mut search = Search::default();
    search.meet(World::new(setup), None);
    let mut next = 0;
    while let Some(&world) = search.worlds.get(next as usize) {
        if let Some(version) = world.stale_key() {
            let what = format!("the key keeps version {version} though a newer one was promised");
            return Err(search.broken(what, next, None));
        }
        for (step, after) in world.steps(setup.bug) {
            match after {
                Ok(after) => {
                    let number = search.meet(after, Some((next, step)));
                    search.edges.push((next, number));
                }
                Err(Stale(caller, version)) => {
                    let what =
                        format!("caller {caller} is answered with version {version} and owed a newer one");
                    return Err(search.broken(what, next, Some(step)));
                }
            }
        }
        next += 1;
    }
    search.everybody_can_end()
}

impl Search {
    fn meet(&mut self, world: World, how: Option<(u32, Step)>) -> u32 {
        let number = self.worlds.len() as u32;
        match self.numbers.entry(world) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(new) => {
                new.insert(number);
                self.worlds.push(world);
                self.reached.push(how);
                number
            }
        }
    }

    fn broken(&self, what: String, mut at: u32, last: Option<Step>) -> Broken {
        let mut trail: Vec<Step> = last.into_iter().collect();
        while let Some((before, step)) = self.reached[at as usize] {
            trail.push(step);
            at = before;
        }
        trail.reverse();
        Broken { what, trail }
    }

    /// From every state a way leads to one where all callers have their answer. Polls may go round in circles, but
    /// never without a way out.
    fn everybody_can_end(&self) -> Result<Explored, Broken> {
        let is_end = |world: &World| world.callers.iter().all(|caller| caller.at == At::Done);
        let mut can_end: Vec<bool> = self.worlds.iter().map(is_end).collect();
        let ends = can_end.iter().filter(|&&end| end).count();
        // Most steps lead to states with higher numbers, so that few rounds from the back are enough.
        let mut changed = true;
        while std::mem::take(&mut changed) {
            for &(before, after) in self.edges.iter().rev() {
                if can_end[after as usize] && !can_end[before as usize] {
                    (can_end[before as usize], changed) = (true, true);
                }
            }
        }
        match can_end.iter().position(|&can| !can) {
            Some(stuck) => {
                let what = format!("somebody waits for ever: {:?}", self.worlds[stuck]);
                Err(self.broken(what, stuck as u32, None))
            }
            None => Ok(Explored { states: self.worlds.len(), steps: self.edges.len(), ends }),
        }
    }
}

/// A quick hash, since these tests run unoptimised.
#[derive(Default)]
struct Fold(u64);

impl Hasher for Fold {
    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 29)
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u8(byte);
        }
    }

    fn write_u8(&mut self, byte: u8) {
        self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(23);
    }

    fn write_isize(&mut self, number: isize) {
        self.write_u8(number as u8);
    }
}
