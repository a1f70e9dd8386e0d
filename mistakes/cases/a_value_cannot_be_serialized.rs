use lexigram_cache::{Cache, Ttl};

#[derive(Clone)]
struct User {
    _name: String,
}

fn main() {
    let user = User { _name: "Ada".to_owned() };
    let _ = Cache::memory().set("key", &user, Ttl::NEVER);
}
