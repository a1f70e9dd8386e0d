//! The word that was probably meant.

/// Longer words are not compared: nothing that long is a near miss of a key.
const LONGEST: usize = 64;

/// The candidate nearest to `word`, if it is near: a slip of the finger, or a missing beginning
/// (`port` for `redis_port`).
pub(super) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_ascii_lowercase().replace('-', "_");
    if word.is_empty() || word.len() > LONGEST {
        return None;
    }
    let allowed = (word.chars().count() / 3).clamp(1, 3);
    candidates
        .into_iter()
        .filter_map(|candidate| Some((score(&word, candidate, allowed)?, candidate)))
        .min_by_key(|(score, _)| *score)
        .map(|(_, candidate)| candidate)
}

/// Smaller is nearer; `None` is not near at all.
fn score(word: &str, candidate: &str, allowed: usize) -> Option<usize> {
    let edits = distance(word, candidate);
    if edits <= allowed {
        return Some(edits);
    }
    let beginning = candidate.strip_suffix(word)?;
    beginning.ends_with('_').then_some(allowed + 1)
}

/// Edits between two words: insert, drop, change or swap neighbours (optimal string alignment).
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let change = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = change.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(before[j - 2] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORDS: [&str; 4] = ["redis_port", "redis_password", "max_size", "type"];

    #[test]
    fn a_slip_finds_its_word() {
        for (slip, word) in [
            ("redis_prot", "redis_port"),
            ("redis-port", "redis_port"),
            ("REDIS_PASWORD", "redis_password"),
            ("maxsize", "max_size"),
            ("tpye", "type"),
        ] {
            assert_eq!(nearest(slip, WORDS), Some(word), "{slip}");
        }
    }

    #[test]
    fn a_missing_beginning_is_found() {
        assert_eq!(nearest("port", WORDS), Some("redis_port"));
        assert_eq!(nearest("password", WORDS), Some("redis_password"));
    }

    #[test]
    fn a_stranger_finds_nothing() {
        for stranger in ["", "colour", "ssword", &"x".repeat(10_000)] {
            assert_eq!(nearest(stranger, WORDS), None);
        }
    }
}
