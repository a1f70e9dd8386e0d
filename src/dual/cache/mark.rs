//! Who reloads a value that is still there: a mark under a key of its own keeps other processes from it.
//!
//! Only an economy: two processes that reload at once both store under the version they saw, so one of them does.

use super::super::backend::BackendHandle;
use super::call::Call;
use super::{Cache, maybe_async, rt};

use std::sync::LazyLock;
use std::time::Duration;

use crate::deadline::Deadline;
use crate::entry::{Condition, Item};
use crate::key::{Key, Prefix};
use crate::policy::Policy;
use crate::ttl::Lifetime;

/// The right to reload; its drop lets the next reload begin.
pub(super) struct Mark(Option<Place>);

/// Where a mark lies. Memory needs none, since nobody else can see its values.
struct Place {
    backend: BackendHandle,
    name: String,
    timeout: Duration,
}

/// The namespace of marks. A name in it is a whole joined key.
static MARKS: LazyLock<Prefix> = LazyLock::new(|| Prefix::new("lexigram-reload"));

impl Mark {
    pub(super) fn none() -> Mark {
        Mark(None)
    }
}

#[maybe_async]
impl Cache {
    /// The right to reload this key, unless another process has it. If that cannot be told, each process reloads
    /// for itself.
    pub(super) async fn elect(&self, call: &Call<'_>, key: &Key<'_>, policy: &Policy) -> Option<Mark> {
        if call.backend().keeps_objects() {
            return Some(Mark::none());
        }
        let place = Place { backend: call.backend().clone(), name: key.joined(), timeout: call.timeout };
        match call.end(place.write(policy.rules.lock_ttl, &Condition::Absent, call.deadline).await) {
            Ok(true) => Some(Mark(Some(place))),
            Ok(false) => None,
            Err(_) => Some(Mark::none()),
        }
    }
}

#[maybe_async]
impl Mark {
    /// Keeps every process from reloading for so long.
    pub(super) async fn keep(mut self, call: &Call<'_>, time: Duration) {
        if let Some(place) = self.0.take() {
            let _ = call.end(place.write(time, &Condition::Always, call.deadline).await);
        }
    }
}

#[maybe_async]
impl Place {
    async fn write(
        &self,
        time: Duration,
        condition: &Condition,
        deadline: Deadline,
    ) -> crate::error::Result<bool> {
        let key = MARKS.key(&self.name)?;
        let item = Item::Bytes(b"1".to_vec());
        self.backend.store(&key, item, Lifetime::new(time)?, condition, deadline).await
    }

    /// Clears the mark beside the caller.
    fn leave(self) {
        rt::detach(move || async move { self.clear().await });
    }

    async fn clear(&self) {
        if let Ok(key) = MARKS.key(&self.name) {
            // Nobody is left to be told of a failure; the mark ends by itself.
            let _ = self.backend.remove(&key, None, Deadline::after(self.timeout)).await;
        }
    }
}

impl Drop for Mark {
    fn drop(&mut self) {
        if let Some(place) = self.0.take() {
            place.leave();
        }
    }
}
