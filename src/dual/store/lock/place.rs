//! Where a lock is kept.

use std::time::Duration;

use crate::error::{Error, ErrorKind, Result};
use crate::key::{Key, Prefix};
use crate::lock::Claim;

/// The keys of a lock. They share a hash tag, which is its name: so a Redis Cluster keeps them on one node, and one
/// script may name them all.
#[derive(Clone, Debug)]
pub(super) struct Place {
    prefix: Prefix,
    /// As the caller gave it.
    pub(super) name: String,
    key: String,
    fence: String,
}

impl Place {
    /// # Errors
    /// `InvalidKey` for an empty name.
    pub(super) fn new(prefix: &Prefix, name: &str) -> Result<Place> {
        if name.is_empty() {
            let text = "a lock needs a name; give that of what it protects";
            return Err(Error::new(ErrorKind::InvalidKey, text));
        }
        let key = tag(name);
        Ok(Place { prefix: prefix.clone(), name: name.to_owned(), fence: format!("{key}fence"), key })
    }

    /// One of several places of the same name, which share its fencing numbers.
    pub(super) fn slot(&self, number: u32) -> Place {
        Place { key: format!("{}{number}", self.key), ..self.clone() }
    }

    /// # Errors
    /// None: neither name is empty.
    pub(super) fn claim<'a>(&'a self, token: &'a str, hold: Duration) -> Result<Claim<'a>> {
        let (key, fence) = (self.key()?, self.prefix.key(&self.fence)?);
        Ok(Claim { key, fence, token, hold, replicas: 0, wait: None })
    }

    /// # Errors
    /// None: it is not empty.
    pub(super) fn key(&self) -> Result<Key<'_>> {
        self.prefix.key(&self.key)
    }

    /// What all who wait for a lock of this name have in common.
    pub(super) fn queue(&self) -> String {
        format!("{}{}", self.prefix.as_str(), self.fence)
    }
}

/// A name as a hash tag: braces in it would end or begin another.
fn tag(name: &str) -> String {
    let escaped = name.replace('%', "%25").replace('{', "%7B").replace('}', "%7D");
    format!("{{{escaped}}}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_names_share_a_key_and_no_name_breaks_its_tag() {
        let names = ["a", "a}", "{a", "{a}", "a%7D", "a}fence", "%", "%25", "a}0", "0"];
        let mut seen = std::collections::HashMap::new();
        for name in names {
            let place = Place::new(&Prefix::default(), name).unwrap();
            let slots = [place.slot(0), place.slot(10)];
            for key in [&place.key, &place.fence, &slots[0].key, &slots[1].key] {
                assert_eq!(seen.insert(key.clone(), name), None);
                assert_eq!((key.find('{'), key.matches('}').count()), (Some(0), 1), "{key}");
                assert!(key.starts_with(&place.key));
            }
        }
    }

    #[test]
    fn an_empty_name_is_refused() {
        assert_eq!(Place::new(&Prefix::default(), "").err().unwrap().kind(), ErrorKind::InvalidKey);
    }
}
