//! The program `lexigram-cache`: caches and their servers from a shell. It is built on the public names of the library.
#![forbid(unsafe_code)]

#[path = "lexigram-cache/mod.rs"]
mod tool;

use std::process::ExitCode;

fn main() -> ExitCode {
    tool::run()
}
