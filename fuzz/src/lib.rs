//! What is to hold for whatever bytes come. Each module has one target, a plain function of bytes: cargo-fuzz calls it with
//! what it invents (`fuzz/targets/`), and `tests/fuzz_targets.rs` with what is kept in `fuzz/seeds/` and
//! `fuzz/regressions/`.

pub mod compression;
pub mod config;
pub mod frames;
pub mod growing;
pub mod json;
pub mod keys;
pub mod limits;
pub mod memory;
pub mod meta;
pub mod meter;
pub mod pieces;
pub mod postcard;
pub mod resp;
pub mod shapes;
pub mod values;

/// A target, by the name of its file.
pub type Target = (&'static str, fn(&[u8]));

/// All of them.
pub const TARGETS: &[Target] = &[
    ("compression", compression::run),
    ("config", config::run),
    ("json", json::run),
    ("keys", keys::run),
    ("limits", limits::run),
    ("memory", memory::run),
    ("meta", meta::run),
    ("postcard", postcard::run),
    ("resp", resp::run),
    ("values", values::run),
];
