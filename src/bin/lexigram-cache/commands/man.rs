//! `man`: the page of the program, or of one of its commands.

use clap::CommandFactory as _;

use crate::tool::arguments::{Arguments, Man};
use crate::tool::failure::{Code, Failure};
use crate::tool::output::Output;

pub fn run(man: Man, output: &mut Output<'_>) -> Result<Code, Failure> {
    let mut program = Arguments::command();
    program.build();
    let page = match &man.command {
        None => program,
        Some(name) => {
            let command = program.find_subcommand(name);
            command
                .cloned()
                .ok_or_else(|| Failure::new(Code::Usage, format!("there is no command `{name}`")))?
        }
    };
    let mut roff = Vec::new();
    let written = clap_mangen::Man::new(page).render(&mut roff);
    written.map_err(|error| Failure::new(Code::System, error.to_string()))?;
    output.bytes(&roff)?;
    Ok(Code::Done)
}
