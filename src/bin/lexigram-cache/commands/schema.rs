//! `schema`: what a configuration may hold, for editors.

use lexigram_cache::Config;

use crate::tool::failure::{Code, Failure};
use crate::tool::output::Output;

pub fn run(output: &mut Output<'_>) -> Result<Code, Failure> {
    output.bytes(Config::json_schema().as_bytes())?;
    Ok(Code::Done)
}
