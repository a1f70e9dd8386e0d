//! Sealing secrets: bytes that only who has the key can read, and only under the name that they were sealed for.
//!
//! ```text
//! magic 4 │ version 1 │ length of the key's id 1 │ key's id │ nonce 24 │ ciphertext │ tag 16
//! ╰──────────────── header ───────────────────────────────╯
//! ```
//!
//! XChaCha20-Poly1305 under a random nonce. Authenticated with the ciphertext are the header, the prefix of the key (which
//! says what kind of store it is of, and the namespace) and the name: a blob opens nowhere but where it was put.

mod cipher;
mod keyring;
mod secret;
#[cfg(test)]
mod tests;
mod text;

use zeroize::Zeroizing;

use self::cipher::{NONCE, TAG};
pub use self::keyring::KeyRing;
use self::keyring::SealingKey;
pub use self::secret::Secret;
use crate::chance::random;
use crate::error::{Error, ErrorKind, Result};
use crate::key::Key;

/// Seals for one key, under the first of the ring.
///
/// # Errors
/// `TooLarge` for more than [`Secret::MAX_LEN`] bytes; `Unsupported` if the system gives no random numbers.
pub(crate) fn seal(ring: &KeyRing, place: &Key<'_>, plain: &[u8]) -> Result<Vec<u8>> {
    seal_with(ring.first(), random()?, place, plain)
}

fn seal_with(key: &SealingKey, nonce: [u8; NONCE], place: &Key<'_>, plain: &[u8]) -> Result<Vec<u8>> {
    if plain.len() > Secret::MAX_LEN {
        let text = format!("a secret of {} bytes; at most {} are taken", plain.len(), Secret::MAX_LEN);
        return Err(Error::new(ErrorKind::TooLarge, text));
    }
    let header = header_of(key);
    // Of its final size at once: a vector that grows would leave plaintext behind.
    let mut blob = Zeroizing::new(Vec::with_capacity(header.len() + NONCE + plain.len() + TAG));
    blob.extend_from_slice(&header);
    blob.extend_from_slice(&nonce);
    let text = blob.len();
    blob.extend_from_slice(plain);
    let bound = bound_to(&header, place);
    let tag = cipher::encrypt(key.bytes(), &nonce, &bound, &mut blob[text..])?;
    blob.extend_from_slice(&tag);
    Ok(std::mem::take(&mut *blob))
}

/// What was sealed for this key, by any key of the ring.
///
/// # Errors
/// `Decode` for whatever does not open: bytes of another kind, a version or key that is not known, another key, place or
/// content than when it was sealed.
pub(crate) fn open(ring: &KeyRing, place: &Key<'_>, blob: &[u8]) -> Result<Secret> {
    let Parts { header, id, nonce, ciphertext, tag } = parts(blob)?;
    let unknown = || closed("it was sealed by a key that is not in the ring; add that key behind the first");
    let key = ring.find(id).ok_or_else(unknown)?;
    let mut plain = Zeroizing::new(ciphertext.to_vec());
    match cipher::decrypt(key.bytes(), nonce, &bound_to(header, place), &mut plain, tag) {
        true => Ok(Secret::new(plain)),
        false => Err(closed("it was sealed by another key of this id, or for another name, or is damaged")),
    }
}

/// Whether the first key of the ring has sealed it, as the blob itself says.
///
/// # Errors
/// `Decode` for bytes of another kind.
pub(crate) fn is_under_first(ring: &KeyRing, blob: &[u8]) -> Result<bool> {
    Ok(parts(blob)?.id == ring.first().id().as_bytes())
}

struct Parts<'a> {
    header: &'a [u8],
    id: &'a [u8],
    nonce: &'a [u8; NONCE],
    ciphertext: &'a [u8],
    tag: &'a [u8; TAG],
}

fn parts(blob: &[u8]) -> Result<Parts<'_>> {
    let strange = || closed("it is no sealed secret");
    let rest = blob.strip_prefix(&MAGIC).ok_or_else(strange)?;
    let (version, rest) = rest.split_first().ok_or_else(strange)?;
    if *version != VERSION {
        return Err(closed("it was sealed in a form that this version does not know"));
    }
    let (length, rest) = rest.split_first().ok_or_else(strange)?;
    let (id, rest) = rest.split_at_checked(usize::from(*length)).ok_or_else(strange)?;
    let (header, _) = blob.split_at(blob.len() - rest.len());
    let (nonce, rest) = rest.split_first_chunk().ok_or_else(strange)?;
    let (ciphertext, tag) = rest.split_last_chunk().ok_or_else(strange)?;
    Ok(Parts { header, id, nonce, ciphertext, tag })
}

fn header_of(key: &SealingKey) -> Vec<u8> {
    let id = key.id().as_bytes();
    // An id of a ring has at most 32 bytes.
    [&MAGIC[..], &[VERSION, id.len() as u8], id].concat()
}

/// What is authenticated beside the ciphertext. Each part but the last tells its length, so no two places read the same.
fn bound_to(header: &[u8], place: &Key<'_>) -> Vec<u8> {
    let prefix = place.prefix().as_bytes();
    [header, &(prefix.len() as u64).to_le_bytes(), prefix, place.name().as_bytes()].concat()
}

fn closed(why: &'static str) -> Error {
    Error::new(ErrorKind::Decode, format!("the secret does not open: {why}"))
}

/// No text in UTF-8 begins so, and no value of a cache.
const MAGIC: [u8; 4] = *b"\xFDLGS";
const VERSION: u8 = 1;
