//! Sealing anew what an older key of the ring has sealed.

use super::super::super::backend::{again, late};
use super::{SecretStore, blob, maybe_async};

use crate::entry::Condition;
use crate::error::{ErrorKind, Result};
use crate::seal;
use crate::ttl::{Lifetime, Remaining};

#[maybe_async]
impl SecretStore {
    /// Seals a secret anew under the first key of the ring, unless that has sealed it; says whether it did. Atomic: a secret
    /// that is set or deleted meanwhile stays as it is then. Its lifetime goes on, in the steps that the backend
    /// counts it in. One round trip, and two more to seal it anew.
    ///
    /// # Errors
    /// As [`get_secret`](SecretStore::get_secret); `Conflict` if others kept writing it until the deadline, or
    /// `Ambiguous` if that came while a write was under way.
    pub async fn rewrap(&self, name: impl AsRef<str>) -> Result<bool> {
        let rewrapped = self.seal_anew(name.as_ref()).await;
        self.end("rewrap", rewrapped)
    }

    async fn seal_anew(&self, name: &str) -> Result<bool> {
        let (key, deadline) = (self.keys.key(name)?, self.base.deadline());
        let mut lost = false;
        loop {
            let found = self.backend().get(&key, deadline).await.map_err(|error| late(error, lost))?;
            let Some(found) = found else { return Ok(false) };
            if seal::is_under_first(&self.ring, blob(&found)?)? {
                return Ok(false);
            }
            let secret = seal::open(&self.ring, &key, blob(&found)?)?;
            // Told of this write, or of a later one: then the condition does not hold.
            let left = self.backend().remaining(&key, deadline).await.map_err(|error| late(error, lost))?;
            let lifetime = match left {
                Some(Remaining::Never) => Lifetime::Never,
                Some(Remaining::For(left)) if !left.is_zero() => Lifetime::For(left),
                _ => return Ok(false),
            };
            let (sealed, same) =
                (self.seal(&key, secret.expose())?, Condition::Unchanged(found.into_version()?));
            let stored = self.backend().store(&key, sealed, lifetime, &same, deadline).await;
            if stored.map_err(|error| late(error, lost))? {
                return Ok(true);
            }
            lost = true;
            again(deadline).await?;
        }
    }

    /// [`rewrap`](SecretStore::rewrap) for every secret of the namespace; says how many were sealed anew. Takes as long as it
    /// takes: each page of the walk and each secret is a call with the whole timeout. Programs that still write under the
    /// old key have to stop before, or what they write is left under it. May be called again after any error.
    ///
    /// # Errors
    /// `Unsupported` on Memcached, which cannot list its keys: rewrap there by name. `Decode` if one does not open, after
    /// all others were sealed anew. The backend's failures, after which some are left.
    pub async fn rewrap_all(&self) -> Result<u64> {
        let rewrapped = self.seal_all_anew().await;
        self.end("rewrap_all", rewrapped)
    }

    async fn seal_all_anew(&self) -> Result<u64> {
        let (mut walk, mut sealed, mut closed) = (self.walk(), 0, None);
        while let Some(names) = walk.next(self.backend(), self.base.deadline()).await? {
            for name in names {
                match self.seal_anew(&name).await {
                    Ok(anew) => sealed += u64::from(anew),
                    Err(error) if error.kind() == ErrorKind::Decode => closed = Some(error),
                    Err(error) => return Err(error),
                }
            }
        }
        closed.map_or(Ok(sealed), Err)
    }
}
