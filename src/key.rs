//! Names of values: a prefix that is checked once, and a name that is checked per call.

mod text;

use std::hash::BuildHasher;
use std::sync::Arc;
use std::time::Duration;

use foldhash::quality::RandomState;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

pub(crate) use self::text::{KeyText, Plain};
use crate::error::{Error, ErrorKind, Result};

/// What the keys of stores begin with, and no escaped prefix does.
const OF_STORES: &str = "lexigram%";

/// The namespace of a cache, ready to stand in front of a name.
///
/// `:` and `%` inside it are percent-escaped, so the first bare `:` of a wire key ends the prefix and no
/// two pairs of prefix and name share a key: (`a:b`, `c`) is `a%3Ab:c`, (`a`, `b:c`) is `a:b:c`. The
/// empty prefix is no namespace: names are the server's keys as they are.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Prefix {
    /// Escaped and with its `:`, or empty.
    text: Arc<str>,
    stale_for: Duration,
}

impl Prefix {
    /// Escapes a prefix as the user wrote it.
    pub fn new(raw: &str) -> Prefix {
        if raw.is_empty() {
            return Prefix::default();
        }
        let escaped = raw.replace('%', "%25").replace(':', "%3A");
        Prefix { text: format!("{escaped}:").into(), ..Prefix::default() }
    }

    /// The keys of one kind of store in a namespace: `lexigram%lock:app:`, and `lexigram%lock::` where there is none. No
    /// cache with a prefix shares them, since escaping leaves no `%l`, and no two namespaces do. Braces are escaped too, so
    /// that a hash tag in a name is the first of its key.
    pub(crate) fn of_store(kind: &str, namespace: &Prefix) -> Prefix {
        let namespace = if namespace.text.is_empty() { ":" } else { &namespace.text };
        let namespace = namespace.replace('{', "%7B").replace('}', "%7D");
        Prefix { text: format!("{OF_STORES}{kind}:{namespace}").into(), ..Prefix::default() }
    }

    /// Whether a joined key is one of a store.
    pub(crate) fn is_of_store(joined: &[u8]) -> bool {
        joined.starts_with(OF_STORES.as_bytes())
    }

    /// The part of this namespace that belongs to one name: of `lexigram%limit:app:` and `logins` it is
    /// `lexigram%limit:app:logins:`. No two names share a part, and none shares a name's own key.
    pub(crate) fn within(&self, name: &str) -> Prefix {
        Prefix { text: format!("{}{}", self.text, Prefix::new(name).text).into(), ..self.clone() }
    }

    /// The same namespace, whose values are kept so long past their time.
    pub fn keeping(self, stale_for: Duration) -> Prefix {
        Prefix { stale_for, ..self }
    }

    /// As [`Key::stale_for`], of each of its keys.
    pub fn stale_for(&self) -> Duration {
        self.stale_for
    }

    /// What stands before each name on the wire; empty for no namespace.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Names a value in this namespace.
    ///
    /// # Errors
    /// `InvalidKey` for an empty name.
    #[inline]
    pub fn key<'a>(&'a self, name: &'a str) -> Result<Key<'a>> {
        self.named(name).ok_or_else(no_name)
    }

    /// [`key`](Prefix::key), without saying what is wrong.
    #[inline(always)]
    pub(crate) fn named<'a>(&'a self, name: &'a str) -> Option<Key<'a>> {
        if name.is_empty() { None } else { Some(Key { prefix: self, name }) }
    }
}

#[cold]
fn no_name() -> Error {
    Error::new(ErrorKind::InvalidKey, "a key must not be empty; name the value that is meant")
}

/// A checked key in its two parts. Memory compares the parts; only a wire joins them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Key<'a> {
    prefix: &'a Prefix,
    name: &'a str,
}

impl<'a> Key<'a> {
    /// The escaped prefix with its `:`, or nothing.
    pub fn prefix(&self) -> &'a str {
        &self.prefix.text
    }

    /// The name as the caller gave it.
    pub fn name(&self) -> &'a str {
        self.name
    }

    /// How long past its time the namespace keeps a value: it is stored for that much longer, and absent for
    /// every verb as soon as no more than that is left. Zero unless the backend
    /// [keeps stale values](crate::Backend::keeps_stale).
    pub fn stale_for(&self) -> Duration {
        self.prefix.stale_for
    }

    /// This key, if it is plain.
    #[inline(always)]
    pub(crate) fn plain(&self) -> Option<Plain<'a>> {
        if self.prefix.text.is_empty() { Plain::of(self.name) } else { None }
    }

    /// Length of the joined key in bytes.
    #[expect(clippy::len_without_is_empty, reason = "a key is never empty")]
    pub fn len(&self) -> usize {
        self.prefix().len() + self.name.len()
    }

    /// The key in one piece, as servers see it. One allocation.
    pub fn joined(&self) -> String {
        let mut joined = String::with_capacity(self.len());
        joined.push_str(self.prefix());
        joined.push_str(self.name);
        joined
    }

    /// [`joined`](Key::joined), without an allocation where there is nothing to join.
    #[cfg(feature = "redis")]
    pub(crate) fn text(&self) -> std::borrow::Cow<'a, str> {
        if self.prefix().is_empty() { self.name.into() } else { self.joined().into() }
    }

    /// [`joined`](Key::joined), to be kept.
    pub(crate) fn kept(&self) -> KeyText {
        KeyText::joined(self.prefix(), self.name)
    }

    /// Whether this joined text is this key; joins nothing.
    pub fn is(&self, joined: &str) -> bool {
        joined.strip_prefix(self.prefix()) == Some(self.name)
    }
}

/// Each name once, in the order of its first mention.
pub(crate) fn distinct(names: impl IntoIterator<Item = impl AsRef<str>>) -> Vec<String> {
    let names = names.into_iter();
    // An iterator may promise more than it has.
    let room = names.size_hint().0.min(1024);
    let hasher = RandomState::default();
    let mut once: Vec<String> = Vec::with_capacity(room);
    let mut places = HashTable::with_capacity(room);
    for name in names {
        let name = name.as_ref();
        let place = places.entry(
            hasher.hash_one(name),
            |place: &usize| once[*place] == name,
            |place| hasher.hash_one(&once[*place]),
        );
        if let Entry::Vacant(vacant) = place {
            vacant.insert(once.len());
            once.push(name.to_owned());
        }
    }
    once
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_name_is_refused_with_and_without_a_prefix() {
        for prefix in ["", "app"] {
            let error = Prefix::new(prefix).key("").unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidKey);
        }
    }

    #[test]
    fn no_two_pairs_with_a_prefix_share_a_key() {
        let parts = ["a", "b", "a:b", "a%3Ab", ":", "%", "a:", ":a", "%3A"];
        let mut seen = std::collections::HashMap::new();
        for prefix in parts {
            for name in parts {
                let joined = Prefix::new(prefix).key(name).unwrap().joined();
                assert_eq!(seen.insert(joined, (prefix, name)), None);
            }
        }
    }

    #[test]
    fn stores_share_no_key_with_caches_other_stores_or_other_namespaces() {
        let parts = ["a", "a:", ":", "%", "lexigram%lock", "lexigram%lock:", "lexigram%lock::a", "%lock"];
        let mut seen = std::collections::HashMap::new();
        let mut meet = |prefix: Prefix, name: &'static str, of: (&'static str, &'static str)| {
            let joined = prefix.key(name).unwrap().joined();
            assert_eq!(seen.insert(joined, (of, name)), None);
        };
        for name in parts {
            for namespace in parts {
                meet(Prefix::new(namespace), name, ("cache", namespace));
            }
            for namespace in ["", "a", "a:", ":", "{", "%7B"] {
                meet(Prefix::of_store("lock", &Prefix::new(namespace)), name, ("lock", namespace));
                meet(Prefix::of_store("state", &Prefix::new(namespace)), name, ("state", namespace));
            }
        }
    }

    #[test]
    fn without_a_prefix_the_name_is_the_key() {
        assert_eq!(Prefix::new("").key("user:1").unwrap().joined(), "user:1");
    }

    #[test]
    fn a_key_knows_its_joined_form_without_joining() {
        let prefix = Prefix::new("app");
        let key = prefix.key("x").unwrap();
        assert!(key.is("app:x"));
        assert!(!key.is("app:xy") && !key.is("x") && !key.is("app:"));
    }
}
