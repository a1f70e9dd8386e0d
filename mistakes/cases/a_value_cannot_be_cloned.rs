use lexigram_cache::Cache;

#[derive(serde::Deserialize, serde::Serialize)]
struct User {
    _name: String,
}

fn main() {
    let _ = Cache::memory().get::<User>("key");
}
