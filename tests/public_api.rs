//! Every public name with its signature, as it was last looked through: `public_api/names.txt`. Whoever changes it sees so in
//! the diff, and so does who reviews.

use std::path::Path;
use std::process::Command;
use std::{env, fs};

use public_api::PublicApi;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const KEPT: &str = "tests/public_api/names.txt";

#[test]
fn the_public_names_are_those_that_were_looked_through() {
    let json = rustdoc_json();
    if format_of(&json) != FORMAT {
        // Another compiler tells in other words. Checks before a merge run with the one that is read here.
        let text =
            "this rustdoc writes JSON that the crate `public-api` does not read in the version of Cargo.toml";
        assert!(env::var_os("CI").is_none(), "{text}; take one that does, and FORMAT with it");
        return println!("not compared: {text}");
    }
    let names = names(&json);
    if env::var_os("RENEW").is_some() {
        fs::write(Path::new(ROOT).join(KEPT), &names).unwrap();
    }
    let kept = fs::read_to_string(Path::new(ROOT).join(KEPT)).unwrap_or_default();
    let (added, gone) = (without(&names, &kept), without(&kept, &names));
    assert!(
        added.is_empty() && gone.is_empty(),
        "the public names have changed.\nNew:\n{}\nGone, which breaks who uses them:\n{}\n\
         If that is meant: RENEW=1 cargo test --all-features --test public_api, a line in CHANGELOG.md, and the \
         changed {KEPT} in the same commit",
        added.join("\n"),
        gone.join("\n"),
    );
}

/// What version 57 of rustdoc's JSON calls itself, which Rust 1.95 writes.
const FORMAT: u64 = 57;

fn rustdoc_json() -> String {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("it lies in the target folder");
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["rustdoc", "--locked", "--offline", "--quiet", "--lib", "--all-features", "--target-dir"])
        .arg(target)
        .args(["--", "-Z", "unstable-options", "--output-format", "json"])
        .env("RUSTDOC", Path::new(ROOT).join("tests/public_api/rustdoc.sh"))
        .current_dir(ROOT)
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    fs::read_to_string(target.join("doc/lexigram_cache.json")).expect("rustdoc has written it")
}

fn format_of(json: &str) -> u64 {
    let json: serde_json::Value = serde_json::from_str(json).expect("it is JSON");
    json["format_version"].as_u64().expect("it says what it is")
}

/// A line per name. What all types of the world have is no news of ours.
fn names(json: &str) -> String {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("public_api.json");
    fs::write(&path, json).unwrap();
    let api =
        public_api::Builder::from_rustdoc_json(path).omit_blanket_impls(true).omit_auto_trait_impls(true);
    let api: PublicApi = api.build().expect("the format is one that it reads");
    api.to_string()
}

fn without<'a>(these: &'a str, those: &str) -> Vec<&'a str> {
    let those: Vec<&str> = those.lines().collect();
    these.lines().filter(|line| !those.contains(line)).collect()
}
