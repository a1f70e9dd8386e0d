//! `keys`: names, as they come.

use serde_json::json;

use crate::tool::arguments::{Common, Keys};
use crate::tool::configured::Target;
use crate::tool::failure::{Code, Failure};
use crate::tool::output::Output;
use crate::tool::walk::walk;

pub fn run(common: &Common, keys: Keys, output: &mut Output<'_>) -> Result<Code, Failure> {
    let target = Target::find(common)?;
    let found = walk(&target.cache, &keys.which, |page| {
        for key in page {
            output.line(&json!({"key": key}), &key)?;
        }
        Ok(())
    })?;
    Ok(Code::from_found(found > 0))
}
