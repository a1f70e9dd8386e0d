//! Conditional writes and removals, which tell values from what counts as nothing: leases, what was written before
//! the namespace was last cleared, and what is past its time.

use super::super::bytes::again;
use super::access::Place;
use super::{Remote, maybe_async};

use crate::deadline::Deadline;
use crate::entry::{Condition, Version};
use crate::error::Result;
use crate::wire::memcached::{self as wire, Mode, Request, Seen, Want};

#[maybe_async]
impl Remote {
    pub(super) async fn store_if(
        &self,
        place: &Place,
        bytes: &[u8],
        expiry: u32,
        condition: &Condition,
        deadline: Deadline,
    ) -> Result<bool> {
        if let (Condition::Unchanged(Version::Number(cas)), false) = (condition, self.clearable()) {
            return self.access.put(place, bytes, 0, expiry, Mode::Unchanged(*cas), deadline).await;
        }
        if let (Condition::Absent, false) = (condition, self.clearable()) {
            match self.add_or_see(place, bytes, expiry, deadline).await? {
                None => return Ok(true),
                Some(seen) if seen.is_alive() => return Ok(false),
                Some(_) => {}
            }
        }
        loop {
            let seen = self.access.see(place, Want::Kind, deadline).await?;
            if !seen.allows(condition) {
                return Ok(false);
            }
            if self.access.put(place, bytes, seen.flags(), expiry, seen.unchanged(), deadline).await? {
                return Ok(true);
            }
            again(deadline).await?;
        }
    }

    /// Writes where there is no item at all; else says what is there. One round trip.
    async fn add_or_see(
        &self,
        place: &Place,
        bytes: &[u8],
        expiry: u32,
        deadline: Deadline,
    ) -> Result<Option<Seen>> {
        let set = wire::set(&place.key, bytes, 0, expiry, Mode::Absent)?;
        let request = Request::write(vec![set, wire::get(&place.key, Want::Kind)?]);
        let [stored, seen] = self.access.ask_two(place.server, &request, deadline).await?;
        if wire::read_done(stored)? {
            return Ok(None);
        }
        self.access.seen(place, seen).map(Some)
    }

    /// Removes whatever is there, and says of each whether it was a value. One round trip to one server.
    ///
    /// The answer is of the moment just before the removal: between the two, another client can write a value,
    /// which is removed and not counted, or remove one and take a lease, which is then counted as the value.
    pub(super) async fn remove_all(&self, places: &[Place], deadline: Deadline) -> Result<Vec<bool>> {
        let Some(first) = places.first() else { return Ok(Vec::new()) };
        let mut commands = Vec::with_capacity(2 * places.len());
        for place in places {
            commands.extend([wire::get(&place.key, Want::Kind)?, wire::delete(&place.key, None)?]);
        }
        let replies = self.access.exchange(first.server, &Request::write(commands), deadline).await?;
        let mut replies = replies.into_iter();
        let mut removed = Vec::with_capacity(places.len());
        for place in places {
            let seen = self.access.seen(place, replies.next().ok_or_else(wire::no_reply)?)?;
            let done = wire::read_done(replies.next().ok_or_else(wire::no_reply)?)?;
            removed.push(done && seen.is_alive());
        }
        Ok(removed)
    }

    /// Removes exactly what a look has shown, or only this version of it.
    pub(super) async fn remove_seen(
        &self,
        place: &Place,
        version: Option<u64>,
        deadline: Deadline,
    ) -> Result<bool> {
        loop {
            let seen = self.access.see(place, Want::Kind, deadline).await?;
            let Some(cas) = seen.occupied() else { return Ok(false) };
            if version.is_some_and(|version| version != cas) {
                return Ok(false);
            }
            if self.access.delete(place, cas, deadline).await? {
                return Ok(version.is_some() || seen.is_alive());
            }
            again(deadline).await?;
        }
    }
}
