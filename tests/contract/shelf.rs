//! A backend as a user would write it: a map of bytes, with nothing beyond what the trait requires and one
//! verb that it can do better.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use lexigram_cache::{
    Condition, Deadline, Entry, Key, Lifetime, Page, Pattern, Prefix, Remaining, Result, Version, aio,
};

#[derive(Clone, Default)]
pub struct Shelf {
    books: Arc<Mutex<Books>>,
}

#[derive(Default)]
struct Books {
    books: HashMap<String, Book>,
    number: u64,
}

struct Book {
    bytes: Vec<u8>,
    number: u64,
    end: Option<Instant>,
}

impl Shelf {
    fn find(&self, key: &Key<'_>) -> Option<Entry> {
        let shelf = self.books.lock().unwrap();
        let book = shelf.alive(&key.joined())?;
        Some(Entry {
            bytes: book.bytes.clone(),
            version: Some(Version::Number(book.number)),
            remaining: None,
        })
    }

    fn put(&self, key: &Key<'_>, bytes: &[u8], lifetime: Lifetime, condition: &Condition) -> bool {
        let mut shelf = self.books.lock().unwrap();
        let held = shelf.alive(&key.joined()).map(|book| Version::Number(book.number));
        let allowed = match condition {
            Condition::Always => true,
            Condition::Absent => held.is_none(),
            Condition::Present => held.is_some(),
            Condition::Unchanged(version) => held.as_ref() == Some(version),
        };
        if allowed {
            shelf.number += 1;
            let end = match lifetime {
                Lifetime::Never => None,
                Lifetime::For(duration) => Some(Instant::now() + duration),
            };
            let book = Book { bytes: bytes.to_vec(), number: shelf.number, end };
            shelf.books.insert(key.joined(), book);
        }
        allowed
    }

    fn drop_one(&self, key: &Key<'_>, version: Option<&Version>) -> bool {
        let mut shelf = self.books.lock().unwrap();
        let held = shelf.alive(&key.joined()).map(|book| Version::Number(book.number));
        let meant = held.is_some() && (version.is_none() || held.as_ref() == version);
        meant && shelf.books.remove(&key.joined()).is_some()
    }

    fn left(&self, key: &Key<'_>) -> Option<Remaining> {
        let shelf = self.books.lock().unwrap();
        let end = shelf.alive(&key.joined())?.end;
        Some(end.map_or(Remaining::Never, |end| Remaining::For(end - Instant::now())))
    }

    fn drop_matching(&self, prefix: &Prefix, pattern: &Pattern) -> u64 {
        let mut shelf = self.books.lock().unwrap();
        let before = shelf.books.len();
        let meant =
            |joined: &str| joined.strip_prefix(prefix.as_str()).is_some_and(|name| pattern.matches(name));
        shelf.books.retain(|joined, _| !meant(joined));
        (before - shelf.books.len()) as u64
    }

    /// A thousand names at a time, in their order; the last one tells where to go on.
    fn page(&self, prefix: &Prefix, pattern: &Pattern, from: Option<&str>) -> Page {
        let shelf = self.books.lock().unwrap();
        let alive = shelf.books.keys().filter(|joined| shelf.alive(joined).is_some());
        let names = alive.filter_map(|joined| joined.strip_prefix(prefix.as_str()));
        let mut names: Vec<String> = names
            .filter(|name| pattern.matches(name) && from.is_none_or(|from| *name > from))
            .map(Into::into)
            .collect();
        names.sort();
        names.truncate(1_000);
        let next = if names.len() == 1_000 { names.last().cloned() } else { None };
        Page { names, next }
    }
}

impl Books {
    fn alive(&self, joined: &str) -> Option<&Book> {
        self.books.get(joined).filter(|book| book.end.is_none_or(|end| end > Instant::now()))
    }
}

impl lexigram_cache::Backend for Shelf {
    fn name(&self) -> &str {
        "shelf"
    }

    fn get(&self, key: &Key<'_>, _: Deadline) -> Result<Option<Entry>> {
        Ok(self.find(key))
    }

    fn store(
        &self,
        key: &Key<'_>,
        bytes: &[u8],
        ttl: Lifetime,
        condition: &Condition,
        _: Deadline,
    ) -> Result<bool> {
        Ok(self.put(key, bytes, ttl, condition))
    }

    fn remove(&self, key: &Key<'_>, version: Option<&Version>, _: Deadline) -> Result<bool> {
        Ok(self.drop_one(key, version))
    }

    fn remaining(&self, key: &Key<'_>, _: Deadline) -> Result<Option<Remaining>> {
        Ok(self.left(key))
    }

    fn remove_matching(&self, prefix: &Prefix, pattern: &Pattern, _: Deadline) -> Result<u64> {
        Ok(self.drop_matching(prefix, pattern))
    }

    fn list(&self, prefix: &Prefix, pattern: &Pattern, from: Option<&str>, _: Deadline) -> Result<Page> {
        Ok(self.page(prefix, pattern, from))
    }
}

#[aio::async_trait]
impl aio::Backend for Shelf {
    fn name(&self) -> &str {
        "shelf"
    }

    async fn get(&self, key: &Key<'_>, _: Deadline) -> Result<Option<Entry>> {
        Ok(self.find(key))
    }

    async fn store(
        &self,
        key: &Key<'_>,
        bytes: &[u8],
        ttl: Lifetime,
        condition: &Condition,
        _: Deadline,
    ) -> Result<bool> {
        Ok(self.put(key, bytes, ttl, condition))
    }

    async fn remove(&self, key: &Key<'_>, version: Option<&Version>, _: Deadline) -> Result<bool> {
        Ok(self.drop_one(key, version))
    }

    async fn remaining(&self, key: &Key<'_>, _: Deadline) -> Result<Option<Remaining>> {
        Ok(self.left(key))
    }

    async fn remove_matching(&self, prefix: &Prefix, pattern: &Pattern, _: Deadline) -> Result<u64> {
        Ok(self.drop_matching(prefix, pattern))
    }

    async fn list(
        &self,
        prefix: &Prefix,
        pattern: &Pattern,
        from: Option<&str>,
        _: Deadline,
    ) -> Result<Page> {
        Ok(self.page(prefix, pattern, from))
    }
}
