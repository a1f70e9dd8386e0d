use lexigram_cache::Cache;

struct Shelf;

fn main() {
    let _ = Cache::builder().backend(Shelf).build();
}
