//! The text of a key that is kept.

use std::borrow::Borrow;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use super::Key;

/// A joined key: up to 23 bytes lie in place, more in one allocation that its clones share.
///
/// Keys are compared far more often than read, so where a short one ends is not counted but marked.
#[derive(Clone, Eq, PartialEq)]
pub(crate) enum KeyText {
    /// Filled up with [`END`].
    Short([u8; SHORT]),
    /// More than [`SHORT`] bytes, so that equal texts are kept in the same way.
    Long(Arc<str>),
}

const SHORT: usize = 23;
/// A byte that no text in UTF-8 has.
const END: u8 = 0xFF;

const _: () = assert!(size_of::<Option<KeyText>>() == 24, "three words, whether there is a key or not");

impl KeyText {
    /// The text of two parts.
    pub(crate) fn joined(prefix: &str, name: &str) -> KeyText {
        let (middle, len) = (prefix.len(), prefix.len() + name.len());
        if len > SHORT {
            return KeyText::Long(if prefix.is_empty() {
                name.into()
            } else {
                [prefix, name].concat().into()
            });
        }
        let mut bytes = [END; SHORT];
        bytes[..middle].copy_from_slice(prefix.as_bytes());
        bytes[middle..len].copy_from_slice(name.as_bytes());
        KeyText::Short(bytes)
    }

    pub(crate) fn as_str(&self) -> &str {
        match self {
            KeyText::Short(bytes) => {
                let len = bytes.iter().position(|&byte| byte == END).unwrap_or(SHORT);
                // What was a text when it was kept still is one.
                str::from_utf8(&bytes[..len]).unwrap_or_default()
            }
            KeyText::Long(text) => text,
        }
    }

    /// Whether it is the text of this key; joins nothing.
    #[inline(always)]
    pub(crate) fn is(&self, key: &Key<'_>) -> bool {
        match key.plain() {
            Some(plain) => self.is_plain(plain),
            None => self.is_joined(key.prefix(), key.name()),
        }
    }

    pub(crate) fn is_joined(&self, prefix: &str, name: &str) -> bool {
        match self {
            KeyText::Short(text) => is_short(text, prefix.as_bytes(), name.as_bytes()),
            KeyText::Long(text) => text.strip_prefix(prefix) == Some(name),
        }
    }

    #[inline(always)]
    pub(crate) fn is_plain(&self, key: Plain<'_>) -> bool {
        match self {
            KeyText::Short(text) => {
                let len = key.0.len();
                text[len] == END && ends(&text[..len]) == ends(key.0)
            }
            KeyText::Long(_) => false,
        }
    }
}

/// A key as most are: without a prefix, of 8 to 16 bytes. A few steps do for it where any other takes a call.
#[derive(Clone, Copy)]
pub(crate) struct Plain<'a>(&'a [u8]);

impl<'a> Plain<'a> {
    #[inline(always)]
    pub(crate) fn of(name: &'a str) -> Option<Plain<'a>> {
        if matches!(name.len(), 8..=16) { Some(Plain(name.as_bytes())) } else { None }
    }

    #[inline(always)]
    pub(crate) fn bytes(self) -> &'a [u8] {
        self.0
    }
}

/// The first and the last 8 bytes, which may overlap.
#[inline(always)]
fn ends(text: &[u8]) -> (u64, u64) {
    let word = |bytes: Option<&[u8; 8]>| bytes.map_or(0, |bytes| u64::from_ne_bytes(*bytes));
    (word(text.first_chunk()), word(text.last_chunk()))
}

fn is_short(text: &[u8; SHORT], prefix: &[u8], name: &[u8]) -> bool {
    let (middle, len) = (prefix.len(), prefix.len() + name.len());
    len <= SHORT
        && text.get(len).is_none_or(|&byte| byte == END)
        && text[middle..len] == *name
        && (middle == 0 || text[..middle] == *prefix)
}

impl From<&str> for KeyText {
    fn from(text: &str) -> KeyText {
        KeyText::joined("", text)
    }
}

/// Of no bytes; no key has that text.
impl Default for KeyText {
    fn default() -> KeyText {
        KeyText::Short([END; SHORT])
    }
}

impl Borrow<str> for KeyText {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

/// As [`str`], for which it is looked up.
impl Hash for KeyText {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl fmt::Debug for KeyText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of so many bytes, whose last letter has two.
    fn text(len: usize) -> String {
        "abcdefghijklmnopqrstuvwxyz0123456789ABCD"[..len - 2].to_owned() + "\u{e9}"
    }

    #[test]
    fn a_text_of_any_length_comes_back_as_it_was() {
        assert_eq!(KeyText::default().as_str(), "");
        for len in 2..=40 {
            assert_eq!(KeyText::from(&*text(len)).as_str(), text(len));
        }
    }

    #[test]
    fn a_text_is_its_parts_wherever_it_is_cut_and_no_others() {
        for len in 3..=40 {
            let whole = text(len);
            let kept = KeyText::from(&*whole);
            for (middle, _) in whole.char_indices() {
                let (prefix, name) = whole.split_at(middle);
                assert_eq!(KeyText::joined(prefix, name), kept);
                assert!(kept.is_joined(prefix, name), "{prefix}+{name}");
                assert!(!kept.is_joined(prefix, &format!("{name}.")) && !kept.is_joined(prefix, ""));
                let others = (0..whole.len() - 2).map(|at| whole[..at].to_owned() + "." + &whole[at + 1..]);
                for other in others.chain([whole[1..].to_owned(), whole[..len - 2].to_owned()]) {
                    assert!(!KeyText::from(&*other).is_joined(prefix, name), "{other} {prefix}+{name}");
                }
            }
        }
    }

    #[test]
    fn a_plain_key_is_its_own_text_and_no_other() {
        for len in 2..=40 {
            let whole = text(len);
            let Some(plain) = Plain::of(&whole) else { continue };
            assert!(KeyText::from(&*whole).is_plain(plain));
            let others = (0..len - 2).map(|at| whole[..at].to_owned() + "." + &whole[at + 1..]);
            let longer = [1, SHORT - len, SHORT].map(|more| whole.clone() + &".".repeat(more));
            for other in others.chain(longer).chain([whole[1..].to_owned(), whole[..len - 2].to_owned()]) {
                assert!(!KeyText::from(&*other).is_plain(plain), "{other} {whole}");
            }
        }
        let are_plain = |len: usize| Plain::of(&text(len)).is_some();
        assert_eq!((2..=40).filter(|&len| are_plain(len)).collect::<Vec<_>>(), (8..=16).collect::<Vec<_>>());
    }

    #[test]
    fn a_text_is_found_by_what_it_reads() {
        let held: std::collections::HashSet<KeyText> =
            [3, 23, 24].map(|len| KeyText::from(&*text(len))).into();
        assert!([3, 23, 24].iter().all(|&len| held.contains(&*text(len))) && !held.contains("abc"));
    }
}
