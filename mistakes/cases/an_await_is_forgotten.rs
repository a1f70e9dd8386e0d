use lexigram_cache::aio;

async fn read() -> lexigram_cache::Result<Option<String>> {
    let value = aio::Cache::memory().get::<String>("key")?;
    Ok(value)
}

fn main() {
    drop(read());
}
