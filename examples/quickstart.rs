//! Caches an expensive computation over real files: a digest and a word count of each. Runs it twice.
//!
//! ```text
//! cargo run --example quickstart [FOLDER]
//! cargo run --example quickstart --features full -- --config FILE [FOLDER]
//! ```
//!
//! The first needs no server and no configuration. The second does the same on every cache of a YAML file in
//! turn; run it twice, and the second process finds what the first left in Redis or Memcached.

mod support;

use std::path::Path;
use std::process::ExitCode;

use lexigram_cache::Cache;

use support::{Arguments, Failure, KEEP, Round, SourceFile, Summary, files, round};

fn main() -> ExitCode {
    support::finish(run())
}

fn run() -> Result<(), Failure> {
    let Arguments { config, folder } = Arguments::read()?;
    let caches = match config {
        Some(file) => configured(&file)?,
        None => vec![("memory".to_owned(), Cache::memory())],
    };
    caches.iter().try_for_each(|(name, cache)| run_twice(name, cache, &folder))
}

fn run_twice(name: &str, cache: &Cache, folder: &Path) -> Result<(), Failure> {
    round::print_heading(name, folder);
    let mut total = Summary::default();
    for number in 1..=2 {
        let round = Round::begin(cache.stats());
        let files = files::under(folder)?;
        total = summarize(cache, &files)?;
        round.print(number, files.len(), cache.stats());
    }
    round::print_total(&total);
    Ok(())
}

/// Reads and digests only those files that the cache does not know.
fn summarize(cache: &Cache, files: &[SourceFile]) -> lexigram_cache::Result<Summary> {
    let mut total = Summary::default();
    for file in files {
        total += cache.get_or_compute(&file.key, KEEP, || Summary::of(&file.path))?;
    }
    Ok(total)
}

/// The caches of a configuration file, by name.
#[cfg(feature = "yaml")]
fn configured(file: &Path) -> Result<Vec<(String, Cache)>, Failure> {
    let caches = lexigram_cache::Caches::from_yaml_file(file)?;
    caches.names().map(|name| Ok((name.to_owned(), caches.get(name)?))).collect()
}

#[cfg(not(feature = "yaml"))]
fn configured(_: &Path) -> Result<Vec<(String, Cache)>, Failure> {
    let text = "--config needs the feature yaml, and redis or memcached for such backends: \
        cargo run --example quickstart --features full -- --config FILE";
    Err(Failure::Usage(text.to_owned()))
}
