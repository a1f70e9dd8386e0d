//! Whole files, right and wrong, as a user would write them.

mod completed;
mod files;
mod refused;
#[cfg(feature = "cli")]
mod schema;
mod shown;
mod taken;

use super::*;

const CANARY: &str = "S3CR3T-7f2a";

fn load(text: &str) -> Result<Config> {
    load_with(text, &Features::ALL)
}

/// As a build with these features would, in an empty environment.
fn load_with(text: &str, features: &Features) -> Result<Config> {
    ConfigLoader::new().variables([("", ""); 0]).yaml_str_with(text, features)
}

fn refusal(text: &str) -> String {
    told(load(text).expect_err(text))
}

/// An error's text without the lines that it shows.
fn told(error: Error) -> String {
    assert_eq!(error.kind(), ErrorKind::Config);
    let text = error.to_string();
    let is_shown = |line: &&str| {
        line.trim_start_matches([' ', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9']).starts_with("| ")
    };
    text.lines().filter(|line| !is_shown(line)).collect::<Vec<_>>().join("\n")
}

/// A configuration of one backend with these lines.
fn one(lines: &str) -> String {
    let lines: String = lines.lines().map(|line| format!("      {line}\n")).collect();
    format!("cache:\n  backends:\n    - name: a\n{lines}")
}

fn backend(lines: &str) -> BackendConfig {
    load(&one(lines)).expect("a sound configuration").backends.remove(0)
}

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}
