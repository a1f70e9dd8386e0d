use lexigram_cache::{Cache, Ttl};

struct Failure;

fn main() {
    let _ = Cache::memory().get_or_compute("key", Ttl::NEVER, || Err::<u8, _>(Failure));
}
