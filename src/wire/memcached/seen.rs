//! What a look at a key came to: what counts as a value, what as a lease, and what as nothing.

use std::time::Duration;

use super::Mode;
use super::lease::{self, Token};
use super::reply::Item;
use crate::entry::{Ask, Condition, Entry, Lease, Lookup, Version};
use crate::ttl::Remaining;

/// What a read saw.
pub(crate) struct Seen {
    item: Option<Item>,
    /// The namespace's current one, if it can be cleared.
    generation: Option<u32>,
    /// How much of an item's stay is past its value's time.
    stale_for: Duration,
}

impl Seen {
    pub(crate) fn new(item: Option<Item>, generation: Option<u32>, stale_for: Duration) -> Seen {
        Seen { item, generation, stale_for }
    }

    /// The value that every verb sees: no lease, none from before the namespace was last cleared, and none whose
    /// time is up.
    pub(crate) fn alive(self) -> Option<Item> {
        if self.is_alive() { self.item } else { None }
    }

    /// The same, also past its time.
    fn kept(self) -> Option<Item> {
        if self.value().is_some() { self.item } else { None }
    }

    fn value(&self) -> Option<&Item> {
        let current = |item: &&Item| self.generation.is_none_or(|generation| generation == item.flags);
        let item = self.item.as_ref().filter(current)?;
        (!lease::is_lease(item, self.flags())).then_some(item)
    }

    pub(crate) fn is_alive(&self) -> bool {
        self.value().is_some_and(|item| match item.remaining {
            Remaining::Never => true,
            Remaining::For(left) => left > self.stale_for,
        })
    }

    /// What is left of the value's lifetime, if it is alive.
    pub(crate) fn remaining(self) -> Option<Remaining> {
        let stale_for = self.stale_for;
        self.alive().map(|item| match item.remaining {
            Remaining::Never => Remaining::Never,
            Remaining::For(left) => Remaining::For(left.saturating_sub(stale_for)),
        })
    }

    /// The CAS of what a removal has to remove: of this generation, be it a value, one past its time, or a lease.
    pub(crate) fn occupied(&self) -> Option<u64> {
        let lease = self.item.as_ref().filter(|item| lease::is_lease(item, self.flags()));
        self.value().or(lease).map(|item| item.cas)
    }

    /// The lease that stands there, and its present CAS.
    pub(crate) fn lease(&self) -> Option<(Token, u64)> {
        let item = self.item.as_ref()?;
        lease::token(item, self.flags()).map(|token| (token, item.cas))
    }

    /// How to write if nothing has changed since, whatever it is written over.
    pub(crate) fn unchanged(&self) -> Mode {
        self.item.as_ref().map_or(Mode::Absent, |item| Mode::Unchanged(item.cas))
    }

    /// The flags of a value that is written now.
    pub(crate) fn flags(&self) -> u32 {
        self.generation.unwrap_or_default()
    }

    /// Whether a write to a key in this state may happen.
    pub(crate) fn allows(&self, condition: &Condition) -> bool {
        match condition {
            Condition::Always => true,
            Condition::Absent => !self.is_alive(),
            Condition::Present => self.is_alive(),
            Condition::Unchanged(version) => {
                self.value().map(|item| Version::Number(item.cas)).as_ref() == Some(version)
            }
        }
    }

    pub(crate) fn lookup(self, ask: Ask) -> Lookup {
        if let Some((token, _)) = self.lease() {
            return match ask {
                Ask::Lease(_) if self.item.is_some_and(|item| item.won) => granted(token),
                _ => Lookup::Busy(token.into()),
            };
        }
        let shown = match ask {
            Ask::Value => self.alive(),
            Ask::Age | Ask::Lease(_) => self.kept(),
        };
        shown.map_or(Lookup::Absent, |item| Lookup::Hit(item.into()))
    }
}

/// A lease just taken.
pub(crate) fn granted(token: Token) -> Lookup {
    Lookup::Lease(Lease { token: Some(token.into()) })
}

impl From<Item> for Entry {
    fn from(item: Item) -> Entry {
        Entry { bytes: item.bytes, version: Some(Version::Number(item.cas)), remaining: Some(item.remaining) }
    }
}

#[cfg(test)]
mod tests {
    use memcache::exp::{MetaResponse, parse_meta_result};

    use super::super::reply::read_item;
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);
    const HOLD: Ask = Ask::Lease(MINUTE);

    /// What is seen where the server answers so.
    fn seen(header: &str, generation: Option<u32>, stale_for: Duration) -> Seen {
        let mut reply = parse_meta_result(MetaResponse::parse_header(header.as_bytes()).unwrap()).unwrap();
        reply.value = header.strip_prefix("VA ").map(|_| vec![b'1'; reply.size.unwrap_or(1) as usize]);
        Seen::new(read_item(Ok(reply)).unwrap(), generation, stale_for)
    }

    fn busy(cas: u64, generation: u32) -> Lookup {
        Lookup::Busy(Token { cas, generation }.into())
    }

    #[test]
    fn an_empty_item_is_a_lease_by_its_marks_or_its_flags_only() {
        let table = [
            ("VA 0 f0 c7 t-1 s0 W", granted(Token { cas: 7, generation: 0 })),
            ("VA 0 f0 c7 t30 s0 Z", busy(7, 0)),
            ("VA 0 f4294967295 c7 t30 s0", busy(7, 0)),
        ];
        for (header, expected) in table {
            assert_eq!(seen(header, None, Duration::ZERO).lookup(HOLD), expected, "{header}");
            assert!(!seen(header, None, Duration::ZERO).is_alive(), "{header}");
        }
        for header in ["VA 0 f0 c7 t-1 s0", "VA 1 f4294967295 c7 t-1 s1", "VA 1 f0 c7 t9 s1 Z"] {
            assert!(seen(header, None, Duration::ZERO).is_alive(), "{header}");
            assert!(matches!(seen(header, None, Duration::ZERO).lookup(HOLD), Lookup::Hit(_)), "{header}");
        }
    }

    #[test]
    fn a_renewed_lease_is_known_without_its_body() {
        assert!(!seen("HD f4294967295 c7 t30 s68", None, Duration::ZERO).is_alive());
        assert!(seen("HD f4294967295 c7 t30 s67", None, Duration::ZERO).is_alive());
    }

    #[test]
    fn a_lease_of_another_generation_is_nothing() {
        let (now, before) = (1_790_000_001_u32, 1_790_000_000_u32);
        for (flags, expected) in [(!now, busy(7, now)), (!before, Lookup::Absent), (before, Lookup::Absent)] {
            let header = format!("VA 0 f{flags} c7 t30 s0");
            assert_eq!(seen(&header, Some(now), Duration::ZERO).lookup(HOLD), expected, "{header}");
        }
    }

    #[test]
    fn a_value_past_its_time_is_shown_to_who_asks_for_its_age_only() {
        let stale = || seen("VA 1 f0 c7 t60 s1", None, MINUTE);
        assert!(!stale().is_alive() && stale().remaining().is_none());
        assert_eq!(stale().lookup(Ask::Value), Lookup::Absent);
        assert!(matches!(stale().lookup(Ask::Age), Lookup::Hit(_)));
        assert!(stale().allows(&Condition::Absent) && !stale().allows(&Condition::Present));
        assert!(stale().allows(&Condition::Unchanged(Version::Number(7))));
        let fresh = || seen("VA 1 f0 c7 t61 s1", None, MINUTE);
        assert_eq!(fresh().remaining(), Some(Remaining::For(Duration::from_secs(1))));
        let Lookup::Hit(entry) = fresh().lookup(Ask::Value) else { panic!("it is fresh") };
        assert_eq!(entry.remaining, Some(Remaining::For(Duration::from_secs(61))));
        assert!(seen("VA 1 f0 c7 t-1 s1", None, MINUTE).is_alive(), "what never ends is never stale");
    }
}
