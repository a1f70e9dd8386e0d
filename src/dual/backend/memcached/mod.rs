//! Memcached behind the common verbs.
//!
//! A clearable namespace has a generation: each item carries the one it was written in, each request brings
//! the current one along, and an item of an older one counts as absent.

use super::bytes::{again, plus};
use super::{Backend, maybe_async, rt};

mod access;

use std::collections::BTreeMap;

use self::access::{Access, Place, Seen, unix_now};
use crate::codec::counter_to_text;
use crate::deadline::Deadline;
use crate::entry::{Condition, Entry, Version};
use crate::error::{Error, ErrorKind, Result};
use crate::handle::memcached::Memcached;
use crate::key::{Key, Prefix};
use crate::pattern::Pattern;
use crate::ttl::{Lifetime, Remaining};
use crate::wire::memcached::{self as wire, Item, Mode, Request, Want};

/// Memcached servers as this world reaches them.
pub(super) struct Remote {
    access: Access,
}

impl Remote {
    pub(super) fn new(handle: Memcached) -> Remote {
        Remote { access: Access::new(handle) }
    }

    fn clearable(&self) -> bool {
        self.access.settings().clearable
    }

    /// Positions of keys by the server they live on, so that each server is asked once.
    fn by_server(&self, keys: &[Key<'_>]) -> BTreeMap<usize, Vec<(usize, Place)>> {
        let mut groups: BTreeMap<usize, Vec<(usize, Place)>> = BTreeMap::new();
        for (position, key) in keys.iter().enumerate() {
            let place = self.access.place(key);
            groups.entry(place.server).or_default().push((position, place));
        }
        groups
    }
}

fn entry(item: Item) -> Entry {
    Entry { bytes: item.bytes, version: Some(Version::Number(item.cas)), remaining: None }
}

fn lifetime_of(remaining: Remaining) -> Lifetime {
    match remaining {
        Remaining::Never => Lifetime::Never,
        Remaining::For(left) => Lifetime::For(left),
    }
}

/// How the server checks a condition by itself; `None` for a version that no item of Memcached has.
fn mode(condition: &Condition) -> Option<Mode> {
    match condition {
        Condition::Always => Some(Mode::Always),
        Condition::Absent => Some(Mode::Absent),
        Condition::Present => Some(Mode::Present),
        Condition::Unchanged(Version::Number(cas)) => Some(Mode::Unchanged(*cas)),
        Condition::Unchanged(Version::Bytes(_)) => None,
    }
}

/// Whether a write to a key in this state may happen.
fn allows(condition: &Condition, alive: Option<u64>) -> bool {
    match condition {
        Condition::Always => true,
        Condition::Absent => alive.is_none(),
        Condition::Present => alive.is_some(),
        Condition::Unchanged(version) => alive.map(Version::Number).as_ref() == Some(version),
    }
}

#[maybe_async]
impl Backend for Remote {
    fn name(&self) -> &str {
        "memcached"
    }

    async fn get(&self, key: &Key<'_>, deadline: Deadline) -> Result<Option<Entry>> {
        let seen = self.access.see(&self.access.place(key), Want::Value, deadline).await?;
        Ok(seen.alive().map(entry))
    }

    /// One round trip per server, one server after the other.
    async fn get_many(&self, keys: &[Key<'_>], deadline: Deadline) -> Result<Vec<Option<Entry>>> {
        let mut entries = vec![None; keys.len()];
        for (server, group) in self.by_server(keys) {
            let get = |(_, place): &(usize, Place)| wire::get(&place.key, Want::Value);
            let mut commands = group.iter().map(get).collect::<Result<Vec<_>>>()?;
            commands.extend(self.access.generation(&group[0].1)?);
            let mut replies = self.access.exchange(server, &Request::read(commands), deadline).await?;
            let generation = match replies.len() > group.len() {
                true => replies.pop().map(|reply| self.access.note(&group[0].1, reply)).transpose()?,
                false => None,
            };
            for ((position, _), reply) in group.into_iter().zip(replies) {
                let item = wire::read_item(reply)?;
                entries[position] = Seen { item, generation }.alive().map(entry);
            }
        }
        Ok(entries)
    }

    async fn store(
        &self,
        key: &Key<'_>,
        bytes: &[u8],
        lifetime: Lifetime,
        condition: &Condition,
        deadline: Deadline,
    ) -> Result<bool> {
        let place = self.access.place(key);
        self.access.check_size(&place, bytes)?;
        let expiry = wire::expiry(lifetime, unix_now())?;
        if *condition == Condition::Always {
            return self
                .access
                .put_all(&[(place, bytes)], expiry, Mode::Always, deadline)
                .await
                .map(|()| true);
        }
        let Some(mode) = mode(condition) else { return Ok(false) };
        if !self.clearable() {
            return self.access.put(&place, bytes, 0, expiry, mode, deadline).await;
        }
        loop {
            let seen = self.access.see(&place, Want::Lifetime, deadline).await?;
            let (flags, unchanged) = (seen.flags(), seen.unchanged());
            if !allows(condition, seen.alive().map(|item| item.cas)) {
                return Ok(false);
            }
            if self.access.put(&place, bytes, flags, expiry, unchanged, deadline).await? {
                return Ok(true);
            }
            again(deadline).await?;
        }
    }

    /// One round trip per server, one server after the other; a condition in a clearable namespace goes key by
    /// key, since only a look tells whether an item counts.
    async fn store_many(
        &self,
        items: &[(Key<'_>, Vec<u8>)],
        lifetime: Lifetime,
        condition: &Condition,
        deadline: Deadline,
    ) -> Result<()> {
        let expiry = wire::expiry(lifetime, unix_now())?;
        let keys: Vec<_> = items.iter().map(|(key, _)| *key).collect();
        let groups = self.by_server(&keys);
        for (position, place) in groups.values().flatten() {
            self.access.check_size(place, &items[*position].1)?;
        }
        if self.clearable() && *condition != Condition::Always {
            for (nth, (key, bytes)) in items.iter().enumerate() {
                let stored = self.store(key, bytes, lifetime, condition, deadline).await;
                stored.map_err(|error| error.after_partial(nth > 0))?;
            }
            return Ok(());
        }
        let Some(mode) = mode(condition) else { return Ok(()) };
        for (nth, group) in groups.into_values().enumerate() {
            let bytes = |(position, place): (usize, Place)| (place, items[position].1.as_slice());
            let group: Vec<_> = group.into_iter().map(bytes).collect();
            let put = self.access.put_all(&group, expiry, mode, deadline).await;
            put.map_err(|error| error.after_partial(nth > 0))?;
        }
        Ok(())
    }

    async fn remove(&self, key: &Key<'_>, version: Option<&Version>, deadline: Deadline) -> Result<bool> {
        let place = self.access.place(key);
        let cas = match version {
            Some(Version::Bytes(_)) => return Ok(false),
            Some(Version::Number(cas)) => Some(*cas),
            None => None,
        };
        loop {
            let mut seen_cas = cas;
            if self.clearable() {
                let seen = self.access.see(&place, Want::Lifetime, deadline).await?;
                let Some(item) = seen.alive() else { return Ok(false) };
                if cas.is_some_and(|cas| cas != item.cas) {
                    return Ok(false);
                }
                seen_cas = Some(item.cas);
            }
            let delete = Request::write(vec![wire::delete(&place.key, seen_cas)?]);
            let done = wire::read_done(self.access.ask(place.server, delete, deadline).await?)?;
            if done || seen_cas == cas {
                return Ok(done);
            }
            again(deadline).await?;
        }
    }

    /// One round trip per server, one server after the other; a clearable namespace asks key by key, since
    /// only a look tells whether an item counts.
    async fn remove_many(&self, keys: &[Key<'_>], deadline: Deadline) -> Result<u64> {
        let mut removed = 0;
        if self.clearable() {
            for key in keys {
                let done = self.remove(key, None, deadline).await;
                removed += u64::from(done.map_err(|error| error.after_partial(removed > 0))?);
            }
            return Ok(removed);
        }
        for (server, group) in self.by_server(keys) {
            let delete = |(_, place): &(usize, Place)| wire::delete(&place.key, None);
            let commands = group.iter().map(delete).collect::<Result<Vec<_>>>()?;
            let replies = self.access.exchange(server, &Request::write(commands), deadline).await;
            for reply in replies.map_err(|error| error.after_partial(removed > 0))? {
                removed += u64::from(wire::read_done(reply)?);
            }
        }
        Ok(removed)
    }

    async fn exists(&self, key: &Key<'_>, deadline: Deadline) -> Result<bool> {
        let seen = self.access.see(&self.access.place(key), Want::Lifetime, deadline).await?;
        Ok(seen.is_alive())
    }

    async fn touch(&self, key: &Key<'_>, lifetime: Lifetime, deadline: Deadline) -> Result<bool> {
        let place = self.access.place(key);
        let touch = Request::write(vec![wire::touch(&place.key, wire::expiry(lifetime, unix_now())?)?]);
        if self.clearable() && !self.exists(key, deadline).await? {
            return Ok(false);
        }
        wire::read_done(self.access.ask(place.server, touch, deadline).await?)
    }

    async fn remaining(&self, key: &Key<'_>, deadline: Deadline) -> Result<Option<Remaining>> {
        let seen = self.access.see(&self.access.place(key), Want::Lifetime, deadline).await?;
        Ok(seen.alive().map(|item| item.remaining))
    }

    /// Rewrites the text until it did not change meanwhile. The server's own `ma` is left alone: beside a read
    /// under way it gives the item it replaces the CAS of the new one (`do_add_delta`), so that read comes back
    /// with the old value under the new CAS, and the write that follows undoes the addition unnoticed. It also
    /// knows no number below zero and wraps at 2⁶⁴.
    async fn add(&self, key: &Key<'_>, delta: i64, lifetime: Lifetime, deadline: Deadline) -> Result<i64> {
        let place = self.access.place(key);
        let expiry = wire::expiry(lifetime, unix_now())?;
        loop {
            let seen = self.access.see(&place, Want::All, deadline).await?;
            let (flags, unchanged) = (seen.flags(), seen.unchanged());
            let (sum, expiry) = match seen.alive() {
                None => (delta, expiry),
                Some(item) => {
                    (plus(&item.bytes, delta)?, wire::expiry(lifetime_of(item.remaining), unix_now())?)
                }
            };
            if self.access.put(&place, &counter_to_text(sum), flags, expiry, unchanged, deadline).await? {
                return Ok(sum);
            }
            again(deadline).await?;
        }
    }

    async fn remove_matching(&self, _: &Prefix, _: &Pattern, _: Deadline) -> Result<u64> {
        let text = "memcached cannot list its keys, so none can be found by prefix or pattern; \
            delete them by name, or give them a namespace of their own with clearable(true)";
        Err(Error::new(ErrorKind::Unsupported, text))
    }

    async fn clear(&self, prefix: &Prefix, deadline: Deadline) -> Result<()> {
        if !self.clearable() {
            let text = "memcached cannot list its keys; build the backend with clearable(true) to clear by generation";
            return Err(Error::new(ErrorKind::Unsupported, text));
        }
        self.access.next_generation(prefix, deadline).await
    }

    async fn ping(&self, deadline: Deadline) -> Result<()> {
        for server in 0..self.access.settings().servers.len() {
            wire::read_noop(self.access.ask(server, Request::read(vec![wire::noop()]), deadline).await?)?;
        }
        Ok(())
    }
}
