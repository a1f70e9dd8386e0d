//! What one pass over a type teaches the next.
//!
//! A position is where in the type something was asked, as a hash of the steps that lead there.

use std::collections::{HashMap, HashSet};

/// A name and its fields or variants: what serde tells two types apart by.
pub(super) type Named = (&'static str, &'static [&'static str]);

#[derive(Default)]
pub(super) struct Memory {
    choices: HashMap<u64, usize>,
    dead: HashSet<(u64, usize)>,
    enums: HashMap<u64, Vec<Variant>>,
    leaves: HashMap<Named, usize>,
    /// Whether anything was learnt since this was last asked.
    progress: bool,
}

/// What is known of one variant at one position.
#[derive(Clone, Copy, Default)]
struct Variant {
    tries: usize,
    seen: bool,
}

impl Variant {
    fn is_open(self) -> bool {
        !self.seen && self.tries < TRIES
    }
}

/// How often a variant is entered that fails and still has something new to show.
const TRIES: usize = 16;

impl Memory {
    /// Which dummy to offer here.
    pub(super) fn choice(&self, position: u64) -> usize {
        self.choices.get(&position).copied().unwrap_or_default()
    }

    /// Offers the next of `count` dummies here from now on; `false` if there is none.
    pub(super) fn choose_next(&mut self, position: u64, count: usize) -> bool {
        let choice = self.choices.entry(position).or_default();
        let more = *choice + 1 < count;
        *choice += usize::from(more);
        self.progress |= more;
        more
    }

    /// Leaves this field out from now on, because nothing it is offered will do.
    pub(super) fn bury(&mut self, position: u64, field: usize) {
        self.progress |= self.dead.insert((position, field));
    }

    pub(super) fn is_dead(&self, position: u64, field: usize) -> bool {
        self.dead.contains(&(position, field))
    }

    /// The variant to enter here: one that has not been seen, then the one least often entered.
    pub(super) fn enter_variant(&mut self, position: u64, count: usize) -> usize {
        let variants = self.variants(position, count);
        let order = |&index: &usize| (!variants[index].is_open(), variants[index].tries, index);
        let index = (0..count).min_by_key(order).unwrap_or_default();
        let open = variants[index].is_open();
        variants[index].tries += 1;
        self.progress |= open;
        index
    }

    /// Says that this variant has nothing new to show.
    pub(super) fn close_variant(&mut self, position: u64, count: usize, index: usize) {
        self.variants(position, count)[index].seen = true;
    }

    pub(super) fn has_open_variants(&mut self, position: u64, count: usize) -> bool {
        self.variants(position, count).iter().any(|variant| variant.is_open())
    }

    /// Whether any enum anywhere has one.
    pub(super) fn has_more(&self) -> bool {
        self.enums.values().flatten().any(|variant| variant.is_open())
    }

    /// A variant that is known to end, for enums that have been entered too often to go on.
    pub(super) fn leaf(&self, named: Named) -> Option<usize> {
        self.leaves.get(&named).copied()
    }

    /// The first one stays: what it contains ended before it did, so following leaves always ends.
    pub(super) fn set_leaf(&mut self, named: Named, index: usize) {
        self.leaves.entry(named).or_insert(index);
    }

    pub(super) fn take_progress(&mut self) -> bool {
        std::mem::take(&mut self.progress)
    }

    /// At least `count` of them.
    fn variants(&mut self, position: u64, count: usize) -> &mut [Variant] {
        let variants = self.enums.entry(position).or_default();
        if variants.len() < count {
            variants.resize(count, Variant::default());
        }
        variants
    }
}
