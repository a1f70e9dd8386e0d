//! Reading and writing single items, with the namespace's generation where it has one.

use super::super::bytes::again;
use super::{maybe_async, rt};

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use memcache::exp::{MetaCommand, Rendezvous, Router};

use crate::deadline::Deadline;
use crate::error::{Error, ErrorKind, Result};
use crate::handle::memcached::{Memcached, Settings};
use crate::key::{Key, Prefix};
use crate::wire::memcached::{self as wire, Item, Mode, Reply, Request, Want, WireKey};

/// The servers, and the generations last seen on them.
pub(super) struct Access {
    handle: Memcached,
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
}

/// What a read saw.
pub(super) struct Seen {
    pub(super) item: Option<Item>,
    /// The namespace's current one, if it can be cleared.
    pub(super) generation: Option<u32>,
}

impl Seen {
    /// The item, unless it was written before the namespace was last cleared.
    pub(super) fn alive(self) -> Option<Item> {
        if self.is_alive() { self.item } else { None }
    }

    /// How to write if nothing has changed since, be it over nothing or over a cleared item.
    pub(super) fn unchanged(&self) -> Mode {
        self.item.as_ref().map_or(Mode::Absent, |item| Mode::Unchanged(item.cas))
    }

    pub(super) fn flags(&self) -> u32 {
        self.generation.unwrap_or_default()
    }

    pub(super) fn is_alive(&self) -> bool {
        let current = |item: &Item| self.generation.is_none_or(|generation| generation == item.flags);
        self.item.as_ref().is_some_and(current)
    }
}

impl Access {
    pub(super) fn new(handle: Memcached) -> Access {
        let link = handle.shared.links.link(|| rt::memcached::Link::new(&handle.shared.settings));
        Access { handle, link, generations: Mutex::default() }
    }

    pub(super) fn settings(&self) -> &Settings {
        &self.handle.shared.settings
    }

    /// Rendezvous hashing over the addresses as configured: every process that names the servers alike
    /// agrees, in whatever order it names them.
    pub(super) fn place(&self, key: &Key<'_>) -> Place {
        let wire = wire::wire_key(key);
        let generation = self.settings().clearable.then(|| wire::generation_key(key.prefix()));
        Place {
            server: Rendezvous::new().route(wire.as_bytes(), &self.settings().servers),
            key: wire,
            generation,
        }
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
    pub(super) fn note(&self, place: &Place, reply: Reply) -> Result<u32> {
        let sum = wire::read_sum(reply)?.ok_or_else(missing)?;
        // Flags have 32 bits; generations begin at Unix time and grow by one, so they do not wrap before 2106.
        let generation = sum as u32;
        if let Some(key) = &place.generation {
            self.lock().insert((place.server, key.clone()), generation);
        }
        Ok(generation)
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
        self.link.exchange(server, request, deadline).await
    }

    /// One command, one reply.
    pub(super) async fn ask(&self, server: usize, request: Request, deadline: Deadline) -> Result<Reply> {
        let replies = self.exchange(server, &request, deadline).await?;
        replies.into_iter().next_back().ok_or_else(missing)
    }

    /// Reads an item and its generation in one round trip.
    pub(super) async fn see(&self, place: &Place, want: Want, deadline: Deadline) -> Result<Seen> {
        let mut commands = vec![wire::get(&place.key, want)?];
        commands.extend(self.generation(place)?);
        let replies = self.exchange(place.server, &Request::read(commands), deadline).await?;
        let mut replies = replies.into_iter();
        let item = wire::read_item(replies.next().ok_or_else(missing)?)?;
        let generation = replies.next().map(|reply| self.note(place, reply)).transpose()?;
        Ok(Seen { item, generation })
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

    /// Writes items of one server, in one round trip; in another if the generation is not the one that was
    /// remembered, which only unconditional writes may be sent with.
    pub(super) async fn put_all(
        &self,
        items: &[(Place, &[u8])],
        expiry: u32,
        mode: Mode,
        deadline: Deadline,
    ) -> Result<()> {
        let Some((first, _)) = items.first() else { return Ok(()) };
        let mut written = false;
        loop {
            let flags = self.remembered(first);
            let set = |(place, bytes): &(Place, &[u8])| wire::set(&place.key, bytes, flags, expiry, mode);
            let mut commands = items.iter().map(set).collect::<Result<Vec<_>>>()?;
            commands.extend(self.generation(first)?);
            let replies = self.exchange(first.server, &Request::write(commands), deadline).await;
            let mut replies = replies.map_err(|error| error.after_partial(written))?;
            let current = match replies.len() > items.len() {
                true => self.note(first, replies.pop().ok_or_else(missing)?)?,
                false => flags,
            };
            replies.into_iter().try_for_each(|reply| wire::read_done(reply).map(drop))?;
            if current == flags {
                return Ok(());
            }
            // Written in a generation that is over: nobody sees it, nor what it replaced.
            written = true;
            again(deadline).await?;
        }
    }

    /// Begins the next generation of a namespace on every server.
    pub(super) async fn next_generation(&self, prefix: &Prefix, deadline: Deadline) -> Result<()> {
        let key = wire::generation_key(prefix.as_str());
        for server in 0..self.settings().servers.len() {
            let raise = Request::write(vec![wire::next_generation(&key, unix_now())?]);
            let raised = self.ask(server, raise, deadline).await;
            wire::read_sum(raised.map_err(|error| error.after_partial(server > 0))?)?;
        }
        Ok(())
    }
}

/// Key, header and flags share the item's size limit with the value.
const ITEM_OVERHEAD: usize = 256;

/// Only the start of a namespace's generations and long lifetimes are told in wall-clock time.
pub(super) fn unix_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

fn missing() -> Error {
    Error::new(ErrorKind::Protocol, "the server sent no reply")
}
