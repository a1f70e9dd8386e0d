//! `ttl`: what is left of a lifetime, or a new one.

use serde_json::json;

use crate::tool::arguments::{Common, TtlOf};
use crate::tool::configured::Target;
use crate::tool::failure::{Code, Failure};
use crate::tool::output::Output;
use crate::tool::time::{remaining_json, remaining_text};

pub fn run(common: &Common, ttl: TtlOf, output: &mut Output<'_>) -> Result<Code, Failure> {
    let cache = Target::find(common)?.cache;
    if let Some(life) = ttl.set {
        let touched = cache.touch(&ttl.key, life)?;
        if output.is_json() {
            output.object(&json!({"key": ttl.key, "found": touched}))?;
        }
        return Ok(Code::from_found(touched));
    }
    let left = cache.ttl(&ttl.key)?;
    match left {
        Some(left) => {
            let object = json!({"key": ttl.key, "found": true, "ttl": remaining_json(left)});
            output.line(&object, remaining_text(left))?;
        }
        None if output.is_json() => output.object(&json!({"key": ttl.key, "found": false}))?,
        None => {}
    }
    Ok(Code::from_found(left.is_some()))
}
