//! One key, the callers that want it, and what else may happen to it: a state, and the steps out of it.
//!
//! A step is what happens at once: one command on the server, one read of the origin, or what a caller does by itself
//! after a reply. Between any two of a caller's steps anything may happen, which is how replies that are under way are
//! modelled. A caller leads one load at most and is granted one lease at most, so its number names all three.

use std::fmt;

pub type Id = u8;
pub type Version = u8;

/// Room for three callers in each of two processes.
const ROOM: usize = 6;
const PROCESSES: usize = 2;

/// What is explored.
#[derive(Clone, Copy, Debug)]
pub struct Setup {
    /// How many in each process, at most three.
    pub callers: [usize; PROCESSES],
    pub invalidations: u8,
    /// How many leases may run out.
    pub expiries: u8,
    /// How often the server may drop what the key holds.
    pub evictions: u8,
    /// How often a foreign client may write what the origin holds.
    pub foreign_sets: u8,
    pub bug: Option<Bug>,
}

/// What a wrong implementation might do.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Bug {
    FillsWithoutComparing,
    JoinsWithoutComparing,
    HandsOverWhatItFound,
    DeletesValuesOnly,
    TellsItsTokenLate,
    ForgetsFollowers,
}

#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Key {
    Nothing,
    Placeholder(Id),
    Value(Version),
}

/// Where a caller is. From `Asking` on it leads; the token is what its flight shows to those who want to join.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum At {
    Start,
    /// Followed a load that came to nothing.
    Again,
    /// Has seen no value, but perhaps a placeholder.
    Looked(Option<Id>),
    Following(Id),
    Asking(Option<Id>),
    /// What the lease script found; where that was nothing, it left a placeholder of this caller's.
    Asked(Option<Id>, Key),
    Polling(Id),
    Polled(Id, Key),
    Loading,
    Loaded(Version),
    Filled(Version),
    Done,
}

#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Caller {
    pub at: At,
    /// The oldest version it may be answered with.
    owed: Version,
}

#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct World {
    key: Key,
    origin: Version,
    /// The origin's version when the last invalidation returned.
    promised: Version,
    /// Written to the origin, not yet deleted from the cache.
    invalidating: bool,
    invalidations: u8,
    expiries: u8,
    evictions: u8,
    foreign_sets: u8,
    /// The flight that each process has in its table, by its leader.
    table: [Option<Id>; PROCESSES],
    pub callers: [Caller; ROOM],
}

#[derive(Clone, Copy, Debug)]
pub enum Step {
    Caller(Id),
    WriteOrigin,
    Delete,
    Expire,
    Evict,
    ForeignSet,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Step::Caller(id) => write!(f, "caller {id}"),
            Step::WriteOrigin => f.write_str("write to the origin"),
            Step::Delete => f.write_str("delete"),
            Step::Expire => f.write_str("the lease runs out"),
            Step::Evict => f.write_str("eviction"),
            Step::ForeignSet => f.write_str("foreign set"),
        }
    }
}

/// A caller was answered with less than it was owed.
#[derive(Debug)]
pub struct Stale(pub Id, pub Version);

impl World {
    pub fn new(setup: Setup) -> World {
        let exists = |id: usize| id / PROCESSES < setup.callers[id % PROCESSES];
        let at = |id| if exists(id) { At::Start } else { At::Done };
        World {
            key: Key::Nothing,
            origin: 0,
            promised: 0,
            invalidating: false,
            invalidations: setup.invalidations,
            expiries: setup.expiries,
            evictions: setup.evictions,
            foreign_sets: setup.foreign_sets,
            table: [None; PROCESSES],
            callers: std::array::from_fn(|id| Caller { at: at(id), owed: 0 }),
        }
    }

    pub fn steps(self, bug: Option<Bug>) -> impl Iterator<Item = (Step, Result<World, Stale>)> {
        let callers = (0..ROOM as Id).filter_map(move |id| {
            let after = self.caller_step(id, bug)?;
            Some((Step::Caller(id), after))
        });
        callers.chain(self.other_steps(bug).into_iter().map(|(step, world)| (step, Ok(world))))
    }

    /// The version that the key keeps although a newer one was promised.
    pub fn stale_key(&self) -> Option<Version> {
        match self.key {
            Key::Value(version) if version < self.promised => Some(version),
            _ => None,
        }
    }

    /// Of a process's callers that have not begun only the first may begin: they differ by their names alone.
    fn may_begin(&self, id: Id) -> bool {
        let before = (id as usize).checked_sub(PROCESSES);
        before.is_none_or(|before| self.callers[before].at != At::Start)
    }

    /// What this caller does next, if it waits for nobody.
    fn caller_step(mut self, id: Id, bug: Option<Bug>) -> Option<Result<World, Stale>> {
        let at = match self.callers[id as usize].at {
            At::Done | At::Following(_) => return None,
            At::Start if !self.may_begin(id) => return None,
            At::Start => {
                self.callers[id as usize].owed = self.promised;
                return Some(self.look(id));
            }
            At::Again => return Some(self.look(id)),
            At::Looked(seen) => self.board(id, seen, bug),
            At::Asking(token) => At::Asked(token, self.lease_script(id)),
            At::Asked(_, Key::Nothing) => At::Loading,
            At::Asked(_, Key::Placeholder(other)) => At::Polling(other),
            At::Asked(None, Key::Value(found)) if bug != Some(Bug::HandsOverWhatItFound) => {
                return Some(self.land(id, found, None, bug));
            }
            At::Asked(_, Key::Value(found)) => return Some(self.land(id, found, Some(found), bug)),
            At::Polling(token) if self.key == Key::Placeholder(token) => At::Polling(token),
            // Nobody can tell whether the reply has arrived, so that it need not be a step.
            At::Polling(token) if self.key == Key::Nothing => At::Asking(Some(token)),
            At::Polling(token) => At::Polled(token, self.key),
            At::Polled(_, Key::Nothing) => unreachable!("asks at once"),
            At::Polled(_, Key::Placeholder(other)) => At::Polling(other),
            At::Polled(_, Key::Value(seen)) => return Some(self.land(id, seen, Some(seen), bug)),
            At::Loading => At::Loaded(self.origin),
            At::Loaded(version) => self.fill_script(id, version, bug),
            At::Filled(version) => return Some(self.land(id, version, Some(version), bug)),
        };
        self.callers[id as usize].at = at;
        Some(Ok(self))
    }

    fn look(mut self, id: Id) -> Result<World, Stale> {
        let seen = match self.key {
            Key::Value(version) => return self.answer(id, version),
            Key::Placeholder(token) => Some(token),
            Key::Nothing => None,
        };
        self.callers[id as usize].at = At::Looked(seen);
        Ok(self)
    }

    /// Joins the flight of its process, or takes its place in the table.
    fn board(&mut self, id: Id, seen: Option<Id>, bug: Option<Bug>) -> At {
        let table = &mut self.table[id as usize % PROCESSES];
        if let Some(leader) = *table {
            let token = token(leader, self.callers[leader as usize].at, bug);
            if token.is_none() || token == seen || bug == Some(Bug::JoinsWithoutComparing) {
                return At::Following(leader);
            }
        }
        *table = Some(id);
        seen.map_or(At::Asking(None), At::Polling)
    }

    fn lease_script(&mut self, id: Id) -> Key {
        let found = self.key;
        if found == Key::Nothing {
            self.key = Key::Placeholder(id);
        }
        found
    }

    fn fill_script(&mut self, id: Id, version: Version, bug: Option<Bug>) -> At {
        if self.key == Key::Placeholder(id) || bug == Some(Bug::FillsWithoutComparing) {
            self.key = Key::Value(version);
        }
        At::Filled(version)
    }

    /// Ends the flight that `id` leads: it has `own`, its followers have `shared` or look again.
    fn land(
        mut self,
        id: Id,
        own: Version,
        shared: Option<Version>,
        bug: Option<Bug>,
    ) -> Result<World, Stale> {
        let table = &mut self.table[id as usize % PROCESSES];
        *table = table.filter(|&leader| leader != id);
        for follower in 0..ROOM as Id {
            if self.callers[follower as usize].at == At::Following(id) && bug != Some(Bug::ForgetsFollowers) {
                match shared {
                    Some(version) => self = self.answer(follower, version)?,
                    None => self.callers[follower as usize].at = At::Again,
                }
            }
        }
        self.answer(id, own)
    }

    fn answer(mut self, id: Id, version: Version) -> Result<World, Stale> {
        let caller = &mut self.callers[id as usize];
        if version < caller.owed {
            return Err(Stale(id, version));
        }
        // What it was owed is of no more interest: without it fewer states differ.
        *caller = Caller { at: At::Done, owed: 0 };
        Ok(self)
    }

    /// What happens to the key from outside.
    fn other_steps(self, bug: Option<Bug>) -> Vec<(Step, World)> {
        let mut steps = Vec::new();
        let emptied = World { key: Key::Nothing, ..self };
        let is_leased = matches!(self.key, Key::Placeholder(_));
        if self.invalidating {
            let key = if is_leased && bug == Some(Bug::DeletesValuesOnly) { self.key } else { Key::Nothing };
            let deleted = World { key, promised: self.origin, invalidating: false, ..self };
            steps.push((Step::Delete, deleted));
        } else if let Some(invalidations) = self.invalidations.checked_sub(1) {
            let written = World { origin: self.origin + 1, invalidating: true, invalidations, ..self };
            steps.push((Step::WriteOrigin, written));
        }
        if is_leased && let Some(expiries) = self.expiries.checked_sub(1) {
            steps.push((Step::Expire, World { expiries, ..emptied }));
        }
        if self.key != Key::Nothing
            && let Some(evictions) = self.evictions.checked_sub(1)
        {
            steps.push((Step::Evict, World { evictions, ..emptied }));
        }
        if let Some(foreign_sets) = self.foreign_sets.checked_sub(1) {
            steps.push((Step::ForeignSet, World { key: Key::Value(self.origin), foreign_sets, ..self }));
        }
        steps
    }
}

/// What the flight of this leader shows to those who want to join. None before its loader may have begun.
fn token(leader: Id, at: At, bug: Option<Bug>) -> Option<Id> {
    match at {
        At::Asking(token) | At::Asked(token, _) => token,
        At::Polling(token) | At::Polled(token, _) => Some(token),
        At::Loading | At::Loaded(_) if bug == Some(Bug::TellsItsTokenLate) => None,
        At::Loading | At::Loaded(_) | At::Filled(_) => Some(leader),
        at => unreachable!("{at:?} leads nothing"),
    }
}
