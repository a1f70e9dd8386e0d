//! `warm`: values from a file of lines, encoded as the backend says.

use crate::tool::arguments::Common;
use crate::tool::configured::Target;
use crate::tool::failure::{Code, Failure};
use crate::tool::load::{self, LoadArguments};
use crate::tool::output::Output;

pub fn run(common: &Common, arguments: LoadArguments, output: &mut Output<'_>) -> Result<Code, Failure> {
    let target = Target::find(common)?;
    target.needs_json()?;
    load::run(&target, &arguments, load::Form::Values, output)
}
