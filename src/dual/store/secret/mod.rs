//! Secrets by name: sealed before they leave the process, opened where they come back.

use super::maybe_async;

mod list;
mod rewrap;

use std::fmt;
use std::sync::Arc;

use super::super::backend::BackendHandle;
use super::base::StoreBase;
use crate::deadline::Deadline;
use crate::entry::{Condition, Found, Item};
use crate::error::{Error, ErrorKind, Result};
use crate::key::{Key, Prefix};
use crate::seal::{self, KeyRing, Secret};
use crate::ttl::{Lifetime, Ttl};

/// Secrets by name, over any backend, which sees nothing but ciphertext: passwords, tokens, certificates.
///
/// Each is sealed by XChaCha20-Poly1305 under the first key of the [`KeyRing`], with a random nonce, for its name, its
/// namespace and this kind of store: bytes that were damaged, made up, or put under another name are `Decode`, never a
/// miss and never a secret. Nothing is cached, compressed or logged; there is no mode without encryption. On memory too
/// secrets are kept sealed. [`Ttl::DEFAULT`] never expires. A cheap clone.
///
/// ```
/// use lexigram_cache::{KeyRing, Memory, SecretStore, Ttl};
///
/// # let key = [7; 32];
/// let secrets = SecretStore::new(&Memory::default(), KeyRing::new("2026-11", &key)?)?;
/// secrets.set_secret("db-password", "correct horse", Ttl::NEVER)?;
/// let password = secrets.get_secret("db-password")?.expect("it was stored");
/// assert_eq!(password.expose_str(), Some("correct horse"));
/// assert_eq!(format!("{password:?}"), "Secret(..)");
/// # Ok::<(), lexigram_cache::Error>(())
/// ```
///
/// # What it does not promise
/// Who can write to the server cannot read or forge a secret, but can remove one, and can put back **an older one of the
/// same name**: nothing outside the server remembers which was the last. They also see the names, the ids of keys, and
/// how long each secret is and stays. That a secret stays is promised no more than of
/// [state](crate::StateStore#what-it-does-not-promise): keep what you cannot draw anew elsewhere too.
///
/// Plaintext is wiped where this crate holds it: in the buffers of sealing and opening, in [`Secret`], in the ring. It cannot
/// wipe what the caller passes in or copies out, what the cipher leaves in registers and on the stack, nor what the system
/// swaps out or dumps. The buffers of connections only ever hold ciphertext.
#[derive(Clone)]
pub struct SecretStore {
    base: StoreBase,
    keys: Prefix,
    ring: Arc<KeyRing>,
}

impl SecretStore {
    /// Secrets on a `&Memory`, `&Redis`, `&Memcached`, `&Cache` or [`BackendHandle`](crate::BackendHandle), or on a
    /// [`StoreBase`] with a namespace and a timeout. Dials nothing.
    ///
    /// # Errors
    /// `Config` for a timeout of zero; `Unsupported` on a cache that is switched off, which would forget.
    pub fn new(base: impl Into<StoreBase>, ring: KeyRing) -> Result<SecretStore> {
        let base = base.into();
        Ok(SecretStore { keys: base.keys("secret")?, base, ring: Arc::new(ring) })
    }

    fn backend(&self) -> &BackendHandle {
        &self.base.backend
    }

    /// Passes on what became of a call, with its place in the error.
    fn end<R>(&self, operation: &'static str, result: Result<R>) -> Result<R> {
        result.map_err(|error| self.base.place(operation, error))
    }
}

#[maybe_async]
impl SecretStore {
    /// The secret, or `None` if there is none. One round trip.
    ///
    /// # Errors
    /// `InvalidKey` for an empty name; `Decode` if there are bytes that do not open; the backend's failures.
    pub async fn get_secret(&self, name: impl AsRef<str>) -> Result<Option<Secret>> {
        let secret = self.fetch(name.as_ref(), self.base.deadline()).await;
        self.end("get_secret", secret)
    }

    async fn fetch(&self, name: &str, deadline: Deadline) -> Result<Option<Secret>> {
        let key = self.keys.key(name)?;
        let found = self.backend().get(&key, deadline).await?;
        found.map(|found| seal::open(&self.ring, &key, blob(&found)?)).transpose()
    }

    /// Seals and stores a secret, whatever was there. Up to [`Secret::MAX_LEN`] bytes. One round trip.
    ///
    /// # Errors
    /// `InvalidKey`, `InvalidTtl`, `TooLarge`, before anything is sent; `Unsupported` if the system gives no random numbers;
    /// the backend's failures, of which `Ambiguous` leaves open whether it was stored.
    pub async fn set_secret(
        &self,
        name: impl AsRef<str>,
        secret: impl AsRef<[u8]>,
        ttl: impl Into<Ttl>,
    ) -> Result<()> {
        let stored = self.put(name.as_ref(), secret.as_ref(), ttl.into()).await;
        self.end("set_secret", stored)
    }

    async fn put(&self, name: &str, secret: &[u8], ttl: Ttl) -> Result<()> {
        let (key, lifetime) = (self.keys.key(name)?, ttl.resolve(Lifetime::Never)?);
        let sealed = self.seal(&key, secret)?;
        let deadline = self.base.deadline();
        self.backend().store(&key, sealed, lifetime, &Condition::Always, deadline).await.map(drop)
    }

    /// Removes the secret; says whether there was one. One round trip.
    ///
    /// # Errors
    /// `InvalidKey`; the backend's failures. After `Ambiguous` it may still be there: delete it again.
    pub async fn delete_secret(&self, name: impl AsRef<str>) -> Result<bool> {
        let key = self.end("delete_secret", self.keys.key(name.as_ref()))?;
        let removed = self.backend().remove(&key, None, self.base.deadline()).await;
        self.end("delete_secret", removed)
    }

    /// Whether there is something of this name, be it that it opens or not. One round trip.
    ///
    /// # Errors
    /// `InvalidKey`; the backend's failures.
    pub async fn has_secret(&self, name: impl AsRef<str>) -> Result<bool> {
        let key = self.end("has_secret", self.keys.key(name.as_ref()))?;
        let exists = self.backend().exists(&key, self.base.deadline()).await;
        self.end("has_secret", exists)
    }
}

impl SecretStore {
    fn seal(&self, key: &Key<'_>, secret: &[u8]) -> Result<Item> {
        let item = Item::Bytes(seal::seal(&self.ring, key, secret)?);
        Ok(item)
    }
}

/// What was stored, without a format around it.
fn blob(found: &Found) -> Result<&[u8]> {
    let text = "the secret does not open: it is no sealed secret";
    found.item.raw().ok_or_else(|| Error::new(ErrorKind::Decode, text))
}

impl fmt::Debug for SecretStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SecretStore").field(&self.base).field(&self.ring).finish()
    }
}
