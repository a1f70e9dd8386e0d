//! A line of NDJSON: a key with its value, and for how long.

use std::borrow::Cow;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lexigram_cache::{Entry, Remaining};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use serde_json::error::Category;
use serde_json::value::RawValue;

use super::time::{self, Life};

/// `{"key":"a","value":1,"ttl":"5m"}`; in the place of `value`, `base64` has the stored bytes of what is no JSON.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Record<'a> {
    #[serde(borrow)]
    pub key: Cow<'a, str>,
    #[serde(borrow, default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub value: Option<&'a RawValue>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base64: Option<String>,
    /// Seconds, or text: `"5m"`, `"never"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl: Option<Value>,
}

/// A null is a value too.
fn present<'de: 'a, 'a, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'a RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

/// What is stored.
#[derive(Clone)]
pub enum Payload {
    Json(Box<RawValue>),
    Bytes(Vec<u8>),
}

impl<'a> Record<'a> {
    /// # Errors
    /// What is wrong with the line, without a word of it.
    pub fn read(line: &'a [u8]) -> Result<Record<'a>, String> {
        serde_json::from_slice(line).map_err(|error| match error.classify() {
            Category::Data => {
                "needs \"key\", a text, and \"value\"; may have \"ttl\", and no more".to_owned()
            }
            Category::Eof => "is not JSON: it ends too early".to_owned(),
            Category::Syntax | Category::Io => format!("is not JSON, from column {} on", error.column()),
        })
    }

    /// Of a stored value. JSON stays readable where that says it byte for byte, on one line.
    pub fn of(key: &'a str, entry: &'a Entry) -> Record<'a> {
        let text = std::str::from_utf8(&entry.bytes).ok().filter(|text| !text.contains(['\n', '\r']));
        let value = text.and_then(|text| serde_json::from_str::<&RawValue>(text).ok());
        let value = value.filter(|value| value.get().len() == entry.bytes.len());
        let base64 = value.is_none().then(|| STANDARD.encode(&entry.bytes));
        let ttl = time::remaining_json(entry.remaining.unwrap_or(Remaining::Never));
        Record { key: key.into(), value, base64, ttl: Some(ttl) }
    }

    /// # Errors
    /// What is wrong with it.
    pub fn payload(&self) -> Result<Payload, String> {
        match (self.value, &self.base64) {
            (Some(value), None) => Ok(Payload::Json(value.to_owned())),
            (None, Some(text)) => {
                STANDARD.decode(text).map(Payload::Bytes).map_err(|_| "\"base64\" is none".to_owned())
            }
            (None, None) => Err("has no \"value\"".to_owned()),
            (Some(_), Some(_)) => Err("has both \"value\" and \"base64\"".to_owned()),
        }
    }

    /// # Errors
    /// What is wrong with it.
    pub fn life(&self) -> Result<Option<Life>, String> {
        match &self.ttl {
            None => Ok(None),
            Some(Value::String(text)) => time::life(text).map(Some),
            Some(Value::Number(seconds)) => {
                let seconds = seconds.as_f64().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
                match seconds.filter(|seconds| !seconds.is_zero()) {
                    Some(seconds) => Ok(Some(Life::For(seconds))),
                    None => Err("\"ttl\" is no time that a value can live".to_owned()),
                }
            }
            Some(_) => Err("\"ttl\" is neither seconds nor a text such as \"5m\" or \"never\"".to_owned()),
        }
    }
}
