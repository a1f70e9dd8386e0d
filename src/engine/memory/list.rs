//! A queue of entries, linked through their slots.

use super::slab::Slab;
use super::slot::{Links, Place};

/// From the newest entry to the oldest.
#[derive(Default)]
pub(super) struct List {
    newest: Option<Place>,
    oldest: Option<Place>,
    len: usize,
}

impl List {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn oldest(&self) -> Option<Place> {
        self.oldest
    }

    /// Takes in an entry that is in no list.
    pub(super) fn push(&mut self, slab: &mut Slab, place: Place, mut links: Links) {
        links.set_older(self.newest);
        if let Some(held) = slab.links_mut(place) {
            *held = links;
        }
        match self.newest.replace(place) {
            Some(newest) => {
                if let Some(links) = slab.links_mut(newest) {
                    links.set_newer(Some(place));
                }
            }
            None => self.oldest = Some(place),
        }
        self.len += 1;
    }

    /// Takes out an entry that is in this list.
    pub(super) fn unlink(&mut self, slab: &mut Slab, place: Place) {
        let Some(links) = slab.links_mut(place) else { return };
        let (newer, older) = (links.newer(), links.older());
        match newer.and_then(|newer| slab.links_mut(newer)) {
            Some(links) => links.set_older(older),
            None => self.newest = older,
        }
        match older.and_then(|older| slab.links_mut(older)) {
            Some(links) => links.set_newer(newer),
            None => self.oldest = newer,
        }
        self.len -= 1;
    }
}
