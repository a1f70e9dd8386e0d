//! The tool: read the command line, do one command, end with a code that says what became of it.

mod arguments;
mod chart;
mod child;
mod commands;
mod configured;
mod failure;
mod load;
mod output;
mod percentiles;
mod record;
mod server;
mod table;
mod time;
mod walk;

use std::io;
use std::process::ExitCode;

use clap::Parser as _;

use self::arguments::{Arguments, Command, Limit, Lock};
use self::failure::{Code, Ending, Failure};
use self::output::Output;

pub fn run() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(help_or_fault) => {
            // To a reader that is gone there is nothing more to say.
            let _ = help_or_fault.print();
            return Ending::from(Code::from_clap(help_or_fault.exit_code())).into();
        }
    };
    let json = arguments.common.json;
    let mut output = Output::new(io::stdout().lock(), json);
    let done = obey(arguments, &mut output);
    let done = done.and_then(|ending| output.flush().map(|()| ending));
    match done {
        Ok(ending) => ending.into(),
        Err(failure) => {
            // What was said before the failure stands.
            let _ = output.flush();
            failure.tell(json);
            Ending::from(failure.code()).into()
        }
    }
}

fn obey(arguments: Arguments, output: &mut Output<'_>) -> Result<Ending, Failure> {
    let common = &arguments.common;
    let done = match arguments.command {
        Command::Check(check) => commands::check::run(common, check, output),
        Command::List => commands::list::run(common, output),
        Command::Ping => commands::ping::run(common, output),
        Command::Get(get) => commands::get::run(common, get, output),
        Command::Set(set) => commands::set::run(common, set, output),
        Command::Del(del) => commands::del::run(common, del, output),
        Command::Ttl(ttl) => commands::ttl::run(common, ttl, output),
        Command::Keys(keys) => commands::keys::run(common, keys, output),
        Command::Clear(clear) => commands::clear::run(common, clear, output),
        Command::Doctor => commands::doctor::run(common, output),
        Command::Stats(stats) => commands::stats::run(common, stats, output),
        Command::Dump(dump) => commands::dump::run(common, dump, output),
        Command::Bench(bench) => commands::bench::run(common, bench, output),
        Command::Lock(Lock::Run(run)) => return Ok(commands::lock::run(common, run)),
        Command::Limit(Limit::Check(check)) => commands::limit::run(common, check, output),
        Command::Warm(warm) => commands::warm::run(common, warm, output),
        Command::Restore(restore) => commands::restore::run(common, restore, output),
        Command::Schema => commands::schema::run(output),
        Command::Completions(completions) => commands::completions::run(completions, output),
        Command::Man(man) => commands::man::run(man, output),
    };
    done.map(Ending::from)
}
