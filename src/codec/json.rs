//! Exactly the JSON text.

use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::error::Category;

use super::budget::Budget;
use super::compression::Zip;
use super::fault::Fault;
use super::{counted, frame};

/// What a frame calls this format.
const CONTENT: u8 = 2;

pub(super) fn encode<T: Serialize + ?Sized>(
    value: &T,
    took: Option<Duration>,
    zip: &Zip,
) -> Result<Vec<u8>, Fault> {
    let text = serde_json::to_vec(value)
        .map_err(|_| Fault::from("its Serialize failed, or a map's key is neither text nor a number"))?;
    Ok(zip.zip(CONTENT, frame::ANY_SHAPE, took, &text)?.unwrap_or(text))
}

pub(super) fn decode<T: DeserializeOwned>(bytes: &[u8], zip: &Zip) -> Result<T, Fault> {
    let payload = frame::open(bytes, CONTENT, frame::ANY_SHAPE, zip)?;
    let budget = Budget::new(bytes.len(), zip.limit());
    read(payload.as_deref().unwrap_or(bytes), &budget)
        .map_err(|error| budget.fault().unwrap_or_else(|| reason(&error)))
}

/// The value that all of `text` is.
fn read<T: DeserializeOwned>(text: &[u8], budget: &Budget) -> serde_json::Result<T> {
    let mut reader = serde_json::Deserializer::from_slice(text);
    let value = counted::read(&mut reader, budget)?;
    reader.end()?;
    Ok(value)
}

/// The place and the category; the error's own text quotes the value.
fn reason(error: &serde_json::Error) -> Fault {
    let what = match error.classify() {
        Category::Io => "unreadable",
        Category::Syntax => "not JSON",
        Category::Data => "JSON of another shape",
        Category::Eof => "it ends too early",
    };
    format!("{what}, line {} column {}", error.line(), error.column()).into()
}
