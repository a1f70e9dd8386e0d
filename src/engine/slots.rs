//! Which node of a cluster has which slot.

use std::ops::RangeInclusive;

/// Slots and their nodes. A slot that nobody has is somebody's later, or never.
pub(crate) struct Slots<N> {
    /// By slot, the place of its node among the nodes.
    owners: Vec<Option<u16>>,
    nodes: Vec<N>,
}

impl<N: Eq> Slots<N> {
    /// So many slots that nobody has.
    pub(crate) fn new(count: u16) -> Slots<N> {
        Slots { owners: vec![None; usize::from(count)], nodes: Vec::new() }
    }

    /// Gives these slots to this node, whoever had them.
    pub(crate) fn give(&mut self, slots: RangeInclusive<u16>, node: N) {
        let known = self.nodes.iter().position(|one| *one == node);
        let place = known.unwrap_or_else(|| {
            self.nodes.push(node);
            self.nodes.len() - 1
        });
        // Redirections to ever new nodes could go on for ever; a new map ends them.
        let Ok(place) = u16::try_from(place) else { return };
        for slot in slots {
            if let Some(owner) = self.owners.get_mut(usize::from(slot)) {
                *owner = Some(place);
            }
        }
    }

    pub(crate) fn owner(&self, slot: u16) -> Option<&N> {
        self.nodes.get(self.place(slot)?)
    }

    /// A number that is the same for slots of one node.
    pub(crate) fn place(&self, slot: u16) -> Option<usize> {
        self.owners.get(usize::from(slot)).copied().flatten().map(usize::from)
    }

    /// All that have slots, or had some.
    pub(crate) fn nodes(&self) -> &[N] {
        &self.nodes
    }

    /// How many slots nobody has.
    pub(crate) fn orphans(&self) -> usize {
        self.owners.iter().filter(|owner| owner.is_none()).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_belong_to_whom_they_were_last_given() {
        let mut slots = Slots::new(10);
        assert_eq!((slots.owner(0), slots.orphans()), (None, 10));
        slots.give(0..=4, "a");
        slots.give(5..=8, "b");
        assert_eq!((slots.owner(4), slots.owner(5), slots.owner(9)), (Some(&"a"), Some(&"b"), None));
        slots.give(4..=4, "b");
        slots.give(0..=0, "c");
        assert_eq!((slots.owner(4), slots.owner(0), slots.owner(1)), (Some(&"b"), Some(&"c"), Some(&"a")));
        assert_eq!((slots.nodes(), slots.orphans()), (&["a", "b", "c"][..], 1));
        assert!(slots.place(4) == slots.place(5) && slots.place(4) != slots.place(1));
    }

    #[test]
    fn slots_beyond_the_last_are_nobodys() {
        let mut slots = Slots::new(2);
        slots.give(1..=u16::MAX, "a");
        assert_eq!((slots.owner(1), slots.owner(2), slots.owner(u16::MAX)), (Some(&"a"), None, None));
    }
}
