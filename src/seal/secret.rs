//! A secret that was opened.

use std::fmt;

use ctutils::CtEq;
use zeroize::Zeroizing;

/// A secret as [`SecretStore::get_secret`](crate::SecretStore::get_secret) gives it. Its bytes are wiped when it is dropped,
/// and seen only where they are [exposed](Secret::expose): `Debug` shows `Secret(..)`, and there is no `Display`, no
/// `Clone` and no `Serialize`. Secrets are compared in a time that tells their lengths at most.
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// The most bytes that a secret may have: 1 MiB. Memcached takes somewhat less.
    pub const MAX_LEN: usize = 1 << 20;

    pub(super) fn new(bytes: Zeroizing<Vec<u8>>) -> Secret {
        Secret(bytes)
    }

    /// The secret itself. What it is copied to is not wiped.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// The secret itself as text; `None` if it is none.
    pub fn expose_str(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Secret) -> bool {
        *self == *other.expose()
    }
}

impl Eq for Secret {}

impl PartialEq<[u8]> for Secret {
    fn eq(&self, other: &[u8]) -> bool {
        self.0.ct_eq(other).to_bool()
    }
}

impl PartialEq<str> for Secret {
    fn eq(&self, other: &str) -> bool {
        *self == *other.as_bytes()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}
