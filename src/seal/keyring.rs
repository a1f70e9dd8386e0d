//! Keys by id: the first seals, all open.

use std::fmt;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::cipher::KEY;
use super::text;
use crate::error::{Error, ErrorKind, Result};

/// Keys for a [`SecretStore`](crate::SecretStore): **the first seals, all open.** A cheap clone. The bytes of a key are wiped
/// when the last clone is dropped; `Debug` shows ids only.
///
/// To rotate, put the new key behind the first in all programs, so that all can read it; then in front; then
/// [`rewrap_all`](crate::SecretStore::rewrap_all), and take the old key out. Each blob names its key by id, so an id must
/// never be given to another key.
///
/// ```
/// use lexigram_cache::KeyRing;
///
/// # let (old, new) = ([1; 32], [2; 32]);
/// let ring = KeyRing::new("2026-11", &new)?.and("2025-02", &old)?;
/// // Or from a setting: 32 random bytes each as hexadecimal digits or base64, as `openssl rand -hex 32` gives them.
/// let ring = KeyRing::from_text("
///     2026-11:88dba3bbc2b3a1f5cd9b8bd0bd0f02f21eb31ce53cd26efbf27b2a9b7e66ba1c
///     2025-02:N8nbSlkVt1D0xo2yQS4Cf5yHgOdHeC/HxNIY6b1vQeE=
/// ")?;
/// assert_eq!(format!("{ring:?}"), r#"KeyRing(["2026-11", "2025-02"])"#);
/// # Ok::<(), lexigram_cache::Error>(())
/// ```
#[derive(Clone)]
pub struct KeyRing {
    first: SealingKey,
    others: Vec<SealingKey>,
}

/// A key, whose bytes lie in one place however often it is moved or cloned.
#[derive(Clone)]
pub(super) struct SealingKey {
    id: Arc<str>,
    bytes: Arc<Zeroizing<[u8; KEY]>>,
}

impl KeyRing {
    /// A ring of one key of 32 bytes, drawn at random. Its id is 1 to 32 letters, digits, `.`, `_` or `-`; it stands beside
    /// each secret, readable.
    ///
    /// # Errors
    /// `Config` for an id of another form, for more or fewer than 32 bytes, and for nothing but zeros. What was given is not
    /// shown.
    pub fn new(id: impl AsRef<str>, key: &[u8]) -> Result<KeyRing> {
        let first = SealingKey::new(id.as_ref(), key)?;
        Ok(KeyRing { first, others: Vec::new() })
    }

    /// The same with one more key, which only opens.
    ///
    /// # Errors
    /// As [`new`](KeyRing::new); `Config` for an id that the ring has already.
    pub fn and(mut self, id: impl AsRef<str>, key: &[u8]) -> Result<KeyRing> {
        let key = SealingKey::new(id.as_ref(), key)?;
        if self.find(key.id().as_bytes()).is_some() {
            return Err(wrong("two keys of a ring have the same id; give each an id of its own"));
        }
        self.others.push(key);
        Ok(self)
    }

    /// The keys `id:key` of a text, separated by blanks, line ends or commas, the first of them to seal. A key is 32 bytes
    /// as 64 hexadecimal digits or as base64, either alphabet, padded or not. The text itself is the caller's to wipe.
    ///
    /// # Errors
    /// As [`new`](KeyRing::new) and [`and`](KeyRing::and); `Config` for a text without a key.
    pub fn from_text(text: &str) -> Result<KeyRing> {
        let separator = |letter: char| letter.is_whitespace() || letter == ',';
        let mut ring: Option<KeyRing> = None;
        for entry in text.split(separator).filter(|entry| !entry.is_empty()) {
            let (id, key) = entry.split_once(':').ok_or_else(|| wrong("a key is not of the form id:key"))?;
            let key = text::key(key).ok_or_else(|| {
                wrong("a key is not 32 bytes as 64 hexadecimal digits or base64; `openssl rand -hex 32` makes one")
            })?;
            ring = Some(match ring {
                Some(ring) => ring.and(id, &*key)?,
                None => KeyRing::new(id, &*key)?,
            });
        }
        ring.ok_or_else(|| wrong("a ring without a key; give at least one as id:key"))
    }

    pub(super) fn first(&self) -> &SealingKey {
        &self.first
    }

    pub(super) fn find(&self, id: &[u8]) -> Option<&SealingKey> {
        self.keys().find(|key| key.id().as_bytes() == id)
    }

    fn keys(&self) -> impl Iterator<Item = &SealingKey> {
        std::iter::once(&self.first).chain(&self.others)
    }
}

impl SealingKey {
    fn new(id: &str, key: &[u8]) -> Result<SealingKey> {
        let is_meant = |letter: u8| letter.is_ascii_alphanumeric() || matches!(letter, b'.' | b'_' | b'-');
        // Short enough that no key can be taken for an id.
        if id.is_empty() || id.len() > 32 || !id.bytes().all(is_meant) {
            return Err(wrong("the id of a key is not 1 to 32 letters, digits, `.`, `_` or `-`"));
        }
        let Ok(bytes) = <&[u8; KEY]>::try_from(key) else {
            return Err(wrong(format!("a key has 32 bytes, not {}", key.len())));
        };
        if bytes.iter().all(|byte| *byte == 0) {
            return Err(wrong("a key is all zeros; draw 32 random bytes, as `openssl rand -hex 32` does"));
        }
        Ok(SealingKey { id: id.into(), bytes: Arc::new(Zeroizing::new(*bytes)) })
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    pub(super) fn bytes(&self) -> &[u8; KEY] {
        &self.bytes
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids: Vec<&str> = self.keys().map(SealingKey::id).collect();
        f.debug_tuple("KeyRing").field(&ids).finish()
    }
}

fn wrong(text: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::Config, text)
}
