//! Steps on a cache in memory, which is held against its model.

#[path = "../../tests/memory_model/both.rs"]
mod both;
#[path = "../../tests/support/eventually.rs"]
mod eventually;
#[path = "../../tests/memory_model/model.rs"]
mod model;
#[path = "../../tests/memory_model/step.rs"]
mod step;

use arbitrary::{Result, Unstructured};
use lexigram_cache::Eviction;

use step::{During, Settings, Step};

pub fn run(bytes: &[u8]) {
    let mut bytes = Unstructured::new(bytes);
    let Ok(settings) = settings(&mut bytes) else { return };
    let keys = settings.keys();
    let mut steps = Vec::new();
    while !bytes.is_empty() && steps.len() < 200 {
        let Ok(step) = step(&mut bytes, keys) else { break };
        steps.push(step);
    }
    both::run(&settings, &steps);
}

fn settings(bytes: &mut Unstructured<'_>) -> Result<Settings> {
    let capacity = *bytes.choose(&[1, 2, 7, 300])?;
    let max_bytes = option(bytes, |bytes| bytes.int_in_range(1..=40))?;
    Ok(Settings {
        capacity,
        max_bytes: max_bytes.map(|bytes: u64| bytes * (capacity as u64).div_ceil(10)),
        eviction: *bytes.choose(&[Eviction::Default, Eviction::Lru])?,
        // A thread that has to be waited for is no matter of bytes.
        swept: false,
        filled: bytes.int_in_range(0..=capacity + capacity / 5)?,
    })
}

fn step(bytes: &mut Unstructured<'_>, keys: usize) -> Result<Step> {
    let kind = bytes.int_in_range(0..=14)?;
    let among = if bytes.arbitrary()? { keys } else { keys.min(5) };
    let key = bytes.choose_index(among)?;
    let mut value = || bytes.int_in_range(0..=999_999_i64);
    Ok(match kind {
        0 => Step::Get(key),
        1 => Step::GetWith(key),
        2 => Step::GetArc(key),
        3 => Step::Set(key, value()?, ttl(bytes)?),
        4 => Step::Add(key, value()?, ttl(bytes)?),
        5 => Step::Replace(key, value()?, ttl(bytes)?),
        6 => Step::Take(key),
        7 => Step::Delete(key),
        8 => Step::Touch(key, ttl(bytes)?),
        9 => Step::Incr(key, value()?, ttl(bytes)?),
        10 => Step::Update(key, value()?),
        11 => Step::Load(key, value()?, ttl(bytes)?, during(bytes)?),
        12 => Step::DeletePrefix(["a", "ab", "b", "c"][key % 4]),
        13 => Step::Clear,
        _ => Step::Advance(key as u64 % 4),
    })
}

fn ttl(bytes: &mut Unstructured<'_>) -> Result<Option<u64>> {
    option(bytes, |bytes| bytes.int_in_range(1..=5))
}

fn during(bytes: &mut Unstructured<'_>) -> Result<During> {
    Ok(match bytes.int_in_range(0..=5)? {
        0 => During::Failure,
        1 => During::Write(bytes.int_in_range(0..=999_999)?),
        2 => During::Removal,
        _ => During::Nothing,
    })
}

fn option<T>(
    bytes: &mut Unstructured<'_>,
    some: impl FnOnce(&mut Unstructured<'_>) -> Result<T>,
) -> Result<Option<T>> {
    if bytes.arbitrary()? { some(bytes).map(Some) } else { Ok(None) }
}
