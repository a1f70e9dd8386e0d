//! What fuzzers are given and what they have found, without a fuzzer: every target over its seeds and its regressions.
#![cfg(feature = "_fuzzing")]
#![expect(clippy::duplicate_mod, reason = "the targets bring a piece of the support themselves")]

mod support;
#[path = "../fuzz/src/lib.rs"]
mod targets;

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

use lexigram_cache::fuzzing::Codec;
use lexigram_cache::{Compression, Format};
use serde::Serialize;
use serde::de::DeserializeOwned;

use support::{Parent, Process};
use targets::growing::Wide;
use targets::meter::within_limits;
use targets::{TARGETS, limits};

#[test]
fn every_target_holds_for_its_seeds_and_for_what_was_found_before() {
    // Limits have a test of their own.
    for (name, target) in TARGETS.iter().filter(|(name, _)| *name != "limits") {
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

/// However the bytes are read, in a process of its own: an overflow of the stack would end it, and so would more room than
/// there is.
#[test]
fn a_mebibyte_of_any_pattern_is_read_soon_and_within_64_mib() {
    const TEST: &str = "a_mebibyte_of_any_pattern_is_read_soon_and_within_64_mib";
    let Some(parent) = Parent::find() else {
        let mut reader = Process::start_with_memory(1 << 20, TEST, "");
        let read: usize = reader.hear().parse().expect("it says how many it has read");
        return assert!(read >= 50, "{read} patterns");
    };
    let patterns: Vec<_> = ["seeds", "regressions"].iter().flat_map(|kind| inputs(kind, "limits")).collect();
    for (path, pattern) in &patterns {
        println!("{}", path.display());
        limits::run(pattern);
    }
    parent.tell(&patterns.len().to_string());
}

/// A pattern has the same key over and over, so tables do not grow by it.
#[test]
fn a_value_that_takes_as_much_as_it_may_is_read_within_64_mib() {
    fn is_read<T: DeserializeOwned + Serialize + 'static>(what: &str, value: &T) {
        let codec = Codec::new(Format::Postcard).compressing(Compression::new());
        let bytes = codec.encode(value, None).expect("it can be written");
        within_limits(what, || assert!(codec.decode::<T>(&bytes).is_ok(), "{what}"));
    }
    is_read("texts", &(0..250_000).map(|n| (n.to_string(), String::new())).collect::<HashMap<_, _>>());
    is_read("options", &(0..46_000_u32).map(|n| (n, None::<Wide>)).collect::<HashMap<_, _>>());
    is_read("boxes", &vec![Box::new(None::<Wide>); 158_000]);
    is_read("nodes", &vec![BTreeMap::from([(1_u8, None::<u128>)]); 100_000]);
}

/// What lies in `fuzz/{kind}/{target}`, in an order of its own.
fn inputs(kind: &str, target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz").join(kind).join(target);
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("it can be read").path()).collect();
    paths.sort();
    paths.into_iter().map(|path| (path.clone(), fs::read(path).expect("it can be read"))).collect()
}
