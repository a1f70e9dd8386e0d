//! `fetch`: a value under a policy, loaded once for all who miss it.

use super::call::Call;
use super::look::Sight;
use super::wait::Patience;
use super::{Cache, maybe_async, rt};

use std::borrow::Borrow;
use std::sync::Arc;

use crate::engine::flight::{Boarding, Landing};
use crate::entry::{Item, Value};
use crate::error::{BoxError, Result};
use crate::fetched::{Fetched, Loaded};
use crate::key::Key;
use crate::policy::{Policy, PolicyBuilder};

impl Cache {
    /// Begins a policy for [`fetch`](Cache::fetch), with this cache's own settings.
    pub fn policy(&self) -> PolicyBuilder {
        let inner = &self.inner;
        PolicyBuilder::new(inner.tuning.rules(), inner.tuning.default_ttl(), inner.prefix.stale_for())
    }
}

#[maybe_async]
impl Cache {
    /// The value under a policy: what is there if it will do, else what `load` gives, shared with all who miss it
    /// meanwhile, in this process and in others.
    ///
    /// A value in the last part of its lifetime, or past it by less than `stale_for`, is served while one caller
    /// reloads it: that caller runs `load` itself, unless it uses
    /// [`fetch_in_background`](Cache::fetch_in_background). If the reload fails the value is served all the same,
    /// and not reloaded before the policy's `backoff` is over.
    ///
    /// `load` gives a value, or a [`Loaded`] that says for how long or whether to store it. One round trip for a
    /// hit; for a miss three, a look, a lease and a fill; two more for a reload, to keep other processes from
    /// reloading too.
    ///
    /// ```
    /// use lexigram_cache::{BoxError, Cache, Origin};
    /// use std::time::Duration;
    ///
    /// let cache = Cache::builder().stale_for(Duration::from_secs(3600)).build()?;
    /// let policy = cache.policy().ttl(Duration::from_secs(60)).negative_ttl(Duration::from_secs(5)).build()?;
    /// let user = cache.fetch("user:42", &policy, || Ok::<_, BoxError>(Some("Ada".to_owned())))?;
    /// assert!(matches!(user.source, Origin::Loaded));
    /// # Ok::<(), lexigram_cache::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`get_or_compute`](Cache::get_or_compute). `Timeout` if a load ran over the policy's `hard_limit`, or a
    /// wait over `max_wait` where the policy says so.
    ///
    /// # Panics
    /// If `load` does.
    pub async fn fetch<T: Value, L: Into<Loaded<T>>, E: Into<BoxError>>(
        &self,
        key: impl AsRef<str>,
        policy: impl Borrow<Policy>,
        load: impl rt::Load() -> Result<L, E>,
    ) -> Result<Fetched<T>> {
        let policy = policy.borrow();
        let mut call = self.call("fetch")?;
        let key = call.key(key.as_ref())?;
        let sight = self.look(&call, &key, policy).await?;
        let fetched = self.obtain(&mut call, key, policy, sight, load).await?;
        Ok(fetched.map(Arc::unwrap_or_clone))
    }

    /// [`fetch`](Cache::fetch), whose reloads of values that can still be served run beside the callers: on one
    /// thread of this cache's own, where 64 may wait, or as 64 tasks at most; what is more is left to a
    /// later read. [`close`](Cache::close) waits for them. A value that is missing is loaded by its caller.
    ///
    /// With the policy's `soft_limit` a caller that has only a stale value waits so long for the new one.
    ///
    /// # Errors
    /// As [`fetch`](Cache::fetch).
    ///
    /// # Panics
    /// If `load` does while its caller waits for it.
    pub async fn fetch_in_background<T: Value, L: Into<Loaded<T>> + 'static, E: Into<BoxError> + 'static>(
        &self,
        key: impl AsRef<str>,
        policy: impl Borrow<Policy>,
        load: impl rt::LaterLoad<Result<L, E>>,
    ) -> Result<Fetched<T>> {
        let policy = policy.borrow();
        let mut call = self.call("fetch_in_background")?;
        let key = call.key(key.as_ref())?;
        let fetched = match self.look(&call, &key, policy).await? {
            Sight::Reload(kept) => self.reload_beside(&call, key, policy, kept, load).await?,
            sight => {
                let load = || async move { load.run().await };
                self.obtain(&mut call, key, policy, sight, load).await?
            }
        };
        Ok(fetched.map(Arc::unwrap_or_clone))
    }

    /// What [`fetch`](Cache::fetch) and [`get_or_compute`](Cache::get_or_compute) do.
    pub(super) async fn obtain<'a, T: Value, L: Into<Loaded<T>>, E: Into<BoxError>>(
        &'a self,
        call: &mut Call<'a>,
        key: Key<'a>,
        policy: &Policy,
        mut sight: Sight<T>,
        load: impl rt::Load() -> Result<L, E>,
    ) -> Result<Fetched<Arc<T>>> {
        let patience = Patience::new(policy);
        let mut outdated = false;
        loop {
            let (spare, shown) = match sight {
                Sight::Fresh(fetched) => return Ok(fetched),
                Sight::Reload(kept) => return self.reload(call, key, policy, kept, load).await,
                Sight::Missing { spare, shown } => (spare, shown),
            };
            self.refuse_recursion(call, &key)?;
            if !policy.rules.enabled {
                return self.load_for_itself(call, key, policy, load).await;
            }
            match call.board(&key, shown.as_ref(), call.is_cut_off())? {
                Boarding::Lead(leader) => {
                    return self.lead(call, key, policy, leader, spare, &patience, load).await;
                }
                // A load that began before this call is not what was asked for.
                Boarding::Follow(flight) if policy.rules.force => call.give_up(&key, &flight),
                Boarding::Follow(flight) => match call.input(rt::landed(&flight, patience.ends()).await)? {
                    Some(Landing::Value(object)) => match call.unpack(&Item::Object(object))? {
                        Some(value) => return Ok(call.joined_value(value)),
                        // Loaded as another type, which cannot be read as this one.
                        None => return self.load_unstored(call, key, policy, load).await,
                    },
                    Some(Landing::Failed(error)) => return call.input(Err(error)),
                    Some(Landing::Abandoned) => {}
                    None => {
                        // Whoever comes later need not wait for a loader that may never end.
                        call.give_up(&key, &flight);
                        return self.in_vain(call, key, policy, spare, load).await;
                    }
                },
                // Whoever keeps writing the key is not waited for without end.
                Boarding::Outdated(_) if patience.is_over() => {
                    return self.in_vain(call, key, policy, spare, load).await;
                }
                // Its lease may have come between the look and here; if the next look does not show it, it is void.
                Boarding::Outdated(flight) if outdated => call.give_up(&key, &flight),
                Boarding::Outdated(_) => outdated = true,
            }
            sight = if call.is_cut_off() {
                Sight::Missing { spare, shown: None }
            } else {
                call.deadline = self.deadline();
                self.look(call, &key, policy).await?
            };
        }
    }
}
