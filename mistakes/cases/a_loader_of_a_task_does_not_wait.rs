use lexigram_cache::{BoxError, Ttl, aio};

async fn load() {
    let _ = aio::Cache::memory().get_or_compute("key", Ttl::NEVER, || Ok::<_, BoxError>(42_u8)).await;
}

fn main() {
    drop(load());
}
