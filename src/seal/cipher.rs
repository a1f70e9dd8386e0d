//! XChaCha20-Poly1305, in place.

use chacha20poly1305::aead::{AeadInOut, KeyInit};
use chacha20poly1305::{Tag, XChaCha20Poly1305, XNonce};

use crate::error::{Error, ErrorKind, Result};

pub(super) const KEY: usize = 32;
pub(super) const NONCE: usize = 24;
pub(super) const TAG: usize = 16;

/// # Errors
/// `TooLarge` beyond what one nonce covers, 256 GiB.
pub(super) fn encrypt(
    key: &[u8; KEY],
    nonce: &[u8; NONCE],
    bound: &[u8],
    text: &mut [u8],
) -> Result<[u8; TAG]> {
    let tag =
        XChaCha20Poly1305::new(key.into()).encrypt_inout_detached(&XNonce::from(*nonce), bound, text.into());
    tag.map(Into::into).map_err(|_| Error::new(ErrorKind::TooLarge, "the text is too long for one nonce"))
}

/// Whether it is what was sealed; else the text is left as it was.
pub(super) fn decrypt(
    key: &[u8; KEY],
    nonce: &[u8; NONCE],
    bound: &[u8],
    text: &mut [u8],
    tag: &[u8; TAG],
) -> bool {
    let cipher = XChaCha20Poly1305::new(key.into());
    cipher.decrypt_inout_detached(&XNonce::from(*nonce), bound, text.into(), &Tag::from(*tag)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes<const N: usize>(from: u8) -> [u8; N] {
        std::array::from_fn(|at| from + at as u8)
    }

    fn unhex(text: &str) -> Vec<u8> {
        let digits: Vec<u8> = text.chars().filter_map(|digit| digit.to_digit(16)).map(|d| d as u8).collect();
        digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
    }

    /// draft-irtf-cfrg-xchacha-03, appendix A.3.1.
    #[test]
    fn a_text_is_sealed_as_the_published_vector_says() {
        let text =
            b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, \
            sunscreen would be it.";
        let expected = unhex(
            "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb731c7f1b0b4aa6440bf3a82f4eda7e39
             ae64c6708c54c216cb96b72e1213b4522f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff9
             21f9664c97637da9768812f615c68b13b52e",
        );
        let (key, nonce) = (bytes::<KEY>(0x80), bytes::<NONCE>(0x40));
        let bound = unhex("50515253c0c1c2c3c4c5c6c7");
        let mut sealed = text.to_vec();
        let tag = encrypt(&key, &nonce, &bound, &mut sealed).unwrap();
        assert_eq!(sealed, expected);
        assert_eq!(tag.to_vec(), unhex("c0875924c1c7987947deafd8780acf49"));
        assert!(decrypt(&key, &nonce, &bound, &mut sealed, &tag));
        assert_eq!(sealed, text);
    }

    #[test]
    fn another_key_nonce_or_binding_opens_nothing_and_shows_nothing() {
        let (key, nonce) = (bytes::<KEY>(1), bytes::<NONCE>(1));
        let mut sealed = b"text".to_vec();
        let tag = encrypt(&key, &nonce, b"bound", &mut sealed).unwrap();
        let before = sealed.clone();
        assert!(!decrypt(&bytes(2), &nonce, b"bound", &mut sealed, &tag));
        assert!(!decrypt(&key, &bytes(2), b"bound", &mut sealed, &tag));
        assert!(!decrypt(&key, &nonce, b"bounD", &mut sealed, &tag));
        assert!(!decrypt(&key, &nonce, b"bound", &mut sealed, &bytes(0)));
        assert_eq!(sealed, before);
        assert!(decrypt(&key, &nonce, b"bound", &mut sealed, &tag));
    }
}
