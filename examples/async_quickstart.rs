//! The quickstart for tasks: the same verbs with `.await`, many files at a time.
//!
//! ```text
//! cargo run --example async_quickstart --features full [-- [--config FILE] [FOLDER]]
//! ```

mod support;

use std::path::Path;
use std::process::ExitCode;
use std::thread::available_parallelism;

use lexigram_cache::BoxError;
use lexigram_cache::aio::{Cache, Caches};
use tokio::runtime::Builder;
use tokio::task::{JoinSet, spawn_blocking};

use support::{Arguments, Failure, KEEP, Round, SourceFile, Summary, files, round};

fn main() -> ExitCode {
    support::finish(start())
}

/// As many digests at once as there are processors, so that tasks find one free when their replies come.
fn start() -> Result<(), Failure> {
    let processors = available_parallelism().map_or(1, usize::from);
    let runtime = Builder::new_multi_thread().enable_all().max_blocking_threads(processors).build()?;
    runtime.block_on(run())
}

async fn run() -> Result<(), Failure> {
    let arguments = Arguments::read()?;
    let Some(file) = arguments.config else {
        return run_twice("memory", &Cache::memory(), &arguments.folder).await;
    };
    let caches = Caches::from_yaml_file(file)?;
    for name in caches.names() {
        run_twice(name, &caches.get(name)?, &arguments.folder).await?;
    }
    Ok(())
}

async fn run_twice(name: &str, cache: &Cache, folder: &Path) -> Result<(), Failure> {
    round::print_heading(name, folder);
    let mut total = Summary::default();
    for number in 1..=2 {
        let round = Round::begin(cache.stats());
        let files = files::under(folder)?;
        total = summarize(cache, &files).await?;
        round.print(number, files.len(), cache.stats());
    }
    round::print_total(&total);
    Ok(())
}

/// A task per file, some at a time: each asks within its own deadline, which thousands at once would miss.
async fn summarize(cache: &Cache, files: &[SourceFile]) -> Result<Summary, Failure> {
    let mut total = Summary::default();
    for some in files.chunks(AT_A_TIME) {
        let mut tasks: JoinSet<_> = some.iter().map(|file| look_at(cache.clone(), file.clone())).collect();
        while let Some(summary) = tasks.join_next().await {
            total += summary??;
        }
    }
    Ok(total)
}

const AT_A_TIME: usize = 64;

/// Digesting would hold up the runtime's other tasks, so it goes to a thread that may block.
async fn look_at(cache: Cache, file: SourceFile) -> lexigram_cache::Result<Summary> {
    let load = async || Ok::<_, BoxError>(spawn_blocking(move || Summary::of(&file.path)).await??);
    cache.get_or_compute(&file.key, KEEP, load).await
}
