use lexigram_cache::{BoxError, Cache, Ttl};

fn main() -> lexigram_cache::Result<()> {
    let _: String = Cache::memory().get_or_compute("key", Ttl::NEVER, || Ok::<_, BoxError>(42_u8))?;
    Ok(())
}
