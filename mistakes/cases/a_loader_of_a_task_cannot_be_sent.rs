use std::rc::Rc;

use lexigram_cache::{BoxError, Ttl, aio};

fn main() {
    let shared = Rc::new(42_u8);
    tokio::spawn(async move {
        let load = async || Ok::<_, BoxError>(*shared);
        let _ = aio::Cache::memory().get_or_compute("key", Ttl::NEVER, load).await;
    });
}
