//! What a load is told on the command line.

use std::num::NonZero;
use std::path::PathBuf;

use clap::Args;

use crate::tool::time::{Life, life};

#[derive(Args, Debug)]
pub struct LoadArguments {
    /// Lines of JSON: {"key":"a","value":1,"ttl":"5m"}. `-` is standard input.
    pub file: PathBuf,
    /// How long those live whose line does not say: 5m, 250ms, 30 (seconds), never. Else what the configuration says.
    #[arg(long, value_name = "LIFETIME", value_parser = life, default_value = "default")]
    pub ttl: Life,
    /// At most so many values a second.
    #[arg(long, value_name = "PER_SECOND")]
    pub rate: Option<NonZero<u32>>,
    /// Passes over lines that cannot be used, and tells which. Else the first of them ends the load.
    #[arg(long)]
    pub skip_bad: bool,
    /// How many values at most go in one round trip.
    #[arg(long, default_value = "1000", value_parser = clap::value_parser!(u16).range(1..=10_000))]
    pub batch: u16,
    /// How many round trips at most are under way at once.
    #[arg(long, default_value = "4", value_parser = clap::value_parser!(u8).range(1..=64))]
    pub connections: u8,
    /// Where it is remembered how far all is stored, until all is. Else FILE.lexigram-state.
    #[arg(long, value_name = "FILE")]
    pub state: Option<PathBuf>,
    /// Begins with the first line, whatever a load that was ended early has stored.
    #[arg(long)]
    pub restart: bool,
}
