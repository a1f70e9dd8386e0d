//! Reading and writing single items, with the namespace's generation where it has one.

use super::super::bytes::again;
use super::{maybe_async, rt};

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use memcache::exp::MetaCommand;

use crate::deadline::Deadline;
use crate::engine::rendezvous::Rendezvous;
use crate::error::{Error, ErrorKind, Result};
use crate::handle::memcached::{Memcached, Settings};
use crate::key::{Key, Prefix};
// Only the start of a namespace's generations and long lifetimes are told in wall-clock time.
pub(super) use crate::now::unix_now;
use crate::wire::memcached::{self as wire, Mode, Reply, Request, Seen, Want, WireKey};

/// The servers, and the generations last seen on them.
pub(super) struct Access {
    handle: Memcached,
    rendezvous: Rendezvous,
    guards: Vec<rt::Guard>,
    link: Arc<rt::memcached::Link>,
    /// Only saves a round trip: every write brings the current generation back and is repeated if it differs.
    generations: Mutex<HashMap<(usize, WireKey), u32>>,
}

/// Where a key lives.
pub(super) struct Place {
    pub(super) server: usize,
    pub(super) key: WireKey,
    /// Where its namespace's generation lives, on the same server, if the namespace can be cleared.
    generation: Option<WireKey>,
    stale_for: Duration,
}

/// Places on one server, in one namespace, and where each stood in what was asked.
pub(super) struct Group {
    pub(super) positions: Vec<usize>,
    pub(super) places: Vec<Place>,
}

impl Group {
    /// Each place with its position.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&Place, usize)> {
        self.places.iter().zip(self.positions.iter().copied())
    }
}

impl Access {
    pub(super) fn new(handle: Memcached) -> Access {
        let link = handle.shared.links.link(|| rt::memcached::Link::new(&handle.shared.settings));
        let Settings { servers, breaker, .. } = &handle.shared.settings;
        let guard = |server: &String| rt::Guard::new(&format!("memcached://{server}"), *breaker);
        Access {
            rendezvous: Rendezvous::new(servers),
            guards: servers.iter().map(guard).collect(),
            handle,
            link,
            generations: Mutex::default(),
        }
    }

    pub(super) fn settings(&self) -> &Settings {
        &self.handle.shared.settings
    }

    /// Every process that names the servers alike agrees, in whatever order it names them.
    pub(super) fn place(&self, key: &Key<'_>) -> Place {
        let wire = wire::wire_key(key);
        let generation = self.settings().clearable.then(|| wire::generation_key(key.prefix()));
        Place {
            server: self.rendezvous.route(wire.as_bytes()),
            key: wire,
            generation,
            stale_for: key.stale_for(),
        }
    }

    /// Keys by the server they live on, so that each server is asked once.
    pub(super) fn groups<'a>(&self, keys: impl IntoIterator<Item = &'a Key<'a>>) -> Vec<Group> {
        let mut groups: BTreeMap<usize, Group> = BTreeMap::new();
        for (position, key) in keys.into_iter().enumerate() {
            let place = self.place(key);
            let empty = || Group { positions: Vec::new(), places: Vec::new() };
            let group = groups.entry(place.server).or_insert_with(empty);
            group.positions.push(position);
            group.places.push(place);
        }
        groups.into_values().collect()
    }

    /// # Errors
    /// `TooLarge` before anything is sent: a server that refuses a value drops the old one as well.
    pub(super) fn check_size(&self, place: &Place, bytes: &[u8]) -> Result<()> {
        let limit = self.settings().max_value_size.saturating_sub(ITEM_OVERHEAD + place.key.len());
        if bytes.len() <= limit {
            return Ok(());
        }
        let text = format!(
            "the encoded value has {} bytes and memcached takes {limit}; nothing was sent. \
             Compress it, split it, or raise max_value_size with the servers' -I",
            bytes.len()
        );
        Err(Error::new(ErrorKind::TooLarge, text))
    }

    pub(super) fn remembered(&self, place: &Place) -> u32 {
        let Some(key) = &place.generation else { return 0 };
        self.lock().get(&(place.server, key.clone())).copied().unwrap_or_default()
    }

    /// The command that brings the place's generation along, if it has one.
    pub(super) fn generation(&self, place: &Place) -> Result<Option<MetaCommand>> {
        place.generation.as_ref().map(|key| wire::generation(key, unix_now())).transpose()
    }

    /// Takes note of a generation that was brought along.
    fn note(&self, place: &Place, reply: Reply) -> Result<u32> {
        let sum = wire::read_sum(reply)?.ok_or_else(wire::no_reply)?;
        // Flags have 32 bits; generations begin at Unix time and grow by one, so they do not wrap before 2106.
        let generation = sum as u32;
        if let Some(key) = &place.generation {
            self.lock().insert((place.server, key.clone()), generation);
        }
        Ok(generation)
    }

    /// What the reply to a read shows, in a namespace without generations.
    pub(super) fn seen(&self, place: &Place, reply: Reply) -> Result<Seen> {
        Ok(Seen::new(wire::read_item(reply)?, None, place.stale_for))
    }

    /// Takes the generation off the end of the replies, if it was brought along with so many of them.
    pub(super) fn note_last(
        &self,
        place: &Place,
        replies: &mut Vec<Reply>,
        others: usize,
    ) -> Result<Option<u32>> {
        match replies.len() > others {
            true => replies.pop().map(|reply| self.note(place, reply)).transpose(),
            false => Ok(None),
        }
    }

    /// Replaced entry by entry, so a poisoned lock guards a whole map.
    fn lock(&self) -> MutexGuard<'_, HashMap<(usize, WireKey), u32>> {
        self.generations.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[maybe_async]
impl Access {
    pub(super) async fn exchange(
        &self,
        server: usize,
        request: &Request,
        deadline: Deadline,
    ) -> Result<Vec<Reply>> {
        let trial = self.guards[server].admit(deadline)?;
        let answer = self.link.exchange(server, request, trial.is_probe(), deadline).await;
        trial.end(answer, request.repeatable)
    }

    /// One command, one reply.
    pub(super) async fn ask(&self, server: usize, request: Request, deadline: Deadline) -> Result<Reply> {
        let replies = self.exchange(server, &request, deadline).await?;
        replies.into_iter().next_back().ok_or_else(wire::no_reply)
    }

    /// Two commands, two replies.
    pub(super) async fn ask_two(
        &self,
        server: usize,
        request: &Request,
        deadline: Deadline,
    ) -> Result<[Reply; 2]> {
        let replies = self.exchange(server, request, deadline).await?;
        replies.try_into().map_err(|_| wire::no_reply())
    }

    /// Reads an item and its generation in one round trip.
    pub(super) async fn see(&self, place: &Place, want: Want, deadline: Deadline) -> Result<Seen> {
        self.see_all(&[place], want, deadline).await?.pop().ok_or_else(wire::no_reply)
    }

    /// Reads items of one server and their generation in one round trip.
    pub(super) async fn see_all(
        &self,
        places: &[&Place],
        want: Want,
        deadline: Deadline,
    ) -> Result<Vec<Seen>> {
        let Some(first) = places.first() else { return Ok(Vec::new()) };
        let get = |place: &&Place| wire::get(&place.key, want);
        let mut commands = places.iter().map(get).collect::<Result<Vec<_>>>()?;
        commands.extend(self.generation(first)?);
        let mut replies = self.exchange(first.server, &Request::read(commands), deadline).await?;
        let generation = self.note_last(first, &mut replies, places.len())?;
        let seen = |(place, reply): (&&Place, Reply)| {
            Ok(Seen::new(wire::read_item(reply)?, generation, place.stale_for))
        };
        places.iter().zip(replies).map(seen).collect()
    }

    /// Writes one item; says whether it was stored.
    pub(super) async fn put(
        &self,
        place: &Place,
        bytes: &[u8],
        flags: u32,
        expiry: u32,
        mode: Mode,
        deadline: Deadline,
    ) -> Result<bool> {
        let set = wire::set(&place.key, bytes, flags, expiry, mode)?;
        wire::read_done(self.ask(place.server, Request::write(vec![set]), deadline).await?)
    }

    /// Removes an item if it has this CAS.
    pub(super) async fn delete(&self, place: &Place, cas: u64, deadline: Deadline) -> Result<bool> {
        let delete = Request::write(vec![wire::delete(&place.key, Some(cas))?]);
        wire::read_done(self.ask(place.server, delete, deadline).await?)
    }

    /// Writes items of one server whatever is there, in one round trip; in another if the generation is not
    /// the one that was remembered.
    pub(super) async fn put_all(
        &self,
        items: &[(&Place, &[u8])],
        expiry: u32,
        deadline: Deadline,
    ) -> Result<()> {
        let Some((first, _)) = items.first() else { return Ok(()) };
        let mut written = false;
        loop {
            let flags = self.remembered(first);
            let set =
                |(place, bytes): &(&Place, &[u8])| wire::set(&place.key, bytes, flags, expiry, Mode::Always);
            let mut commands = items.iter().map(set).collect::<Result<Vec<_>>>()?;
            commands.extend(self.generation(first)?);
            let replies = self.exchange(first.server, &Request::write(commands), deadline).await;
            let mut replies = replies.map_err(|error| error.after_partial(written))?;
            let current = self.note_last(first, &mut replies, items.len())?.unwrap_or(flags);
            replies.into_iter().try_for_each(|reply| wire::read_done(reply).map(drop))?;
            if current == flags {
                return Ok(());
            }
            // Written in a generation that is over: nobody sees it, nor what it replaced.
            written = true;
            again(deadline).await?;
        }
    }

    /// Begins the next generation of a namespace on every server. One that fails does not keep the others from being
    /// told, and takes no more than its share of the time.
    pub(super) async fn next_generation(&self, prefix: &Prefix, deadline: Deadline) -> Result<()> {
        let key = wire::generation_key(prefix.as_str());
        let (servers, mut raised, mut outcome) = (self.settings().servers.len(), false, Ok(()));
        for server in 0..servers {
            let raise = Request::write(vec![wire::next_generation(&key, unix_now())?]);
            let reply = self.ask(server, raise, deadline.share(servers - server)).await;
            let sum = reply.and_then(wire::read_sum).map(drop);
            raised |= sum.as_ref().map_or_else(Error::is_ambiguous, |()| true);
            outcome = outcome.and(sum);
        }
        outcome.map_err(|error: Error| error.after_partial(raised))
    }
}

/// Key, header and flags share the item's size limit with the value.
const ITEM_OVERHEAD: usize = 256;
