use lexigram_cache::{Cache, Ttl};

fn main() {
    let _ = Cache::memory().set(42, "value", Ttl::NEVER);
}
