//! From a written value to a typed one. Refusals say what is expected, never what was given.

use std::path::PathBuf;
use std::time::Duration;

use super::duration;
use super::fault::{Report, Text};
use super::near::nearest;
use super::tree::{Node, Value};
use super::{
    BackendKind, Environment, MemcachedConfig, MemoryConfig, RedisConfig, RedisMode, Secret, Serializer,
};
use crate::eviction::Eviction;
use crate::policy::OnWaitTimeout;

/// A field that a key fills; a section is one too.
pub(super) trait Fill {
    /// Takes the value, or notes why it cannot be and stays as it was.
    fn fill(&mut self, node: &Node, report: &mut Report);
}

impl<T: FromNode> Fill for T {
    fn fill(&mut self, node: &Node, report: &mut Report) {
        match T::from_node(node) {
            Ok(value) => *self = value,
            Err(text) => report.fault(text),
        }
    }
}

/// A type that one value makes.
pub(super) trait FromNode: Sized {
    fn from_node(node: &Node) -> Result<Self, Text>;
}

impl FromNode for bool {
    fn from_node(node: &Node) -> Result<bool, Text> {
        match node.value {
            Value::Bool(value) => Ok(value),
            _ => refuse("true or false", node),
        }
    }
}

impl FromNode for u16 {
    fn from_node(node: &Node) -> Result<u16, Text> {
        whole(node, u16::MAX.into())
    }
}

impl FromNode for u32 {
    fn from_node(node: &Node) -> Result<u32, Text> {
        whole(node, u32::MAX.into())
    }
}

impl FromNode for u64 {
    fn from_node(node: &Node) -> Result<u64, Text> {
        whole(node, u64::MAX.into())
    }
}

impl FromNode for usize {
    fn from_node(node: &Node) -> Result<usize, Text> {
        whole(node, usize::MAX as i128)
    }
}

fn whole<T: TryFrom<i128>>(node: &Node, largest: i128) -> Result<T, Text> {
    // The largest 64-bit number helps nobody to find a right one.
    let expected = match largest <= u32::MAX.into() {
        true => format!("a whole number from 0 to {largest}"),
        false => "a whole number, not negative".to_owned(),
    };
    match node.value {
        Value::Whole(number) => T::try_from(number).map_err(|_| format!("expected {expected}").into()),
        Value::Real(_) => Err(format!("expected {expected}; this has a fraction, or is too large").into()),
        _ => refuse(&expected, node),
    }
}

impl FromNode for f64 {
    fn from_node(node: &Node) -> Result<f64, Text> {
        match node.value {
            Value::Whole(number) => Ok(number as f64),
            Value::Real(number) => Ok(number),
            _ => refuse("a number", node),
        }
    }
}

impl FromNode for Duration {
    fn from_node(node: &Node) -> Result<Duration, Text> {
        duration::read(node)
    }
}

impl FromNode for String {
    fn from_node(node: &Node) -> Result<String, Text> {
        match &node.value {
            Value::Text(text) => Ok(text.clone()),
            Value::Bool(_) | Value::Whole(_) | Value::Real(_) => {
                Err(format!("expected text; this is {}: put it in quotes", node.noun()).into())
            }
            _ => refuse("text", node),
        }
    }
}

impl FromNode for Secret {
    fn from_node(node: &Node) -> Result<Secret, Text> {
        String::from_node(node).map(Secret::from)
    }
}

impl FromNode for PathBuf {
    fn from_node(node: &Node) -> Result<PathBuf, Text> {
        String::from_node(node).map(PathBuf::from)
    }
}

impl FromNode for Vec<String> {
    fn from_node(node: &Node) -> Result<Vec<String>, Text> {
        match &node.value {
            Value::List(items) => items.iter().map(String::from_node).collect(),
            _ => refuse("a list of texts", node),
        }
    }
}

/// Nothing is `None`: `key_of_mine:` with no value behind it.
impl<T: FromNode> FromNode for Option<T> {
    fn from_node(node: &Node) -> Result<Option<T>, Text> {
        match node.value {
            Value::Nothing => Ok(None),
            _ => T::from_node(node).map(Some),
        }
    }
}

impl FromNode for Serializer {
    fn from_node(node: &Node) -> Result<Serializer, Text> {
        match &node.value {
            Value::Text(text) if text == "pickle" => Err("`pickle` can run code of whoever writes to the \
                server and is not supported; `postcard` is the compact binary form here"
                .into()),
            _ => word(node, Serializer::WORDS),
        }
    }
}

impl FromNode for Environment {
    fn from_node(node: &Node) -> Result<Environment, Text> {
        word(node, Environment::WORDS)
    }
}

/// A type with the default settings; the keys of the type come after it.
impl FromNode for BackendKind {
    fn from_node(node: &Node) -> Result<BackendKind, Text> {
        let kinds: [BackendKind; 3] = [
            MemoryConfig::default().into(),
            RedisConfig::default().into(),
            MemcachedConfig::default().into(),
        ];
        word(node, &kinds.map(|kind| (kind.name(), kind)))
    }
}

impl FromNode for Eviction {
    fn from_node(node: &Node) -> Result<Eviction, Text> {
        word(node, &[("default", Eviction::Default), ("lru", Eviction::Lru)])
    }
}

impl FromNode for OnWaitTimeout {
    fn from_node(node: &Node) -> Result<OnWaitTimeout, Text> {
        word(node, super::service::WAIT_TIMEOUTS)
    }
}

impl FromNode for RedisMode {
    fn from_node(node: &Node) -> Result<RedisMode, Text> {
        word(node, RedisMode::WORDS)
    }
}

/// One of a few words.
fn word<T: Clone>(node: &Node, words: &[(&str, T)]) -> Result<T, Text> {
    let expected = listed(words.iter().map(|(word, _)| *word));
    let Value::Text(text) = &node.value else { return refuse(&expected, node) };
    if let Some((_, value)) = words.iter().find(|(word, _)| word == text) {
        return Ok(value.clone());
    }
    match nearest(text, words.iter().map(|(word, _)| *word)) {
        Some(near) => Err(format!("expected {expected}; did you mean `{near}`?").into()),
        None => Err(format!("expected {expected}").into()),
    }
}

/// `a, b or c`
fn listed<'a>(words: impl Iterator<Item = &'a str>) -> String {
    let words: Vec<&str> = words.collect();
    match words.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => words.concat(),
    }
}

fn refuse<T>(expected: &str, node: &Node) -> Result<T, Text> {
    Err(format!("expected {expected}; this is {}", node.noun()).into())
}
