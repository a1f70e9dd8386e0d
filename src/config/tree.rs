//! A configuration as it was written: values with the lines they stand on, not yet understood.
//!
//! Everything is read into this tree first, from any format. serde's own errors quote the value they
//! could not use, which may be a password, so no typed value is ever asked of a deserialiser.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

/// A value and the line it begins on; 0 where the format does not tell.
///
/// Not `Debug`: it holds secrets in the clear.
pub(super) struct Node {
    pub(super) line: u64,
    pub(super) value: Value,
}

pub(super) enum Value {
    Nothing,
    Bool(bool),
    Whole(i128),
    Real(f64),
    Text(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// One `key: value`, in the order of the file, repeated keys included.
pub(super) struct Entry {
    /// `None` if the key is no text, such as `7:` or `true:`.
    pub(super) key: Option<String>,
    pub(super) line: u64,
    pub(super) node: Node,
}

impl Node {
    /// What kind of value it is, never the value.
    pub(super) fn noun(&self) -> &'static str {
        match &self.value {
            Value::Nothing => "nothing",
            Value::Bool(_) => "a boolean",
            Value::Whole(_) | Value::Real(_) => "a number",
            Value::Text(_) => "text",
            Value::List(_) => "a list",
            Value::Map(_) => "a mapping",
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
        Ok(Node { line: 0, value })
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
            let line = key.line;
            let key = match key.value {
                Value::Text(text) => Some(text),
                _ => None,
            };
            map.push(Entry { key, line, node });
        }
        Ok(Value::Map(map))
    }
}
