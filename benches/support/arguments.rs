//! What a bench is told on its command line.

use std::env;
use std::path::PathBuf;

/// What follows `name`.
pub fn argument(name: &str) -> Option<PathBuf> {
    env::args_os().skip_while(|argument| argument != name).nth(1).map(PathBuf::from)
}

pub fn flag(name: &str) -> bool {
    env::args_os().any(|argument| argument == name)
}

/// What follows `name`, as in `--threads 1,2`.
pub fn numbers(name: &str) -> Option<Vec<usize>> {
    let list = argument(name)?;
    let number = |one: &str| one.parse().unwrap_or_else(|error| panic!("{name} {one}: {error}"));
    Some(list.to_str().expect("numbers are text").split(',').map(number).collect())
}

/// Whether `--only` names this, or nothing.
pub fn wanted(name: &str) -> bool {
    argument("--only").is_none_or(|only| only.as_os_str() == name)
}

/// What stands there by itself: no option, and not what follows one.
pub fn files() -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut arguments = env::args_os().skip(1);
    while let Some(argument) = arguments.next() {
        if WITH_VALUE.iter().any(|name| argument == *name) {
            arguments.next();
        } else if !argument.to_string_lossy().starts_with("--") {
            files.push(argument.into());
        }
    }
    files
}

const WITH_VALUE: [&str; 6] = ["--csv", "--only", "--rounds", "--sizes", "--svg", "--threads"];
