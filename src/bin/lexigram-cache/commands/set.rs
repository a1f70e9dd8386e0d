//! `set`: stores one value.

use std::io::{self, Read as _};

use serde_json::json;
use serde_json::value::{RawValue, to_raw_value};

use crate::tool::arguments::{Common, Set};
use crate::tool::configured::Target;
use crate::tool::failure::{Code, Failure};
use crate::tool::output::Output;

pub fn run(common: &Common, set: Set, output: &mut Output<'_>) -> Result<Code, Failure> {
    let target = Target::find(common)?;
    let (cache, given) = (&target.cache, given(&set.value)?);
    let stored = if set.bytes {
        cache.import([(&set.key, given)], set.ttl)?;
        true
    } else {
        target.needs_json()?;
        let value = value(given, set.text)?;
        match (set.add, set.replace) {
            (true, _) => cache.add(&set.key, &value, set.ttl)?,
            (_, true) => cache.replace(&set.key, &value, set.ttl)?,
            _ => cache.set(&set.key, &value, set.ttl).map(|()| true)?,
        }
    };
    if output.is_json() {
        output.object(&json!({"key": set.key, "stored": stored}))?;
    }
    Ok(Code::from_found(stored))
}

/// The bytes of the argument, or of standard input.
fn given(value: &str) -> Result<Vec<u8>, Failure> {
    if value != "-" {
        return Ok(value.as_bytes().to_vec());
    }
    let mut bytes = Vec::new();
    let read = io::stdin().lock().read_to_end(&mut bytes);
    read.map_err(|error| Failure::new(Code::System, format!("standard input: {error}")))?;
    Ok(bytes)
}

fn value(given: Vec<u8>, text: bool) -> Result<Box<RawValue>, Failure> {
    let wrong = |text| Failure::new(Code::Input, text);
    let given =
        String::from_utf8(given).map_err(|_| wrong("the value is no UTF-8; give --bytes for any bytes"))?;
    match text {
        true => to_raw_value(&given).map_err(|_| wrong("the value cannot be written as JSON")),
        false => RawValue::from_string(given)
            .map_err(|_| wrong("the value is not JSON; give --text to store it as a text")),
    }
}
