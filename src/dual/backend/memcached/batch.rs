//! Verbs on many keys: one round trip per server, one server after the other.

use super::access::{Group, unix_now};
use super::lease::{Act, token};
use super::{Backend, Remote, maybe_async};

use crate::deadline::Deadline;
use crate::entry::{Ask, Condition, Entry, Fill, Lease, Lookup};
use crate::error::Result;
use crate::key::Key;
use crate::ttl::Lifetime;
use crate::wire::memcached::{self as wire, Want};

#[maybe_async]
impl Remote {
    pub(super) async fn get_each(&self, keys: &[Key<'_>], deadline: Deadline) -> Result<Vec<Option<Entry>>> {
        let mut entries = vec![None; keys.len()];
        for group in self.access.groups(keys) {
            let places: Vec<_> = group.places.iter().collect();
            let seen = self.access.see_all(&places, Want::Value, deadline).await?;
            for (position, seen) in group.positions.into_iter().zip(seen) {
                entries[position] = seen.alive().map(Entry::from);
            }
        }
        Ok(entries)
    }

    /// A condition goes key by key, since only a look tells whether an item counts.
    pub(super) async fn store_each(
        &self,
        items: &[(Key<'_>, Vec<u8>)],
        lifetime: Lifetime,
        condition: &Condition,
        deadline: Deadline,
    ) -> Result<()> {
        let expiry = wire::expiry(lifetime, unix_now())?;
        let groups = self.access.groups(items.iter().map(|(key, _)| key));
        let sized = |place, position: usize| self.access.check_size(place, &items[position].1);
        groups.iter().flat_map(Group::iter).try_for_each(|(place, position)| sized(place, position))?;
        if *condition != Condition::Always {
            for (nth, (key, bytes)) in items.iter().enumerate() {
                let stored = self.store(key, bytes, lifetime, condition, deadline).await;
                stored.map_err(|error| error.after_partial(nth > 0))?;
            }
            return Ok(());
        }
        for (nth, group) in groups.iter().enumerate() {
            let bytes = |(place, position): (_, usize)| (place, items[position].1.as_slice());
            let group: Vec<_> = group.iter().map(bytes).collect();
            let put = self.access.put_all(&group, expiry, deadline).await;
            put.map_err(|error| error.after_partial(nth > 0))?;
        }
        Ok(())
    }

    /// A clearable namespace goes key by key, since only a look tells whether an item counts.
    pub(super) async fn remove_each(&self, keys: &[Key<'_>], deadline: Deadline) -> Result<u64> {
        let mut removed = 0;
        if self.clearable() {
            for key in keys {
                let done = self.remove(key, None, deadline).await;
                removed += u64::from(done.map_err(|error| error.after_partial(removed > 0))?);
            }
            return Ok(removed);
        }
        for group in self.access.groups(keys) {
            let done = self.remove_all(&group.places, deadline).await;
            let done = done.map_err(|error| error.after_partial(removed > 0))?;
            removed += done.into_iter().map(u64::from).sum::<u64>();
        }
        Ok(removed)
    }

    /// Two round trips per server where leases are taken in a clearable namespace. Leases taken before a failure are
    /// given back.
    pub(super) async fn look_each(
        &self,
        keys: &[Key<'_>],
        ask: Ask,
        deadline: Deadline,
    ) -> Result<Vec<Lookup>> {
        let groups = self.access.groups(keys);
        let seen = match ask {
            Ask::Lease(hold) => self.take_leases(groups, hold, deadline).await?,
            Ask::Value | Ask::Age => {
                let mut seen = Vec::with_capacity(keys.len());
                for Group { positions, places } in groups {
                    seen.extend(positions.into_iter().zip(self.look(&places, ask, deadline).await?));
                }
                seen
            }
        };
        let mut answers = vec![Lookup::Absent; keys.len()];
        seen.into_iter().for_each(|(position, seen)| answers[position] = seen);
        Ok(answers)
    }

    /// Leases without a token go key by key.
    pub(super) async fn fill_each(&self, fills: &[Fill<'_>], deadline: Deadline) -> Result<()> {
        let groups = self.access.groups(fills.iter().map(|fill| &fill.key));
        let sized = |place, position: usize| self.access.check_size(place, &fills[position].bytes);
        groups.iter().flat_map(Group::iter).try_for_each(|(place, position)| sized(place, position))?;
        let value = |fill| {
            let Fill { bytes, lifetime, .. }: &Fill<'_> = fill;
            Ok((bytes.as_slice(), wire::expiry(*lifetime, unix_now())?))
        };
        let values = fills.iter().map(value).collect::<Result<Vec<(&[u8], u32)>>>()?;
        for (nth, group) in groups.into_iter().enumerate() {
            let held = group.held(|position| token(&fills[position].lease));
            let filled = self.settle(held, &Act::Fill(&values), deadline).await;
            filled.map_err(|error| error.after_partial(nth > 0))?;
        }
        for Fill { key, lease, bytes, lifetime } in fills.iter().filter(|fill| fill.lease.token.is_none()) {
            let filled = self.fill(key, lease, bytes, *lifetime, deadline).await;
            filled.map_err(|error| error.after_partial(fills.len() > 1))?;
        }
        Ok(())
    }

    /// A server that fails does not keep the others from being told.
    pub(super) async fn abandon_each(&self, leases: &[(Key<'_>, Lease)], deadline: Deadline) -> Result<()> {
        let mut outcome = Ok(());
        for group in self.access.groups(leases.iter().map(|(key, _)| key)) {
            let held = group.held(|position| token(&leases[position].1));
            let settled = self.settle(held, &Act::Abandon, deadline).await;
            outcome = outcome.and(settled.map(drop));
        }
        outcome
    }
}
