//! What fuzzers are given and what they have found, without a fuzzer: every target over its seeds and its regressions.
#![cfg(feature = "_fuzzing")]

#[path = "../fuzz/src/lib.rs"]
mod targets;

use std::fs;
use std::path::{Path, PathBuf};

use targets::TARGETS;

#[test]
fn every_target_holds_for_its_seeds_and_for_what_was_found_before() {
    for (name, target) in TARGETS {
        let inputs = inputs("seeds", name);
        assert!(inputs.len() >= 5, "{name} begins with {} inputs", inputs.len());
        for (path, bytes) in inputs.iter().chain(&self::inputs("regressions", name)) {
            println!("{}", path.display());
            target(bytes);
        }
    }
}

#[test]
fn every_target_holds_for_no_bytes_and_for_any_one() {
    for (_, target) in TARGETS {
        target(&[]);
        (0..=u8::MAX).for_each(|byte| target(&[byte]));
    }
}

/// What lies in `fuzz/{kind}/{target}`, in an order of its own.
fn inputs(kind: &str, target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz").join(kind).join(target);
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("it can be read").path()).collect();
    paths.sort();
    paths.into_iter().map(|path| (path.clone(), fs::read(path).expect("it can be read"))).collect()
}
