//! The command line, as clap reads it. The comments are the help texts.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use super::load::LoadArguments;
use super::time::{Life, duration, life};

/// Caches and their servers from a shell: memory, Redis and Memcached, as a configuration names them.
#[derive(Debug, Parser)]
#[command(name = "lexigram-cache", version, after_help = EXIT_CODES, disable_help_subcommand = true)]
pub struct Arguments {
    #[command(flatten)]
    pub common: Common,
    #[command(subcommand)]
    pub command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 done; 1 no: a miss, not stored, used up, something to do; 2 usage; \
3 configuration; 4 no answer, nothing applied; 5 refused by the server; 6 a write without an answer; \
7 unusable key, value, lifetime or line; 8 the backend cannot do that; 9 a file or the system failed. \
`lock run` ends with the code of its command, and where there is none with 100 more than these.";

/// What every command takes.
#[derive(Args, Debug)]
pub struct Common {
    /// The configuration. Else the file that LEX_CACHE_CONFIG names, else ./cache.yaml, else one memory cache.
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Which of its backends. Else the default one.
    #[arg(long, global = true, value_name = "NAME")]
    pub backend: Option<String>,
    /// Prints one JSON object per line, failures too.
    #[arg(long, global = true)]
    pub json: bool,
    /// How long one call may take, such as 500ms. Else what the configuration says.
    #[arg(long, global = true, value_name = "DURATION", value_parser = positive)]
    pub timeout: Option<Duration>,
}

fn positive(text: &str) -> Result<Duration, String> {
    match duration(text)? {
        Duration::ZERO => Err("a timeout of zero is over before a call begins".to_owned()),
        timeout => Ok(timeout),
    }
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Says everything that is wrong with a configuration.
    Check(Check),
    /// Lists the backends of the configuration.
    List,
    /// Asks each backend, or that of --backend, whether it answers.
    Ping,
    /// Prints a value.
    Get(Get),
    /// Stores a value.
    Set(Set),
    /// Removes values, and says how many there were.
    Del(Del),
    /// Prints what is left of a value's lifetime, or gives it a new one.
    Ttl(TtlOf),
    /// Stores the values of a file: lines such as {"key":"a","value":1,"ttl":"5m"}.
    Warm(LoadArguments),
    /// Stores what dump has printed, byte for byte.
    Restore(LoadArguments),
    /// Prints completions for a shell.
    Completions(Completions),
    /// Prints the man page, or that of one command.
    Man(Man),
}

#[derive(Args, Debug)]
pub struct Check {
    /// The file. Else that of --config, and so on.
    pub file: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub struct Get {
    pub key: String,
    /// Prints a text without its quotes.
    #[arg(long, conflicts_with = "bytes")]
    pub text: bool,
    /// Prints the stored bytes as they are.
    #[arg(long, conflicts_with = "json")]
    pub bytes: bool,
}

#[derive(Args, Debug)]
pub struct Set {
    pub key: String,
    /// JSON, such as 1, '"text"' or '{"a":1}'. `-` takes it from standard input.
    pub value: String,
    /// How long it lives: 5m, 250ms, 30 (seconds), never. Else what the configuration says.
    #[arg(long, value_name = "LIFETIME", value_parser = life, default_value = "default")]
    pub ttl: Life,
    /// Takes the value for a text, not for JSON.
    #[arg(long, conflicts_with = "bytes")]
    pub text: bool,
    /// Takes the value for the bytes to be stored, as get --bytes prints them.
    #[arg(long, conflicts_with_all = ["add", "replace"])]
    pub bytes: bool,
    /// Only if there is none.
    #[arg(long, conflicts_with = "replace")]
    pub add: bool,
    /// Only if there is one.
    #[arg(long)]
    pub replace: bool,
}

#[derive(Args, Debug)]
pub struct Del {
    /// `-` takes keys from standard input, one a line.
    #[arg(required = true)]
    pub keys: Vec<String>,
}

#[derive(Args, Debug)]
pub struct TtlOf {
    pub key: String,
    /// The new lifetime: 5m, 250ms, 30 (seconds), never, default.
    #[arg(long, value_name = "LIFETIME", value_parser = life)]
    pub set: Option<Life>,
}

#[derive(Args, Debug)]
pub struct Completions {
    pub shell: clap_complete::Shell,
}

#[derive(Args, Debug)]
pub struct Man {
    pub command: Option<String>,
}
