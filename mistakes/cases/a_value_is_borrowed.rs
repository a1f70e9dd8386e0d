use lexigram_cache::Cache;

fn main() {
    let _ = Cache::memory().get::<&str>("key");
}
