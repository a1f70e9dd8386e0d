//! The command line, as clap reads it. The comments are the help texts.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use lexigram_cache::config::Environment;

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
    /// Prints keys as they come. On Redis one that moves meanwhile can come twice.
    Keys(Keys),
    /// Removes everything under the backend's key_prefix.
    Clear(Clear),
    /// Looks at each backend, or that of --backend: does it answer, how fast, is it fit for a cache; and says what to do.
    Doctor,
    /// Prints what the servers count: hits, misses, memory, evictions.
    Stats(Stats),
    /// Stores the values of a file: lines such as {"key":"a","value":1,"ttl":"5m"}.
    Warm(LoadArguments),
    /// Prints values as lines for restore and warm, in whatever form they are stored.
    Dump(Dump),
    /// Stores what dump has printed, byte for byte.
    Restore(LoadArguments),
    /// Measures how long reads and writes take, on keys of its own.
    Bench(Bench),
    /// Locks that all who use the backend agree on.
    #[command(subcommand)]
    Lock(Lock),
    /// Rate limits that all who use the backend agree on.
    #[command(subcommand)]
    Limit(Limit),
    /// Prints the JSON Schema of a configuration, by which editors complete keys.
    Schema,
    /// Prints completions for a shell.
    Completions(Completions),
    /// Prints the man page, or that of one command.
    Man(Man),
}

#[derive(Args, Debug)]
pub struct Check {
    /// The file. Else that of --config, and so on.
    pub file: Option<PathBuf>,
    /// As if the program ran there: production refuses weak passwords, and takes the file for it beside this one.
    #[arg(long, value_enum)]
    pub env: Option<Env>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Env {
    Development,
    Staging,
    Production,
    Test,
}

impl From<Env> for Environment {
    fn from(env: Env) -> Environment {
        match env {
            Env::Development => Environment::Development,
            Env::Staging => Environment::Staging,
            Env::Production => Environment::Production,
            Env::Test => Environment::Test,
        }
    }
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

/// Which keys are meant.
#[derive(Args, Debug)]
pub struct Which {
    /// Those that begin with this.
    #[arg(long, conflicts_with = "matching")]
    pub prefix: Option<String>,
    /// Those that fit this glob: *, ?, [a-z].
    #[arg(long = "match", value_name = "GLOB")]
    pub matching: Option<String>,
    /// No more than so many.
    #[arg(long)]
    pub limit: Option<u64>,
}

#[derive(Args, Debug)]
pub struct Keys {
    #[command(flatten)]
    pub which: Which,
}

#[derive(Args, Debug)]
pub struct Clear {
    /// It is meant.
    #[arg(long)]
    pub yes: bool,
    /// Also where the backend has no key_prefix, and so all keys of the database go but those of stores.
    #[arg(long)]
    pub without_prefix: bool,
}

#[derive(Args, Debug)]
pub struct Dump {
    #[command(flatten)]
    pub which: Which,
    /// The keys that this file names, one a line, in place of a walk, which Memcached cannot do. `-` is standard input.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["prefix", "matching", "limit"])]
    pub keys: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub struct Stats {
    /// Looks again and again, and shows what came between.
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub watch: Option<Duration>,
    /// How often it looks. Else without end.
    #[arg(long, requires = "watch", value_parser = clap::value_parser!(u32).range(1..))]
    pub rounds: Option<u32>,
}

#[derive(Args, Debug)]
pub struct Bench {
    /// How many calls of each kind.
    #[arg(long, default_value = "10000", value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    pub requests: u32,
    /// How many threads make them.
    #[arg(long, default_value = "4", value_parser = clap::value_parser!(u8).range(1..=64))]
    pub threads: u8,
    /// How many bytes each value has.
    #[arg(long, default_value = "100", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub size: u32,
    /// Draws the latencies into this file.
    #[arg(long, value_name = "FILE")]
    pub svg: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub enum Lock {
    /// Runs a command while it holds a lock, and ends with the command's code.
    Run(LockRun),
}

#[derive(Args, Debug)]
pub struct LockRun {
    pub name: String,
    /// For how long the lock is taken; it is renewed while the command runs.
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "30s")]
    pub ttl: Duration,
    /// How long to wait for it.
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "0")]
    pub wait: Duration,
    /// Only warns when the lock is lost. Else the command is ended: SIGTERM, and after 10 s SIGKILL.
    #[arg(long)]
    pub keep_running: bool,
    /// The command. It finds the fencing number in LEXIGRAM_LOCK_FENCING, and the name in LEXIGRAM_LOCK_NAME.
    #[arg(last = true, required = true)]
    pub command: Vec<OsString>,
}

#[derive(Debug, Subcommand)]
pub enum Limit {
    /// Takes permits, or says that there are none: then the exit code is 1.
    Check(LimitCheck),
}

#[derive(Args, Debug)]
pub struct LimitCheck {
    pub name: String,
    /// Who is limited.
    #[arg(long, default_value = "cli")]
    pub subject: String,
    /// How many permits there are in --per.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    pub limit: u64,
    /// In how much time. Programs that share a limit have to name the same.
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "1m")]
    pub per: Duration,
    /// How many of them may be taken at once.
    #[arg(long)]
    pub burst: Option<u64>,
    /// How many to take.
    #[arg(long, default_value = "1")]
    pub permits: u64,
    /// Takes none, and says what a check would say.
    #[arg(long)]
    pub peek: bool,
}

#[derive(Args, Debug)]
pub struct Completions {
    pub shell: clap_complete::Shell,
}

#[derive(Args, Debug)]
pub struct Man {
    pub command: Option<String>,
}
