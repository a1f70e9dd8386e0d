//! What a cache that degrades does without its server: absorb the failure, and ask no more in the same call.
//!
//! On any other cache these are `end`, and one request for a whole batch.

use super::call::Call;
use super::maybe_async;

use std::sync::atomic::Ordering;

use crate::deadline::Deadline;
use crate::engine::flight::Boarding;
use crate::engine::shares::Shares;
use crate::entry::{Ask, Found, Item, Lookup, Version};
use crate::error::Result;
use crate::event::EventKind;
use crate::key::Key;
use crate::ttl::Lifetime;

/// What a look at one of many keys came to.
pub(super) enum Answer {
    Seen(Lookup<Found>),
    /// The server said no, which was absorbed.
    Refused,
    /// It did not say anything, which was absorbed too.
    Nothing,
}

impl Answer {
    /// What was seen, if anything was.
    pub(super) fn seen(self) -> Option<Lookup<Found>> {
        match self {
            Answer::Seen(seen) => Some(seen),
            Answer::Refused | Answer::Nothing => None,
        }
    }
}

impl Call<'_> {
    /// [`end`](Call::end) for what the call can do without: `None` stands for an answer that the server did not give.
    pub(super) fn absorb<R>(&self, result: Result<R>) -> Result<Option<R>> {
        let error = match result {
            Err(error) if self.inner.degrade => error,
            result => return self.end(result).map(Some),
        };
        if error.can_be_absorbed() || error.is_ambiguous() {
            self.cut_off.store(true, Ordering::Relaxed);
        }
        if !error.can_be_absorbed() {
            return self.end(Err(error));
        }
        self.record(EventKind::Absorbed(&self.place(error)));
        Ok(None)
    }

    /// [`absorb`](Call::absorb) for what goes on beside the callers: no one is left to be told but the observer.
    pub(super) fn heed<R>(&self, result: Result<R>) -> Option<R> {
        self.absorb(result).ok().flatten()
    }

    /// [`absorb`](Call::absorb), with nothing in place of the answer.
    pub(super) fn absorb_to_nothing<R: Default>(&self, result: Result<R>) -> Result<R> {
        self.absorb(result).map(Option::unwrap_or_default)
    }

    /// Whether the server has failed this call, which then asks it no more: one that hangs takes its time once.
    pub(super) fn is_cut_off(&self) -> bool {
        self.cut_off.load(Ordering::Relaxed)
    }

    /// Goes on with a part of a batch, whose server may be another.
    pub(super) fn turn_to(&mut self, deadline: Deadline) {
        self.deadline = deadline;
        *self.cut_off.get_mut() = false;
    }

    /// The parts of a batch that are asked for one by one, so that a dead server costs its own keys only.
    pub(super) fn shares<'k, T>(&self, items: Vec<T>, key: impl Fn(&T) -> Key<'k>) -> Shares<T> {
        if !self.inner.degrade || items.len() < 2 {
            return Shares::whole(items, self.deadline);
        }
        let keys: Vec<Key<'k>> = items.iter().map(key).collect();
        Shares::by(&self.backend().by_server(&keys), items, self.deadline)
    }

    /// The parts of a batch to be stored, which is checked whole before the first of them is.
    pub(super) fn shares_to_store<'k>(
        &self,
        items: Vec<(Key<'k>, Item)>,
        lifetime: Lifetime,
    ) -> Result<Shares<(Key<'k>, Item)>> {
        if self.inner.degrade {
            let check = |(key, item): &(Key<'k>, Item)| self.backend().check(key, item, lifetime);
            self.end(items.iter().try_for_each(check))?;
        }
        Ok(self.shares(items, |(key, _)| *key))
    }

    /// Joins the load of this key in this process, or begins it. Who could not look has seen nothing newer than any
    /// load here stands for, and so may follow it.
    pub(super) fn board(&self, key: &Key<'_>, shown: Option<&Version>, unseen: bool) -> Result<Boarding> {
        Ok(match self.input(self.backend().board(key, shown))? {
            Boarding::Outdated(flight) if unseen => Boarding::Follow(flight),
            boarding => boarding,
        })
    }
}

#[maybe_async]
impl Call<'_> {
    /// One answer per key, in order, each with the fate of its server.
    pub(super) async fn look_at_each(&self, keys: &[Key<'_>], ask: Ask) -> Vec<Result<Answer>> {
        let mut answers = vec![];
        answers.resize_with(keys.len(), || Ok(Answer::Nothing));
        for (part, deadline) in self.shares(keys.iter().copied().enumerate().collect(), |(_, key)| *key) {
            let (positions, keys): (Vec<usize>, Vec<Key<'_>>) = part.into_iter().unzip();
            let seen = self.backend().lookup_many(&keys, ask, deadline).await;
            let is_refused = seen.as_ref().is_err_and(|error| error.code().is_some());
            let at = positions.into_iter();
            match self.absorb(seen) {
                Ok(Some(seen)) => at.zip(seen).for_each(|(at, seen)| answers[at] = Ok(Answer::Seen(seen))),
                Ok(None) if is_refused => at.for_each(|at| answers[at] = Ok(Answer::Refused)),
                Ok(None) => {}
                Err(error) => at.for_each(|at| answers[at] = Err(error.clone())),
            }
        }
        answers
    }
}
