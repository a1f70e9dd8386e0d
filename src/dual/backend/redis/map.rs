//! Who of a cluster has which keys, as far as is known, and the connections to them.

use super::maybe_async;
use super::member::{Member, graver};

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::deadline::Deadline;
use crate::engine::slots::Slots;
use crate::error::{Error, ErrorKind, Result};
use crate::handle::redis::{Endpoint, Settings};
use crate::now::now;
use crate::wire::redis as wire;

pub(super) struct Map {
    /// What all nodes are reached by, but for the address.
    settings: Settings,
    seeds: Vec<Endpoint>,
    known: Mutex<Known>,
}

struct Known {
    slots: Slots<Arc<Member>>,
    /// Who has none, but was asked for something since the last map.
    beside: Vec<Arc<Member>>,
    /// Something has shown that the map is no longer right.
    doubted: bool,
    /// Who failed last, and is asked last.
    suspect: Option<Endpoint>,
    /// When somebody last began to ask for the map.
    asked: Option<Instant>,
    turn: usize,
}

impl Map {
    pub(super) fn new(settings: Settings, seeds: Vec<Endpoint>) -> Map {
        let known = Known {
            slots: Slots::new(wire::SLOTS),
            beside: Vec::new(),
            doubted: false,
            suspect: None,
            asked: None,
            turn: 0,
        };
        Map { settings, seeds, known: Mutex::new(known) }
    }

    /// Who has each of these slots, or any node for none; `None` if nobody has one.
    pub(super) fn owners(&self, slots: impl Iterator<Item = Option<u16>>) -> Option<Vec<Arc<Member>>> {
        let known = self.lock();
        let owner = |slot| match slot {
            Some(slot) => known.slots.owner(slot).cloned(),
            None => known.slots.nodes().first().cloned(),
        };
        slots.map(owner).collect()
    }

    /// A number that is the same for keys of one node.
    pub(super) fn place(&self, key: &[u8]) -> usize {
        self.lock().slots.place(wire::slot(key)).unwrap_or_default()
    }

    /// Every node that has slots, and how many slots nobody has.
    pub(super) fn masters(&self) -> (Vec<Arc<Member>>, usize) {
        let known = self.lock();
        (known.slots.nodes().to_vec(), known.slots.orphans())
    }

    fn is_empty(&self) -> bool {
        self.lock().slots.nodes().is_empty()
    }

    /// Takes note that a slot has moved, and of whom to ask for it.
    pub(super) fn moved(&self, slot: u16, to: Endpoint) -> Result<Arc<Member>> {
        let mut known = self.lock();
        let member = known.member(&self.settings, to)?;
        known.slots.give(slot..=slot, Arc::clone(&member));
        known.doubted = true;
        Ok(member)
    }

    /// Whom to ask for a key that has gone ahead of its slot.
    pub(super) fn ahead(&self, to: Endpoint) -> Result<Arc<Member>> {
        self.lock().member(&self.settings, to)
    }

    /// A node did not do what the map says it would.
    pub(super) fn doubt(&self, member: &Member) {
        let mut known = self.lock();
        known.doubted = true;
        known.suspect = Some(member.endpoint.clone());
    }

    /// Whether it is this caller's turn to ask for the map. However many find it wrong, one asks at a time, and not
    /// at once again.
    fn is_due(&self) -> bool {
        let mut known = self.lock();
        let due =
            known.doubted && known.asked.is_none_or(|asked| now().saturating_duration_since(asked) >= PAUSE);
        if due {
            known.asked = Some(now());
        }
        due
    }

    /// Whom to ask for the map, in this order: those who have slots, each first in turn, then those whom the user named.
    fn candidates(&self) -> Result<Vec<Arc<Member>>> {
        let mut known = self.lock();
        let mut candidates = known.slots.nodes().to_vec();
        if !candidates.is_empty() {
            known.turn = (known.turn + 1) % candidates.len();
            candidates.rotate_left(known.turn);
        }
        for seed in &self.seeds {
            if candidates.iter().all(|member| member.endpoint != *seed) {
                candidates.push(known.member(&self.settings, seed.clone())?);
            }
        }
        candidates.sort_by_key(|member| Some(&member.endpoint) == known.suspect.as_ref());
        Ok(candidates)
    }

    /// Nodes without a slot are forgotten with their connections.
    fn learn(&self, runs: Vec<wire::Run>) -> Result<()> {
        let mut known = self.lock();
        let mut slots = Slots::new(wire::SLOTS);
        for (run, endpoint) in runs {
            slots.give(run, known.member(&self.settings, endpoint)?);
        }
        known.slots = slots;
        known.beside.clear();
        known.doubted = false;
        known.suspect = None;
        Ok(())
    }

    /// Replaced whole, or slot by slot: a poisoned lock guards a usable map.
    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    /// The one that is known by this address, with its connections, or a new one.
    fn member(&mut self, settings: &Settings, endpoint: Endpoint) -> Result<Arc<Member>> {
        let mut all = self.slots.nodes().iter().chain(&self.beside);
        if let Some(member) = all.find(|member| member.endpoint == endpoint) {
            return Ok(Arc::clone(member));
        }
        let member = Arc::new(Member::new(settings, endpoint)?);
        self.beside.push(Arc::clone(&member));
        Ok(member)
    }
}

#[maybe_async]
impl Map {
    /// Sees to it that there is a map, and a new one if the one there is was found wrong. While there is one that may do, a
    /// failure to get another is not told.
    pub(super) async fn ready(&self, deadline: Deadline) -> Result<()> {
        if self.is_empty() {
            return self.refresh(deadline).await;
        }
        self.review(deadline).await;
        Ok(())
    }

    /// Asks for a new map if it is time to.
    pub(super) async fn review(&self, deadline: Deadline) {
        if self.is_due() {
            // The map that is there may do for this call: half of the time is left to it.
            let _ = self.refresh(deadline.share(2)).await;
        }
    }

    /// Asks one node after the other for the map; each has its share of the time.
    pub(super) async fn refresh(&self, deadline: Deadline) -> Result<()> {
        let candidates = self.candidates()?;
        let mut failure = None;
        for (tried, member) in candidates.iter().enumerate() {
            let share = deadline.share(candidates.len() - tried + 1);
            match ask(member, share).await {
                Ok(runs) => return self.learn(runs),
                Err(error) => failure = Some(graver(failure, error)),
            }
        }
        let failure = failure.unwrap_or_else(wire::no_reply);
        if !failure.is_retryable() {
            return Err(failure);
        }
        let names: Vec<_> = candidates.iter().map(|member| member.endpoint.to_string()).collect();
        let text =
            format!("no node of the cluster tells who has which keys; asked were {}", names.join(", "));
        Err(Error::new(ErrorKind::Unavailable, text).with_source(failure))
    }
}

#[maybe_async]
async fn ask(member: &Member, deadline: Deadline) -> Result<Vec<wire::Run>> {
    let reply = member.ask("asking for the slots", &wire::slots(), deadline).await?;
    let runs = wire::read_slots(reply, &member.endpoint)
        .map_err(|error| member.blame("asking for the slots", error))?;
    if runs.is_empty() {
        let text = format!("{} knows of no slots; is the cluster made yet?", member.endpoint);
        return Err(Error::new(ErrorKind::Unavailable, text));
    }
    Ok(runs)
}

/// How long a map is taken for good at least. Until then, moved slots are noted one by one.
const PAUSE: Duration = Duration::from_millis(100);
