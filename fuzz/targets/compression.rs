#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| lexigram_cache_fuzz::compression::run(bytes));
