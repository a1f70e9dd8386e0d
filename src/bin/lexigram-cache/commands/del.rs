//! `del`: removes values.

use std::io::{self, BufRead as _};

use serde_json::json;

use crate::tool::arguments::{Common, Del};
use crate::tool::configured::Target;
use crate::tool::failure::{Code, Failure};
use crate::tool::output::Output;

pub fn run(common: &Common, del: Del, output: &mut Output<'_>) -> Result<Code, Failure> {
    let target = Target::find(common)?;
    let mut removed = 0;
    if del.keys == ["-"] {
        let mut batch = Vec::with_capacity(BATCH);
        for line in io::stdin().lock().lines() {
            batch.push(line.map_err(|error| Failure::new(Code::System, format!("standard input: {error}")))?);
            if batch.len() == BATCH {
                removed += target.cache.delete_many(batch.drain(..))?;
            }
        }
        removed += target.cache.delete_many(batch)?;
    } else {
        removed += target.cache.delete_many(&del.keys)?;
    }
    output.line(&json!({"removed": removed}), removed)?;
    Ok(Code::from_found(removed > 0))
}

const BATCH: usize = 1_000;
