use lexigram_cache::Cache;

fn main() -> lexigram_cache::Result<()> {
    let value = Cache::memory().get("key")?;
    drop(value);
    Ok(())
}
