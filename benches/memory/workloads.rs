//! What is asked of a cache, turn by turn.

use std::borrow::Borrow;
use std::hint::black_box;

use super::draws::Draws;
use crate::support::{Blob, Kind, Peer};

pub trait Workload<T: Kind>: Sync {
    /// One call, and how many turns to leave out after it.
    fn turn<P: Peer<T>>(&self, peer: &P, turn: usize) -> usize;
}

pub struct Get<'a>(pub &'a Draws);

impl<T: Kind> Workload<T> for Get<'_> {
    fn turn<P: Peer<T>>(&self, peer: &P, turn: usize) -> usize {
        black_box(peer.get(self.0.at(turn)));
        0
    }
}

/// One write to nine reads.
pub struct Mix<'a>(pub &'a Draws);

impl Workload<Blob> for Mix<'_> {
    fn turn<P: Peer<Blob>>(&self, peer: &P, turn: usize) -> usize {
        if turn.is_multiple_of(10) {
            peer.set(self.0.at(turn), &Blob::new(turn));
        } else {
            black_box(peer.get(self.0.at(turn)));
        }
        0
    }
}

pub struct GetOrInsert<'a>(pub &'a Draws);

impl Workload<Blob> for GetOrInsert<'_> {
    fn turn<P: Peer<Blob>>(&self, peer: &P, turn: usize) -> usize {
        peer.get_or_insert(self.0.at(turn), || Blob::new(turn), |blob| _ = black_box(blob.zero()));
        0
    }
}

/// Which key is next is known only once the value has been read.
pub struct Dependent<'a>(pub &'a Draws);

impl Workload<Blob> for Dependent<'_> {
    fn turn<P: Peer<Blob>>(&self, peer: &P, turn: usize) -> usize {
        peer.get(self.0.at(turn)).map_or(0, |kept| Borrow::<Blob>::borrow(&kept).zero())
    }
}
