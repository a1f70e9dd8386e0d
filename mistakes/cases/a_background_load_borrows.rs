use lexigram_cache::{BoxError, Cache};

fn main() -> lexigram_cache::Result<()> {
    let cache = Cache::memory();
    let policy = cache.policy().build()?;
    let text = String::from("value");
    let _ = cache.fetch_in_background("key", &policy, || Ok::<_, BoxError>(text.clone()))?;
    Ok(())
}
