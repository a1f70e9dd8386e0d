//! Whole files, right and wrong, as a user would write them.

mod refused;
mod taken;

use super::*;

const CANARY: &str = "S3CR3T-7f2a";

fn load(text: &str) -> Result<Config> {
    Config::from_tree(&yaml::parse(text)?, &Features::ALL)
}

fn refusal(text: &str) -> String {
    let error = load(text).expect_err(text);
    assert_eq!(error.kind(), ErrorKind::Config);
    error.to_string()
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
