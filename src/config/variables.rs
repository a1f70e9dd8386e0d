//! The environment that a configuration is read in: that of the process, or a map.

use std::collections::BTreeMap;

/// Names and values; `None` is a value that is no text.
///
/// Not `Debug`: it holds secrets in the clear.
#[derive(Clone, Default)]
pub(super) struct Variables(BTreeMap<String, Option<String>>);

impl Variables {
    /// What the process has now. A name that is no text is none of ours.
    pub(super) fn of_process() -> Variables {
        let named = std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value)));
        Variables(named.map(|(name, value)| (name, value.into_string().ok())).collect())
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_deref()
    }

    pub(super) fn forget(&mut self, name: &str) {
        self.0.remove(name);
    }

    /// Those whose names begin so, by the rest of the name.
    pub(super) fn beginning_with(&self, start: &str) -> impl Iterator<Item = (&str, Option<&str>)> {
        let each = self.0.iter();
        each.filter_map(move |(name, value)| Some((name.strip_prefix(start)?, value.as_deref())))
    }
}

impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for Variables {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Variables {
        Variables(pairs.into_iter().map(|(name, value)| (name.into(), Some(value.into()))).collect())
    }
}
