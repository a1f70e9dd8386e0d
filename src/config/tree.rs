//! A configuration as it was written: values with the lines they stand on, not yet understood.
//!
//! Everything is read into this tree first, from any format. serde's own errors quote the value they
//! could not use, which may be a password, so no typed value is ever asked of a deserialiser.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use super::keys;
use super::source::Mark;

/// A value and where it begins, as far as the format tells.
///
/// Not `Debug`: it holds secrets in the clear.
pub(super) struct Node {
    pub(super) mark: Mark,
    pub(super) value: Value,
}

pub(super) enum Value {
    Nothing,
    Bool(bool),
    Whole(i128),
    Real(f64),
    Text(String),
    /// Text from a variable: it means what its key expects, a number too.
    Loose(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// One `key: value`, in the order of the file, repeated keys included.
pub(super) struct Entry {
    /// `None` if the key is no text, such as `7:` or `true:`.
    pub(super) key: Option<String>,
    pub(super) mark: Mark,
    pub(super) node: Node,
}

impl Entry {
    /// The key, if it is one or looks like one. A line that lost its colon, its dash or a quote can make a key of
    /// anything, of a part of a password too; that has no value then.
    pub(super) fn printable(&self) -> &str {
        let is_bare = matches!(self.node.value, Value::Nothing);
        let is_shown = |key: &&str| !is_bare || keys::all().any(|row| row.name == *key);
        self.key.as_deref().filter(is_shown).map_or("?", printable)
    }
}

/// The key, if it looks like one.
pub(super) fn printable(key: &str) -> &str {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-".contains(&byte);
    let begins = key.starts_with(|c: char| c.is_ascii_lowercase() || c == '_');
    if begins && key.len() <= 40 && key.bytes().all(is_plain) { key } else { "?" }
}

impl Node {
    /// What kind of value it is, never the value.
    pub(super) fn noun(&self) -> &'static str {
        match &self.value {
            Value::Nothing => "nothing",
            Value::Bool(_) => "a boolean",
            Value::Whole(_) | Value::Real(_) => "a number",
            Value::Text(_) | Value::Loose(_) => "text",
            Value::List(_) => "a list",
            Value::Map(_) => "a mapping",
        }
    }

    /// The text, if it is one.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) | Value::Loose(text) => Some(text),
            _ => None,
        }
    }

    /// The value of a key of a mapping.
    pub(super) fn get(&self, key: &str) -> Option<&Entry> {
        match &self.value {
            Value::Map(entries) => entries.iter().find(|entry| entry.key.as_deref() == Some(key)),
            _ => None,
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Node, D::Error> {
        let value = deserializer.deserialize_any(Grow::<Node>::new())?;
        Ok(Node { mark: Mark::default(), value })
    }
}

/// What a tree is grown of: a plain [`Node`], or one that asks its format for the line.
pub(super) trait Place {
    fn into_node(self) -> Node;
}

impl Place for Node {
    fn into_node(self) -> Node {
        self
    }
}

/// Takes any value whose children are `N`.
pub(super) struct Grow<N>(PhantomData<N>);

impl<N> Grow<N> {
    pub(super) fn new() -> Grow<N> {
        Grow(PhantomData)
    }
}

impl<'de, N: Place + Deserialize<'de>> Visitor<'de> for Grow<N> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a configuration value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Nothing)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Nothing)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Whole(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Whole(value.into()))
    }

    fn visit_i128<E>(self, value: i128) -> Result<Value, E> {
        Ok(Value::Whole(value))
    }

    fn visit_u128<E>(self, value: u128) -> Result<Value, E> {
        // No key takes anything near it, so a saturated value is refused like the true one.
        Ok(Value::Whole(i128::try_from(value).unwrap_or(i128::MAX)))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Real(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element::<N>()? {
            list.push(item.into_node());
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Vec::new();
        while let Some((key, value)) = entries.next_entry::<N, N>()? {
            let (key, node) = (key.into_node(), value.into_node());
            let mark = key.mark;
            let key = match key.value {
                Value::Text(text) => Some(text),
                _ => None,
            };
            map.push(Entry { key, mark, node });
        }
        Ok(Value::Map(map))
    }
}
