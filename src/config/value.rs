//! From a written value to a typed one, and what shape of value each type takes. Refusals say what is expected, never
//! what was given.

use std::path::PathBuf;
use std::time::Duration;

use super::duration;
use super::fault::{Report, Text};
use super::near::nearest;
use super::secret_file;
use super::shape::Shape;
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

    /// What a value looks like that it takes.
    fn shape() -> Shape;
}

impl<T: FromNode> Fill for T {
    fn fill(&mut self, node: &Node, report: &mut Report) {
        match T::from_node(node) {
            Ok(value) => *self = value,
            Err(text) => report.fault(text),
        }
    }

    fn shape() -> Shape {
        T::shape()
    }
}

/// A type that one value makes.
pub(super) trait FromNode: Sized {
    fn from_node(node: &Node) -> Result<Self, Text>;

    fn shape() -> Shape;
}

impl FromNode for bool {
    fn from_node(node: &Node) -> Result<bool, Text> {
        match &node.value {
            Value::Bool(value) => Ok(*value),
            // As YAML reads them.
            Value::Loose(text) => match text.trim().to_ascii_lowercase().as_str() {
                "true" | "yes" | "on" => Ok(true),
                "false" | "no" | "off" => Ok(false),
                _ => refuse("true or false", node),
            },
            _ => refuse("true or false", node),
        }
    }

    fn shape() -> Shape {
        Shape::Flag
    }
}

impl FromNode for u16 {
    fn from_node(node: &Node) -> Result<u16, Text> {
        whole(node, u16::MAX.into())
    }

    fn shape() -> Shape {
        Shape::Whole { most: u16::MAX.into() }
    }
}

impl FromNode for u32 {
    fn from_node(node: &Node) -> Result<u32, Text> {
        whole(node, u32::MAX.into())
    }

    fn shape() -> Shape {
        Shape::Whole { most: u32::MAX.into() }
    }
}

impl FromNode for u64 {
    fn from_node(node: &Node) -> Result<u64, Text> {
        whole(node, u64::MAX.into())
    }

    fn shape() -> Shape {
        Shape::Whole { most: u64::MAX.into() }
    }
}

impl FromNode for usize {
    fn from_node(node: &Node) -> Result<usize, Text> {
        whole(node, usize::MAX as i128)
    }

    fn shape() -> Shape {
        Shape::Whole { most: usize::MAX as i128 }
    }
}

fn whole<T: TryFrom<i128>>(node: &Node, largest: i128) -> Result<T, Text> {
    // The largest 64-bit number helps nobody to find a right one.
    let expected = match largest <= u32::MAX.into() {
        true => format!("a whole number from 0 to {largest}"),
        false => "a whole number, not negative".to_owned(),
    };
    let number = match &node.value {
        Value::Whole(number) => Some(*number),
        Value::Loose(text) => text.trim().parse().ok(),
        _ => None,
    };
    if let Some(number) = number {
        return T::try_from(number).map_err(|_| format!("expected {expected}").into());
    }
    match node.value {
        Value::Real(_) => Err(format!("expected {expected}; this has a fraction, or is too large").into()),
        _ => refuse(&expected, node),
    }
}

impl FromNode for f64 {
    fn from_node(node: &Node) -> Result<f64, Text> {
        match &node.value {
            Value::Whole(number) => Ok(*number as f64),
            Value::Real(number) => Ok(*number),
            Value::Loose(text) => text.trim().parse().or_else(|_| refuse("a number", node)),
            _ => refuse("a number", node),
        }
    }

    fn shape() -> Shape {
        Shape::Fraction
    }
}

impl FromNode for Duration {
    fn from_node(node: &Node) -> Result<Duration, Text> {
        duration::read(node)
    }

    fn shape() -> Shape {
        Shape::Duration
    }
}

impl FromNode for String {
    fn from_node(node: &Node) -> Result<String, Text> {
        match &node.value {
            Value::Text(text) | Value::Loose(text) => Ok(text.clone()),
            Value::Bool(_) | Value::Whole(_) | Value::Real(_) => {
                Err(format!("expected text; this is {}: put it in quotes", node.noun()).into())
            }
            _ => refuse("text", node),
        }
    }

    fn shape() -> Shape {
        Shape::Text
    }
}

/// The text itself, or `file:` and the path of a file that holds it.
impl FromNode for Secret {
    fn from_node(node: &Node) -> Result<Secret, Text> {
        let text = String::from_node(node)?;
        match text.strip_prefix("file:") {
            Some(path) => secret_file::read(path).map(Secret::from),
            None => Ok(text.into()),
        }
    }

    fn shape() -> Shape {
        Shape::Secret
    }
}

impl FromNode for PathBuf {
    fn from_node(node: &Node) -> Result<PathBuf, Text> {
        String::from_node(node).map(PathBuf::from)
    }

    fn shape() -> Shape {
        Shape::Text
    }
}

impl FromNode for Vec<String> {
    fn from_node(node: &Node) -> Result<Vec<String>, Text> {
        match &node.value {
            Value::List(items) => items.iter().map(String::from_node).collect(),
            Value::Loose(text) => Ok(text.split(',').map(|item| item.trim().to_owned()).collect()),
            _ => refuse("a list of texts", node),
        }
    }

    fn shape() -> Shape {
        Shape::Texts
    }
}

/// Nothing is `None`: `key_of_mine:` with no value behind it, and a variable that is empty.
impl<T: FromNode> FromNode for Option<T> {
    fn from_node(node: &Node) -> Result<Option<T>, Text> {
        match &node.value {
            Value::Nothing => Ok(None),
            Value::Loose(text) if text.is_empty() => Ok(None),
            _ => T::from_node(node).map(Some),
        }
    }

    fn shape() -> Shape {
        Shape::Optional(Box::new(T::shape()))
    }
}

/// A type that has a word for each of its values.
pub(super) trait Words: Clone + Sized {
    fn words() -> Vec<(&'static str, Self)>;

    /// What is said of a word that is none of them, where more is known than that.
    fn refusal(_word: &str) -> Option<&'static str> {
        None
    }
}

impl Words for Serializer {
    fn words() -> Vec<(&'static str, Serializer)> {
        Serializer::WORDS.to_vec()
    }

    fn refusal(word: &str) -> Option<&'static str> {
        (word == "pickle").then_some(
            "`pickle` can run code of whoever writes to the server and is not supported; `postcard` is the \
             compact binary form here",
        )
    }
}

impl Words for Environment {
    fn words() -> Vec<(&'static str, Environment)> {
        Environment::WORDS.to_vec()
    }
}

/// A type with the default settings; the keys of the type come after it.
impl Words for BackendKind {
    fn words() -> Vec<(&'static str, BackendKind)> {
        let kinds: [BackendKind; 3] = [
            MemoryConfig::default().into(),
            RedisConfig::default().into(),
            MemcachedConfig::default().into(),
        ];
        kinds.map(|kind| (kind.name(), kind)).into()
    }
}

impl Words for Eviction {
    fn words() -> Vec<(&'static str, Eviction)> {
        vec![("default", Eviction::Default), ("lru", Eviction::Lru)]
    }
}

impl Words for OnWaitTimeout {
    fn words() -> Vec<(&'static str, OnWaitTimeout)> {
        super::service::WAIT_TIMEOUTS.to_vec()
    }
}

impl Words for RedisMode {
    fn words() -> Vec<(&'static str, RedisMode)> {
        RedisMode::WORDS.to_vec()
    }
}

macro_rules! from_words {
    ($($type:ty),*) => {$(
        impl FromNode for $type {
            fn from_node(node: &Node) -> Result<$type, Text> {
                word(node)
            }

            fn shape() -> Shape {
                Shape::Words(<$type>::words().into_iter().map(|(word, _)| word).collect())
            }
        }
    )*};
}

from_words!(Serializer, Environment, BackendKind, Eviction, OnWaitTimeout, RedisMode);

/// One of a few words.
fn word<T: Words>(node: &Node) -> Result<T, Text> {
    let words = T::words();
    let expected = listed(words.iter().map(|(word, _)| *word));
    let Some(text) = node.text() else { return refuse(&expected, node) };
    if let Some((_, value)) = words.iter().find(|(word, _)| *word == text) {
        return Ok(value.clone());
    }
    if let Some(refusal) = T::refusal(text) {
        return Err(refusal.into());
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
