//! Keys in the order they are asked for, made before anything is measured.

use crate::support::{Random, Zipf, name};

pub struct Draws {
    keys: Vec<String>,
}

impl Draws {
    pub fn zipf(keys: usize, least: usize) -> Draws {
        let zipf = Zipf::new(keys, 0.99);
        Draws::new(least, |random| zipf.draw(random))
    }

    pub fn uniform(keys: usize, least: usize) -> Draws {
        Draws::new(least, |random| random.below(keys))
    }

    fn new(least: usize, mut draw: impl FnMut(&mut Random) -> usize) -> Draws {
        let mut random = Random::new(1);
        Draws { keys: (0..least.next_power_of_two()).map(|_| name(draw(&mut random))).collect() }
    }

    /// Begins anew after the last.
    pub fn at(&self, turn: usize) -> &String {
        // Their number is a power of two.
        &self.keys[turn & (self.keys.len() - 1)]
    }

    pub fn each(&self) -> impl Iterator<Item = &String> {
        self.keys.iter()
    }
}
