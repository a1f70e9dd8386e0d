use lexigram_cache::{Cache, Ttl};

fn main() {
    let _ = Cache::memory().set("key", String::from("value"), Ttl::NEVER);
}
