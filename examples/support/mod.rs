//! What both quickstarts need beside a cache: arguments, files, the computation, the table of rounds.

mod arguments;
pub mod files;
pub mod round;
mod summary;

use std::process::ExitCode;
use std::time::Duration;

pub use arguments::Arguments;
pub use files::SourceFile;
pub use round::Round;
pub use summary::Summary;

/// How long a summary is kept. A server that is shared with others should not keep an example's values for ever.
pub const KEEP: Duration = Duration::from_secs(60 * 60);

/// Why an example ends early.
#[derive(Debug)]
pub enum Failure {
    /// It was called in a way it does not know.
    Usage(String),
    /// It was called well, but cannot go on.
    Failed(String),
}

impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Failure {
        Failure::Failed(error.to_string())
    }
}

/// Tells a failure, and gives the exit code: 0, 1 for a failure, 2 for wrong arguments.
pub fn finish(outcome: Result<(), Failure>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Failed(text)) => {
            eprintln!("error: {text}");
            ExitCode::FAILURE
        }
        Err(Failure::Usage(text)) => {
            eprintln!("error: {text}\n\n{}", arguments::USAGE);
            ExitCode::from(2)
        }
    }
}
