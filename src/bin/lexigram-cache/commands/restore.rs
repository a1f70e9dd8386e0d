//! `restore`: what `dump` has printed, byte for byte.

use crate::tool::arguments::Common;
use crate::tool::configured::Target;
use crate::tool::failure::{Code, Failure};
use crate::tool::load::{self, LoadArguments};
use crate::tool::output::Output;

pub fn run(common: &Common, arguments: LoadArguments, output: &mut Output<'_>) -> Result<Code, Failure> {
    load::run(&Target::find(common)?, &arguments, load::Form::Bytes, output)
}
