//! Leases: taking them, and writing or removing under them.
//!
//! A namespace without generations takes a lease by the same command that looks. One with generations looks
//! first and then writes the lease over what does not count, with flags that tell its generation: so a `clear` voids
//! it, and others see that it does.

use super::super::bytes::again;
use super::access::{Group, Place, unix_now};
use super::{Remote, maybe_async, rt};

use std::time::Duration;

use memcache::exp::MetaCommand;

use crate::deadline::Deadline;
use crate::entry::{Ask, Lease, Lookup};
use crate::error::Result;
use crate::wire::memcached::{self as wire, Mode, Request, Token, Want};

/// A lease that something is to be done under.
pub(super) struct Held {
    position: usize,
    place: Place,
    token: Token,
    /// The CAS that its item has now, as far as is known: renewing changes it.
    cas: u64,
}

impl Held {
    pub(super) fn new(position: usize, place: Place, token: Token) -> Held {
        Held { position, place, token, cas: token.cas }
    }
}

impl Group {
    /// The places whose lease has a token.
    pub(super) fn held(self, token: impl Fn(usize) -> Option<Token>) -> Vec<Held> {
        let held = |(position, place)| token(position).map(|token| Held::new(position, place, token));
        self.positions.into_iter().zip(self.places).filter_map(held).collect()
    }
}

/// What is to be done under leases.
pub(super) enum Act<'a> {
    /// Store, by position, with its expiry.
    Fill(&'a [(&'a [u8], u32)]),
    Abandon,
}

impl Act<'_> {
    fn command(&self, held: &Held) -> Result<MetaCommand> {
        match self {
            Act::Abandon => wire::delete(&held.place.key, Some(held.cas)),
            // In the generation of the lease: a value that comes after a `clear` is one of those it removed.
            Act::Fill(values) => {
                let ((bytes, expiry), mode) = (values[held.position], Mode::Unchanged(held.cas));
                wire::set(&held.place.key, bytes, held.token.generation, expiry, mode)
            }
        }
    }
}

#[maybe_async]
impl Remote {
    /// One answer per place of one server.
    pub(super) async fn look(&self, places: &[Place], ask: Ask, deadline: Deadline) -> Result<Vec<Lookup>> {
        let places: Vec<&Place> = places.iter().collect();
        let seen = self.access.see_all(&places, Want::Value, deadline).await?;
        Ok(seen.into_iter().map(|seen| seen.lookup(ask)).collect())
    }

    /// Takes leases whether or not who asked is still there to have them: one whose CAS nobody has heard would be waited
    /// for until its end. Then they are given back, as are those of other servers if one fails.
    pub(super) async fn take_leases(
        &self,
        groups: Vec<Group>,
        hold: Duration,
        deadline: Deadline,
    ) -> Result<Vec<(usize, Lookup)>> {
        let (taking, giving_back) = (self.clone(), self.clone());
        let take = move || async move {
            let (mut taken, mut failure) = (Vec::new(), None);
            for group in groups {
                let places: Vec<&Place> = group.places.iter().collect();
                match taking.look_and_lease(&places, hold, deadline).await {
                    Ok(seen) => taken.push((group, seen)),
                    Err(error) => {
                        failure = Some(error);
                        break;
                    }
                }
            }
            match failure {
                Some(error) => {
                    // Beside the caller, whose time may be over.
                    rt::detach(move || async move { taking.give_back(taken).await });
                    Err(error)
                }
                None => Ok(taken),
            }
        };
        let give_back = move |taken: Result<Vec<(Group, Vec<Lookup>)>>| async move {
            giving_back.give_back(taken.unwrap_or_default()).await;
        };
        let taken = rt::whole(take, give_back).await??;
        Ok(taken.into_iter().flat_map(|(group, seen)| group.positions.into_iter().zip(seen)).collect())
    }

    async fn look_and_lease(
        &self,
        places: &[&Place],
        hold: Duration,
        deadline: Deadline,
    ) -> Result<Vec<Lookup>> {
        if self.clearable() {
            return self.look_or_lease(places, hold, deadline).await;
        }
        let want = Want::Lease(wire::hold_expiry(hold, unix_now())?);
        let seen = self.access.see_all(places, want, deadline).await?;
        Ok(seen.into_iter().map(|seen| seen.lookup(Ask::Lease(hold))).collect())
    }

    /// Nobody is left to be told of a failure; the leases end by themselves.
    async fn give_back(&self, taken: Vec<(Group, Vec<Lookup>)>) {
        let held = |((position, place), seen)| match seen {
            Lookup::Lease(lease) => token(&lease).map(|token| Held::new(position, place, token)),
            _ => None,
        };
        for (Group { positions, places }, seen) in taken {
            let held: Vec<_> = positions.into_iter().zip(places).zip(seen).filter_map(held).collect();
            let _ = self.settle(held, &Act::Abandon, Deadline::after(PATIENCE)).await;
        }
    }

    /// Looks, and writes leases where nothing counts; where another was faster, again.
    async fn look_or_lease(
        &self,
        places: &[&Place],
        hold: Duration,
        deadline: Deadline,
    ) -> Result<Vec<Lookup>> {
        let expiry = wire::hold_expiry(hold, unix_now())?;
        let mut answers = vec![Lookup::Absent; places.len()];
        let mut open: Vec<usize> = (0..places.len()).collect();
        loop {
            let asked: Vec<&Place> = open.iter().map(|position| places[*position]).collect();
            let seen = self.access.see_all(&asked, Want::Value, deadline).await?;
            let (mut free, mut commands) = (Vec::new(), Vec::new());
            for (position, seen) in open.drain(..).zip(seen) {
                let (mode, generation) = (seen.unchanged(), seen.flags());
                answers[position] = seen.lookup(Ask::Age);
                if answers[position] == Lookup::Absent {
                    commands.push(wire::lease(&places[position].key, b"", generation, expiry, mode)?);
                    free.push((position, generation));
                }
            }
            let Some((first, _)) = free.first() else { return Ok(answers) };
            let server = places[*first].server;
            let replies = self.access.exchange(server, &Request::write(commands), deadline).await?;
            for ((position, generation), reply) in free.into_iter().zip(replies) {
                match wire::read_cas(reply)? {
                    Some(cas) => answers[position] = wire::granted(Token { cas, generation }),
                    None => open.push(position),
                }
            }
            if open.is_empty() {
                return Ok(answers);
            }
            again(deadline).await?;
        }
    }

    /// Does something under each of these leases, which lie on one server, and tells the positions of those that
    /// were good. One round trip, and more only for leases that were renewed or lost.
    pub(super) async fn settle(
        &self,
        mut group: Vec<Held>,
        act: &Act<'_>,
        deadline: Deadline,
    ) -> Result<Vec<usize>> {
        let mut done = Vec::with_capacity(group.len());
        while !group.is_empty() {
            let lost = self.settle_once(group, act, &mut done, deadline).await?;
            group = self.still_held(lost, deadline).await?;
            if !group.is_empty() {
                again(deadline).await?;
            }
        }
        Ok(done)
    }

    /// Tells those whose item has another CAS by now.
    async fn settle_once(
        &self,
        group: Vec<Held>,
        act: &Act<'_>,
        done: &mut Vec<usize>,
        deadline: Deadline,
    ) -> Result<Vec<Held>> {
        let mut commands = group.iter().map(|held| act.command(held)).collect::<Result<Vec<_>>>()?;
        let place = &group[0].place;
        commands.extend(self.access.generation(place)?);
        let request = Request::write(commands);
        let mut replies = self.access.exchange(place.server, &request, deadline).await?;
        let generation = self.access.note_last(place, &mut replies, group.len())?;
        let mut lost = Vec::new();
        for (held, reply) in group.into_iter().zip(replies) {
            match wire::read_done(reply)? {
                false => lost.push(held),
                true if generation.is_none_or(|now| now == held.token.generation) => done.push(held.position),
                true => {}
            }
        }
        Ok(lost)
    }

    /// Those of these leases that are still there, with the CAS that they have now.
    async fn still_held(&self, lost: Vec<Held>, deadline: Deadline) -> Result<Vec<Held>> {
        let places: Vec<&Place> = lost.iter().map(|held| &held.place).collect();
        let seen = self.access.see_all(&places, Want::Value, deadline).await?;
        let still = |(held, seen): (Held, wire::Seen)| match seen.lease() {
            Some((token, cas)) if token == held.token => Some(Held { cas, ..held }),
            _ => None,
        };
        Ok(lost.into_iter().zip(seen).filter_map(still).collect())
    }

    /// Writes the lease again, with its first CAS in the body, so that it is still known by its token.
    pub(super) async fn hold_on(
        &self,
        place: &Place,
        token: Token,
        hold: Duration,
        deadline: Deadline,
    ) -> Result<bool> {
        let expiry = wire::hold_expiry(hold, unix_now())?;
        loop {
            let seen = self.access.see(place, Want::Value, deadline).await?;
            let Some((_, cas)) = seen.lease().filter(|(standing, _)| *standing == token) else {
                return Ok(false);
            };
            let mode = Mode::Unchanged(cas);
            let renewed = wire::lease(&place.key, &token.body(), token.generation, expiry, mode)?;
            let reply = self.access.ask(place.server, Request::write(vec![renewed]), deadline).await?;
            if wire::read_cas(reply)?.is_some() {
                return Ok(true);
            }
            again(deadline).await?;
        }
    }
}

const PATIENCE: Duration = Duration::from_secs(1);

/// The token of a lease of ours.
pub(super) fn token(lease: &Lease) -> Option<Token> {
    lease.token.as_ref().and_then(Token::of)
}
