//! The keys that a command is about, page by page: never more than a page is held.

use lexigram_cache::Cache;

use super::arguments::Which;
use super::failure::Failure;

/// Shows each page of the keys that are meant, up to the limit; says how many there were.
pub fn walk(
    cache: &Cache,
    which: &Which,
    mut show: impl FnMut(Vec<String>) -> Result<(), Failure>,
) -> Result<u64, Failure> {
    let mut keys = cache.keys(which.glob());
    let (most, mut found) = (which.limit.unwrap_or(u64::MAX), 0);
    while found < most {
        let Some(mut page) = keys.next_page()? else { break };
        page.truncate(usize::try_from(most - found).unwrap_or(usize::MAX));
        found += page.len() as u64;
        show(page)?;
    }
    Ok(found)
}

impl Which {
    /// The prefix is taken literally.
    fn glob(&self) -> String {
        let Some(prefix) = &self.prefix else {
            return self.matching.clone().unwrap_or_else(|| "*".to_owned());
        };
        let mut glob = String::with_capacity(prefix.len() + 1);
        for c in prefix.chars() {
            if matches!(c, '*' | '?' | '[' | ']' | '\\' | '^') {
                glob.push('\\');
            }
            glob.push(c);
        }
        glob + "*"
    }
}
