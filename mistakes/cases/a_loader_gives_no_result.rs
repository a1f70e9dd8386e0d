use lexigram_cache::{Cache, Ttl};

fn main() {
    let _ = Cache::memory().get_or_compute("key", Ttl::NEVER, || 42_u8);
}
