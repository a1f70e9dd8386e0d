//! A mistake is told where it was made, in words from which one can mend it.
//!
//! After a change of a signature: `TRYBUILD=overwrite cargo test`, and then read what has changed as one who does not know
//! the library. Other compilers than Rust 1.95 put it in other words.

#[test]
fn the_compiler_says_what_is_wrong() {
    trybuild::TestCases::new().compile_fail("cases/*.rs");
}
