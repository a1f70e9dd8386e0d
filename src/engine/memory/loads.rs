//! The loads in flight of a shard's keys, and who may fill each key.
//!
//! They lie under the lock of the values, so that a miss becomes a load, and a loaded value becomes an entry, in one
//! step each: a write or removal comes before or after it, and voids the right to fill.

use std::sync::Arc;

use super::super::flight::Flight;
use super::slot::HashedKey;
use super::underway::Underway;
use crate::entry::Version;
use crate::key::KeyText;

#[derive(Default)]
pub(super) struct Loads {
    current: Underway,
    /// Followers of lone leaders that the table no longer lists.
    cut_off: Vec<(u64, Arc<Flight>)>,
}

/// What is under way for one key. Nothing of it is left once there is neither a leader nor a lease.
pub(super) struct Load {
    key: KeyText,
    pub(super) hash: u64,
    /// The number of the caller that leads; zero while others may lead.
    leader: u64,
    /// The number of the lease by which the key may be filled; zero while nobody has one.
    lease: u64,
    /// Whom followers wait for. A lone leader has none before the first follower comes.
    flight: Option<Arc<Flight>>,
    /// Whether the leader has to be handed the flight when it lands.
    lone: bool,
}

/// How a caller takes part in a load.
pub(super) enum Seat {
    Lead(Arc<Flight>),
    Follow(Arc<Flight>),
    Outdated(Arc<Flight>),
}

/// What a lone leader finds when it lands.
pub(super) struct Landed {
    /// Whether nothing has voided the right to fill the key.
    pub(super) may_fill: bool,
    /// Those who have come to wait.
    pub(super) flight: Option<Arc<Flight>>,
}

impl Loads {
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.current.is_empty()
    }

    /// Joins the load of this key, or begins it.
    pub(super) fn board(&mut self, key: &HashedKey<'_>, number: u64, shown: Option<&Version>) -> Seat {
        let load = self.current.at(key);
        if load.leader == 0 {
            let flight = Arc::new(Flight::new());
            (load.leader, load.flight, load.lone) = (number, Some(Arc::clone(&flight)), false);
            return Seat::Lead(flight);
        }
        // A lone leader's load is one of this process, which any write cuts off.
        let flight = load.flight.get_or_insert_with(|| Arc::new(Flight::local()));
        let flight = Arc::clone(flight);
        if flight.serves(shown) { Seat::Follow(flight) } else { Seat::Outdated(flight) }
    }

    /// Begins a load together with the right to fill the key, unless somebody leads one already.
    #[inline]
    pub(super) fn lead_alone(&mut self, key: &HashedKey<'_>, kept: &KeyText, number: u64) -> bool {
        if self.current.is_empty() {
            let load = Load::new(key, kept.clone());
            self.current.begin(Load { leader: number, lease: number, lone: true, ..load });
            return true;
        }
        let load = self.current.at(key);
        let vacant = load.leader == 0;
        if vacant {
            (load.leader, load.lease, load.flight, load.lone) = (number, number, None, true);
        }
        vacant
    }

    /// Ends a load that was led alone.
    #[inline]
    pub(super) fn land(&mut self, key: &HashedKey<'_>, leader: u64) -> Landed {
        match self.current.take_first_if(|load| load.leader == leader) {
            Some(load) => load.landed(),
            None => self.land_among(key, leader),
        }
    }

    #[inline(never)]
    fn land_among(&mut self, key: &HashedKey<'_>, leader: u64) -> Landed {
        match self.current.find(key) {
            Some(load) if load.leader == leader => {
                self.current.remove(key).map_or(Landed { may_fill: false, flight: None }, Load::landed)
            }
            // It took too long for its followers, and is still the last that was begun.
            Some(load) if load.lease == leader => {
                self.spend(key, leader);
                Landed { may_fill: true, flight: self.cut_off(leader) }
            }
            _ => Landed { may_fill: false, flight: self.cut_off(leader) },
        }
    }

    fn cut_off(&mut self, leader: u64) -> Option<Arc<Flight>> {
        let position = self.cut_off.iter().position(|(number, _)| *number == leader)?;
        Some(self.cut_off.swap_remove(position).1)
    }

    /// Takes the right to fill the key; whoever had it before has it no more.
    pub(super) fn lease(&mut self, key: &HashedKey<'_>, number: u64) {
        self.current.at(key).lease = number;
    }

    /// Whether nothing has voided the lease.
    pub(super) fn is_good(&mut self, key: &HashedKey<'_>, lease: u64) -> bool {
        self.current.find(key).is_some_and(|load| load.lease == lease)
    }

    /// Uses a lease up, or gives it back.
    pub(super) fn spend(&mut self, key: &HashedKey<'_>, lease: u64) {
        let Some(load) = self.current.find(key).filter(|load| load.lease == lease) else { return };
        load.lease = 0;
        if load.leader == 0 {
            self.current.remove(key);
        }
    }

    /// Lets whoever comes later begin a load of their own; the right to fill stays until somebody does.
    pub(super) fn strike(&mut self, key: &HashedKey<'_>, flight: &Arc<Flight>) {
        let is_meant = |load: &Load| load.flight.as_ref().is_some_and(|held| Arc::ptr_eq(held, flight));
        let Some(load) = self.current.find(key).filter(|load| is_meant(load)) else { return };
        let followers = load.lone.then(|| load.flight.take()).flatten();
        let leader = std::mem::take(&mut load.leader);
        load.flight = None;
        if load.lease == 0 {
            self.current.remove(key);
        }
        self.cut_off.extend(followers.map(|flight| (leader, flight)));
    }

    /// The key was written or removed: nobody who loads it may fill it, nor be joined.
    #[inline]
    pub(super) fn void(&mut self, key: &HashedKey<'_>) {
        if !self.is_empty()
            && let Some(load) = self.current.remove(key)
        {
            self.keep_followers(load);
        }
    }

    /// [`void`](Loads::void) for all keys that are meant.
    pub(super) fn void_all(&mut self, meant: impl Fn(&str) -> bool) {
        self.current
            .remove_all(|load| meant(load.key.as_str()))
            .into_iter()
            .for_each(|load| self.keep_followers(load));
    }

    /// A lone leader that the table no longer lists still has to find who waits for it.
    fn keep_followers(&mut self, load: Load) {
        if let (true, Some(flight)) = (load.lone, load.flight) {
            self.cut_off.push((load.leader, flight));
        }
    }
}

impl Load {
    #[inline]
    pub(super) fn new(key: &HashedKey<'_>, kept: KeyText) -> Load {
        Load { key: kept, hash: key.hash, leader: 0, lease: 0, flight: None, lone: false }
    }

    /// What its leader finds.
    #[inline]
    fn landed(self) -> Landed {
        Landed { may_fill: self.lease == self.leader, flight: self.flight }
    }

    #[inline]
    pub(super) fn is_of(&self, key: &HashedKey<'_>) -> bool {
        self.hash == key.hash && self.key.is(&key.key)
    }
}

#[cfg(test)]
impl Load {
    pub(super) fn number(&self) -> u64 {
        self.leader
    }

    pub(super) fn set_number(&mut self, number: u64) {
        self.leader = number;
    }
}
