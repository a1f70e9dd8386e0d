//! The rings of ARCHITECTURE.md, kept: who may name whom. A broken rule is reported with file, line and remedy.

#[path = "rings/source.rs"]
mod source;

use std::fs;
use std::path::Path;

use source::Source;

/// What the files of a ring must not say, and what to do about it.
struct Rule {
    ring: fn(&str) -> bool,
    never: &'static [Never],
    remedy: &'static str,
}

enum Never {
    /// This identifier, anywhere.
    Word(&'static str),
    /// This module of the crate, imported or called by its path.
    Module(&'static str),
    /// This path, imported or written out.
    Path(&'static str),
    /// This feature in a `cfg`.
    Feature(&'static str),
}

use Never::{Feature, Module, Path as Full, Word};

const RULES: &[Rule] = &[
    Rule {
        ring: |file| is_word(file) || is_engine(file),
        never: &[Word("dual"), Module("rt"), Word("async"), Word("await"), Word("tokio")],
        remedy: "words and engines never wait and exist once: decide here, and wait in src/dual/ or src/rt/",
    },
    Rule {
        ring: is_word,
        never: &[Module("engine"), Module("wire"), Module("handle")],
        remedy: "words know std and each other only: pass the value in, or move the code to the ring that decides",
    },
    Rule {
        ring: is_dual,
        never: &[
            Full("std::thread"),
            Word("tokio"),
            Full("crate::blocking"),
            Full("crate::aio"),
            Feature("async"),
        ],
        remedy: "src/dual/ is compiled for both worlds: give the difference a name in src/rt/ and say `rt::…`",
    },
    Rule {
        ring: |file| file.starts_with("src/rt/"),
        never: &[Word("dual")],
        remedy: "the seam knows nobody above it: let src/dual/ pass in what it needs",
    },
    Rule {
        ring: |file| file.starts_with("src/bin/"),
        never: &[Word("async"), Word("await"), Word("tokio")],
        remedy: "the program is blocking: use the names at the root of the library",
    },
    Rule {
        ring: |file| file == "src/lib.rs",
        never: &[Word("fn")],
        remedy: "lib.rs is a map: move the logic to the module it belongs to and re-export its name",
    },
];

const MOST_LINES: usize = 400;

fn is_word(file: &str) -> bool {
    let top = file.strip_prefix("src/").unwrap_or(file);
    let folder = ["codec/", "config/", "policy/", "seal/"].iter().any(|folder| top.starts_with(folder));
    // What simulations put behind the doors is no word: no other build has it.
    folder || (!top.contains('/') && !["lib.rs", "simulation.rs"].contains(&top))
}

fn is_engine(file: &str) -> bool {
    ["src/engine/", "src/wire/", "src/handle/"].iter().any(|folder| file.starts_with(folder))
}

fn is_dual(file: &str) -> bool {
    file.starts_with("src/dual/") || file == "src/dual.rs"
}

#[test]
fn the_rings_hold() {
    let mut files = Vec::new();
    collect(Path::new(env!("CARGO_MANIFEST_DIR")), "src", &mut files);
    assert!(files.len() >= 10, "only {} files were looked at: is `src` in its place?", files.len());
    let broken: Vec<String> = files.iter().flat_map(|(file, text)| broken_rules(file, text)).collect();
    assert!(broken.is_empty(), "{} broken:\n{}", broken.len(), broken.join("\n"));
}

fn collect(root: &Path, folder: &str, files: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(root.join(folder)).expect("the source folder is readable") {
        let entry = entry.expect("its entries are readable");
        let name = format!("{folder}/{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            collect(root, &name, files);
        } else if name.ends_with(".rs") {
            files.push((name, fs::read_to_string(entry.path()).expect("a source file is text")));
        }
    }
}

fn broken_rules(file: &str, text: &str) -> Vec<String> {
    let source = Source::new(text);
    let mut broken = Vec::new();
    for rule in RULES.iter().filter(|rule| (rule.ring)(file)) {
        for (line, what) in rule.never.iter().flat_map(|never| never.found_in(&source)) {
            broken.push(format!("{file}:{line}: says `{what}`; {}", rule.remedy));
        }
    }
    broken.extend(unmarked_async(file, &source));
    broken.extend(too_long(file, text));
    broken
}

impl Never {
    fn found_in(&self, source: &Source) -> Vec<(usize, &'static str)> {
        let (lines, what) = match *self {
            Word(word) => (source.lines_with_word(word), word),
            Module(name) => (source.lines_naming_module(name), name),
            Full(path) => (source.lines_naming_path(path), path),
            Feature(name) => (source.lines_with_feature(name), name),
        };
        lines.into_iter().map(|line| (line, what)).collect()
    }
}

// Only the alias of the parent module means "the world this file is compiled for".
fn unmarked_async(file: &str, source: &Source) -> Option<String> {
    let line = *source.lines_with_text("async fn").first()?;
    let marked = source.imports().iter().any(|(_, path)| path == "super::maybe_async");
    let broken = is_dual(file) && !marked;
    broken.then(|| {
        format!("{file}:{line}: says `async fn` without its world; `use super::{{maybe_async, rt}};`")
    })
}

fn too_long(file: &str, text: &str) -> Option<String> {
    let lines = text.lines().count();
    let remedy = "a file is one thought: split it by noun";
    (lines > MOST_LINES).then(|| format!("{file}:{MOST_LINES}: has {lines} lines; {remedy}"))
}

mod tests {
    use super::broken_rules;

    #[track_caller]
    fn assert_broken(file: &str, text: &str, start: &str) {
        let broken = broken_rules(file, text);
        assert!(
            matches!(&broken[..], [one] if one.starts_with(start)),
            "{text:?} in {file} gives {broken:?}"
        );
    }

    #[track_caller]
    fn assert_kept(file: &str, text: &str) {
        assert_eq!(broken_rules(file, text), Vec::<String>::new(), "{text:?} in {file}");
    }

    #[test]
    fn words_and_engines_that_wait_are_found() {
        for file in [
            "src/key.rs",
            "src/codec/json.rs",
            "src/engine/flight.rs",
            "src/wire/redis.rs",
            "src/handle/x.rs",
        ] {
            assert_broken(file, "\n\npub async fn f() {}", &format!("{file}:3: says `async`"));
            assert_broken(file, "\nlet x = y.await;", &format!("{file}:2: says `await`"));
            assert_broken(file, "use crate::dual::Cache;", &format!("{file}:1: says `dual`"));
            assert_broken(file, "use tokio::sync;", &format!("{file}:1: says `tokio`"));
            assert_broken(file, "use crate::{error::Error, rt};", &format!("{file}:1: says `rt`"));
            assert_broken(file, "fn f() { rt::sleep(1) }", &format!("{file}:1: says `rt`"));
        }
    }

    #[test]
    fn comments_strings_and_longer_names_are_not_taken_for_the_thing() {
        let text = "// async\n/* tokio /* dual */ rt:: */ fn start::<'a>(async_: &'a str, c: char) {\n\
                    let _ = (\"a\\\"b async\", r#\"tokio \"dual\"#, '\"', individual, part::of, b\"await\"); }";
        assert_kept("src/engine/flight.rs", text);
        assert_broken(
            "src/engine/flight.rs",
            &format!("{text}\nasync"),
            "src/engine/flight.rs:4: says `async`",
        );
    }

    #[test]
    fn a_word_that_names_a_ring_above_is_found() {
        assert_broken("src/key.rs", "use crate::wire::redis;", "src/key.rs:1: says `wire`");
        assert_broken(
            "src/config/mod.rs",
            "use crate::{\n  error,\n  engine::x,\n};",
            "src/config/mod.rs:3: says `engine`",
        );
        assert_broken(
            "src/codec/a/b.rs",
            "super::super::handle::Memory",
            "src/codec/a/b.rs:1: says `handle`",
        );
        assert_kept("src/key.rs", "fn f(wire: Vec<u8>) { let handle = wire; handle.engine() }");
        assert_kept("src/wire/redis.rs", "use crate::engine::flight;");
    }

    #[test]
    fn a_twin_that_knows_its_world_is_found() {
        let file = "src/dual/cache.rs";
        assert_broken(file, "use std::{sync::Arc, thread};", "src/dual/cache.rs:1: says `std::thread`");
        assert_broken(file, "\nstd::thread::spawn(f)", "src/dual/cache.rs:2: says `std::thread`");
        assert_broken(file, "use crate::aio;", "src/dual/cache.rs:1: says `crate::aio`");
        assert_broken(file, "crate::blocking::x()", "src/dual/cache.rs:1: says `crate::blocking`");
        assert_broken(file, "#[cfg(all(unix, feature = \"async\"))]", "src/dual/cache.rs:1: says `async`");
        assert_broken(file, "\nimpl X {\n async fn f() {} }", "src/dual/cache.rs:3: says `async fn`");
        let foreign = "use maybe_async::must_be_async as maybe_async;\nasync fn f() {}";
        assert_broken(file, foreign, "src/dual/cache.rs:2: says `async fn`");
        assert_kept(
            file,
            "use std::sync::Arc;\n\nuse super::{maybe_async, rt};\n\n#[maybe_async]\nasync fn f() {}",
        );
    }

    #[test]
    fn a_seam_that_knows_the_twin_and_a_map_with_logic_are_found() {
        assert_broken(
            "src/rt/tokio/mod.rs",
            "use crate::blocking::dual;",
            "src/rt/tokio/mod.rs:1: says `dual`",
        );
        assert_kept("src/rt/tokio/mod.rs", "pub async fn sleep() { tokio::time::sleep().await }");
        assert_broken("src/lib.rs", "//! fn\n\npub fn f() {}", "src/lib.rs:3: says `fn`");
        assert_kept("src/lib.rs", "mod blocking { use crate::rt::blocking as rt; mod dual; }");
    }

    #[test]
    fn a_program_that_waits_by_tasks_is_found() {
        assert_broken("src/bin/x/y.rs", "use tokio::time;", "src/bin/x/y.rs:1: says `tokio`");
        assert_kept("src/bin/x/y.rs", "use std::thread;");
    }

    #[test]
    fn a_file_that_is_no_longer_one_thought_is_found() {
        assert_broken("src/rt/mod.rs", &"\n".repeat(401), "src/rt/mod.rs:400: has 401 lines");
        assert_kept("src/rt/mod.rs", &"\n".repeat(400));
    }
}
