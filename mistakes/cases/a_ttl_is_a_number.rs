use lexigram_cache::Cache;

fn main() {
    let _ = Cache::memory().set("key", "value", 300);
}
