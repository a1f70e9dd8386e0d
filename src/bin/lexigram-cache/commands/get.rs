//! `get`: one value.

use lexigram_cache::Cache;
use serde_json::json;
use serde_json::value::RawValue;

use crate::tool::arguments::{Common, Get};
use crate::tool::configured::Target;
use crate::tool::failure::{Code, Failure};
use crate::tool::output::Output;

pub fn run(common: &Common, get: Get, output: &mut Output<'_>) -> Result<Code, Failure> {
    let target = Target::find(common)?;
    if get.bytes {
        return bytes(&target.cache, &get.key, output);
    }
    target.needs_json()?;
    let value: Option<Box<RawValue>> = target.cache.get(&get.key)?;
    let Some(value) = value else {
        return unread(&target.cache, &get.key, output);
    };
    match (output.is_json(), get.text) {
        (true, _) => output.object(&json!({"key": get.key, "found": true, "value": value}))?,
        (false, true) => output.text(unquoted(&value))?,
        (false, false) => output.text(value.get())?,
    }
    Ok(Code::Done)
}

fn bytes(cache: &Cache, key: &str, output: &mut Output<'_>) -> Result<Code, Failure> {
    match cache.export([key])?.remove(key) {
        Some(entry) => output.bytes(&entry.bytes).map(|()| Code::Done),
        None => Ok(Code::No),
    }
}

/// A miss, or something that is no JSON.
fn unread(cache: &Cache, key: &str, output: &mut Output<'_>) -> Result<Code, Failure> {
    if cache.stats().decode_rejected > 0 {
        let text =
            "there is something under this key that is no value of this backend's form; get --bytes shows it";
        return Err(Failure::new(Code::Input, text));
    }
    if output.is_json() {
        output.object(&json!({"key": key, "found": false}))?;
    }
    Ok(Code::No)
}

fn unquoted(value: &RawValue) -> String {
    serde_json::from_str(value.get()).unwrap_or_else(|_| value.get().to_owned())
}
