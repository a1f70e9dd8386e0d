//! Remembers what a type asks for, and what to offer it next.
//!
//! The questions themselves are in `questions`, the parts of what has parts in `access`.

use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::de::DeserializeOwned;

use super::Shape;
use super::hash::Hash;
use super::memory::{Memory, Named};
use crate::codec::refusal::Refusal;

/// Asks `T` for its shape. Depends on nothing but what `T` asks for.
pub(super) fn trace<T: DeserializeOwned>() -> Shape {
    let mut tracer = Tracer::new();
    let (mut passes, mut idle) = (0, 0);
    while passes < PASSES && idle < IDLE {
        tracer.rewind();
        let pass = catch_unwind(AssertUnwindSafe(|| T::deserialize(&mut tracer).is_ok()));
        tracer.hash.byte(pass.as_ref().map_or(PANICKED, |&read| u8::from(read)));
        if pass.is_err() || !(tracer.again || tracer.memory.has_more()) {
            break;
        }
        passes += 1;
        idle = if tracer.memory.take_progress() { 0 } else { idle + 1 };
    }
    Shape {
        fingerprint: tracer.hash.value(),
        integer: tracer.integer.unwrap_or_default(),
        self_describing: tracer.self_describing,
    }
}

pub(super) struct Tracer {
    hash: Hash,
    pub(super) memory: Memory,
    /// Whether the very first question was for an integer.
    integer: Option<bool>,
    self_describing: bool,
    steps: usize,

    // Of this pass:
    pub(super) position: u64,
    depth: usize,
    /// The structs and enums that we are inside of.
    inside: Vec<Named>,
    /// How many of them recur. Below such a one nothing optional is entered.
    recurring: usize,
    /// Whether another pass would show more of what is being read.
    pub(super) again: bool,
}

impl Tracer {
    fn new() -> Tracer {
        Tracer {
            hash: Hash::new(),
            memory: Memory::default(),
            integer: None,
            self_describing: false,
            steps: 0,
            position: 0,
            depth: 0,
            inside: Vec::new(),
            recurring: 0,
            again: false,
        }
    }

    fn rewind(&mut self) {
        (self.position, self.depth, self.recurring, self.again) = (0, 0, 0, false);
        self.inside.clear();
    }

    /// One part of what is being read.
    pub(super) fn part<V>(
        &mut self,
        index: usize,
        read: impl FnOnce(&mut Self) -> Result<V, Refusal>,
    ) -> Result<V, Refusal> {
        let whole = self.position;
        self.position = Hash::pair(whole, index as u64);
        self.depth += 1;
        let part = read(self);
        self.depth -= 1;
        self.position = whole;
        part
    }

    /// Notes a question.
    pub(super) fn note(&mut self, kind: u8) -> Result<(), Refusal> {
        self.steps += 1;
        if self.steps > STEPS || self.depth > DEEPEST {
            return Err(Refusal);
        }
        self.hash.byte(kind);
        Ok(())
    }

    pub(super) fn note_flag(&mut self, flag: bool) {
        self.hash.byte(u8::from(flag));
    }

    pub(super) fn note_names(&mut self, (name, parts): Named) {
        self.hash.word(name);
        self.hash.number(parts.len());
        parts.iter().for_each(|part| self.hash.word(part));
    }

    pub(super) fn note_number(&mut self, number: usize) {
        self.hash.number(number);
    }

    /// A value without parts. If it is refused, the next pass offers the next of `dummies`.
    pub(super) fn leaf<V>(
        &mut self,
        kind: u8,
        dummies: usize,
        offer: impl FnOnce(usize) -> Result<V, Refusal>,
    ) -> Result<V, Refusal> {
        self.integer.get_or_insert(matches!(kind, b'1'..=b'9' | b'A'..=b'E'));
        self.note(kind)?;
        let offered = offer(self.memory.choice(self.position) % dummies);
        if offered.is_err() {
            self.again |= self.memory.choose_next(self.position, dummies);
        }
        offered
    }

    /// A value with parts. `again` tells about these parts alone while they are read.
    pub(super) fn whole<V>(
        &mut self,
        kind: u8,
        read: impl FnOnce(&mut Self) -> Result<V, Refusal>,
    ) -> Result<V, Refusal> {
        if kind != NEWTYPE {
            self.integer.get_or_insert(false);
        }
        self.note(kind)?;
        let elsewhere = std::mem::replace(&mut self.again, false);
        let whole = read(self);
        self.again |= elsewhere;
        whole
    }

    /// A value that may be empty: it is, below a recursion, and once its content was refused for good.
    pub(super) fn optional<V>(
        &mut self,
        kind: u8,
        read: impl FnOnce(&mut Self, bool) -> Result<V, Refusal>,
    ) -> Result<V, Refusal> {
        self.whole(kind, |tracer| {
            let full = !tracer.is_resting() && tracer.memory.choice(tracer.position) == 0;
            tracer.note_flag(full);
            let value = read(tracer, full);
            if value.is_err() && !tracer.again {
                tracer.again = tracer.memory.choose_next(tracer.position, 2);
            }
            value
        })
    }

    /// A value whose type has a name, by which recursion is told.
    pub(super) fn named<V>(
        &mut self,
        kind: u8,
        named: Named,
        read: impl FnOnce(&mut Self) -> Result<V, Refusal>,
    ) -> Result<V, Refusal> {
        self.whole(kind, |tracer| {
            tracer.note_names(named);
            tracer.inside.push(named);
            let recurs = usize::from(tracer.is_recurring(named));
            tracer.recurring += recurs;
            let value = read(tracer);
            tracer.recurring -= recurs;
            tracer.inside.pop();
            value
        })
    }

    /// Twice is not enough to call it recursion: `Page<Page<User>>` is two types of one name.
    fn is_recurring(&self, named: Named) -> bool {
        self.inside.iter().filter(|&&outer| outer == named).count() > 2
    }

    pub(super) fn is_resting(&self) -> bool {
        self.recurring > 0 || self.depth > DEEP
    }

    /// The variant to enter, or nothing if the enum recurs and none is known to end.
    pub(super) fn variant(&mut self, named: Named) -> Option<usize> {
        let known = self.memory.leaf(named);
        match named.1.len() {
            0 => None,
            _ if self.is_resting() && known.is_some() => known,
            _ if self.is_recurring(named) => None,
            count => Some(self.memory.enter_variant(self.position, count)),
        }
    }

    pub(super) fn self_describing<V>(&mut self) -> Result<V, Refusal> {
        self.integer.get_or_insert(false);
        self.self_describing = true;
        self.note(b'?')?;
        Err(Refusal)
    }
}

/// More passes than this show only the insides of enums inside of enums.
const PASSES: usize = 256;
/// As many passes may show nothing new, while enums take turns to reach what is open inside of them.
const IDLE: usize = 32;
/// Over all passes: a few milliseconds.
const STEPS: usize = 1 << 15;
/// From here on everything optional is empty.
const DEEP: usize = 32;
/// Here everything is refused.
const DEEPEST: usize = 64;

const PANICKED: u8 = 2;
pub(super) const NEWTYPE: u8 = b'n';
