//! `completions`: for a shell, from the command line's own declaration.

use clap::CommandFactory as _;

use crate::tool::arguments::{Arguments, Completions};
use crate::tool::failure::{Code, Failure};
use crate::tool::output::Output;

pub fn run(completions: Completions, output: &mut Output<'_>) -> Result<Code, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(completions.shell, &mut Arguments::command(), "lexigram-cache", &mut script);
    output.bytes(&script)?;
    Ok(Code::Done)
}
