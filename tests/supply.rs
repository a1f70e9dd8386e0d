//! What this crate brings into a build: how much, under which licences, and what never. Read from `deny.toml`,
//! `Cargo.lock` and `cargo tree`, without a network.

use std::collections::BTreeSet;
use std::process::Command;
use std::{env, fs};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

#[test]
fn the_default_build_is_small() {
    assert_at_most(22, &["--edges=normal"]);
}

#[test]
fn the_redis_build_is_of_a_decent_size() {
    assert_at_most(65, &["--edges=normal", "--features=redis"]);
}

#[test]
fn the_blocking_build_brings_no_runtime_no_openssl_and_no_c_compiler() {
    let crates = tree(&["--edges=normal,build", "--features=redis,memcached,encryption"]);
    let unwanted = |name: &str| matches!(name, "tokio" | "cc") || name.starts_with("openssl");
    let found: Vec<_> = crates.iter().filter(|line| unwanted(first_word(line))).collect();
    assert!(found.is_empty() && crates.len() > 30, "{found:?} in {crates:#?}");
}

#[test]
fn the_program_brings_neither_a_runtime_nor_openssl() {
    let crates = tree(&["--edges=normal", "--features=cli"]);
    let unwanted = |name: &str| name == "tokio" || name.starts_with("openssl");
    let found: Vec<_> = crates.iter().filter(|line| unwanted(first_word(line))).collect();
    assert!(found.is_empty() && crates.len() > 30, "{found:?} in {crates:#?}");
}

#[test]
fn who_uses_the_library_compiles_no_command_line() {
    let of_the_program = |name: &str| name.starts_with("clap") || name.starts_with("signal-hook");
    let crates = tree(&["--edges=normal", "--features=full"]);
    let found: Vec<_> = crates.iter().filter(|line| of_the_program(first_word(line))).collect();
    assert!(found.is_empty() && crates.len() > 60, "{found:?} in {crates:#?}");
    assert!(tree(&["--edges=normal", "--features=cli"]).iter().any(|line| of_the_program(first_word(line))));
}

#[test]
fn nothing_banned_is_locked() {
    let locked = locked();
    let bans = quoted_after(&deny(), "{ crate = ");
    assert!(bans.len() >= 6 && locked.len() > 100, "{bans:?}, {} locked", locked.len());
    let found: Vec<_> = bans.iter().filter(|ban| locked.iter().any(|it| is_banned(it, ban))).collect();
    assert!(found.is_empty(), "deny.toml says why these are banned: {found:?}");
}

#[test]
fn every_crate_comes_from_the_one_registry() {
    let lock = read("Cargo.lock");
    let sources: BTreeSet<String> = quoted_after(&lock, "source = ").into_iter().collect();
    assert!(
        sources.len() == 1 && sources.iter().all(|source| source.starts_with("registry+")),
        "{sources:?}"
    );
}

#[test]
fn every_licence_is_on_the_list() {
    let allowed =
        deny().split("allow = [").nth(1).and_then(|rest| rest.split(']').next()).unwrap().to_owned();
    let allowed = quoted_after(&allowed, "");
    let crates = tree(&["--edges=normal,build,dev", "--all-features", "--format={p}\t{l}"]);
    let foreign: Vec<_> = crates.iter().filter(|line| !is_allowed(after_tab(line), &allowed)).collect();
    assert!(foreign.is_empty() && crates.len() > 100, "{foreign:#?} of {}", crates.len());
}

#[test]
fn the_checks_can_fail() {
    let allowed = ["MIT".to_owned(), "Unicode-3.0".to_owned()];
    for good in ["MIT", "GPL-3.0 OR MIT", "GPL-3.0/MIT", "(GPL-3.0 OR MIT) AND Unicode-3.0"] {
        assert!(is_allowed(good, &allowed), "{good}");
    }
    for bad in ["", "GPL-3.0", "MIT AND GPL-3.0", "(MIT OR Zlib) AND BSD-3-Clause", "MIT WITH x"] {
        assert!(!is_allowed(bad, &allowed), "{bad}");
    }
    let lru = |version: &str| ("lru".to_owned(), version.to_owned());
    assert!(is_banned(&lru("0.18.1"), "lru:<0.18.2") && is_banned(&lru("0.9.9"), "lru:<0.18.2"));
    assert!(!is_banned(&lru("0.18.2"), "lru:<0.18.2") && !is_banned(&lru("0.19.0"), "lru:<0.18.2"));
    assert!(is_banned(&lru("1.0.0"), "lru") && !is_banned(&lru("1.0.0"), "lru2"));
}

#[track_caller]
fn assert_at_most(most: usize, arguments: &[&str]) {
    let crates = tree(arguments);
    let others = crates.iter().filter(|line| first_word(line) != env!("CARGO_PKG_NAME")).count();
    assert!(
        others > 5 && others <= most,
        "{others} crates beside this one, at most {most} wanted: {crates:#?}"
    );
}

/// The lines of `cargo tree`, each crate once.
fn tree(arguments: &[&str]) -> BTreeSet<String> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["tree", "--locked", "--offline", "--prefix=none"])
        .args(arguments)
        .current_dir(ROOT)
        .output()
        .expect("cargo runs");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "`cargo fetch --locked` once, with a network, may help:\n{errors}");
    let lines = String::from_utf8(output.stdout).expect("cargo prints text");
    lines
        .lines()
        .map(|line| line.trim_end_matches(" (*)").to_owned())
        .filter(|line| !line.is_empty())
        .collect()
}

fn locked() -> Vec<(String, String)> {
    let lock = read("Cargo.lock");
    let packages = lock.split("[[package]]").skip(1);
    packages
        .map(|one| (quoted_after(one, "name = ").remove(0), quoted_after(one, "version = ").remove(0)))
        .collect()
}

/// A ban is a name, or a name with the first good version: `lru:<0.18.2`.
fn is_banned((name, version): &(String, String), ban: &str) -> bool {
    match ban.split_once(":<") {
        Some((banned, first_good)) => name == banned && numbers(version) < numbers(first_good),
        None => name == ban,
    }
}

fn numbers(version: &str) -> Vec<u64> {
    version.split(['.', '-', '+']).map_while(|part| part.parse().ok()).collect()
}

/// Licence expressions as they occur: alternatives, and a group of them combined with one more by `AND`.
fn is_allowed(expression: &str, allowed: &[String]) -> bool {
    let any = |group: &str| {
        let group = group.trim_matches(['(', ')', ' ']).replace('/', " OR ");
        group.split(" OR ").any(|one| allowed.iter().any(|name| name == one.trim()))
    };
    expression.split(" AND ").all(any)
}

/// The quoted texts that follow `start`.
fn quoted_after(text: &str, start: &str) -> Vec<String> {
    let start = format!("{start}\"");
    let mut rest = text;
    let mut found = Vec::new();
    while let Some((quoted, after)) = rest.split_once(&start).and_then(|(_, after)| after.split_once('"')) {
        found.push(quoted.to_owned());
        rest = after;
    }
    found
}

fn deny() -> String {
    read("deny.toml")
}

fn read(file: &str) -> String {
    fs::read_to_string(format!("{ROOT}/{file}")).unwrap_or_else(|e| panic!("{file}: {e}"))
}

fn first_word(line: &str) -> &str {
    line.split(' ').next().unwrap_or_default()
}

fn after_tab(line: &str) -> &str {
    line.split('\t').nth(1).unwrap_or_default()
}
