use lexigram_cache::Format;

struct Pretty;

fn main() {
    let _ = Format::custom(Pretty);
}
