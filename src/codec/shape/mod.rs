//! The shape of a type: what serde tells about it, in one number.
//!
//! postcard writes no names and no types, so that bytes of yesterday's struct may well read as a wrong
//! value of today's. [`Shape::of`] therefore asks the type itself: it runs `Deserialize` on dummy values
//! and hashes what is asked for, which is kinds, struct names, field names in order, enum names, all
//! variant names, and what is inside, over and over until every variant of every enum has been seen.
//! Whatever changes that conversation changes the fingerprint, and old bytes are refused. The hash is
//! made of these words alone, so it is the same in every process, build and platform.
//!
//! Where it is blind:
//!
//! * A hand-written `Deserialize` may refuse all dummies. Its names and its first questions count, and so
//!   do the named fields around it, but what follows it inside a tuple does not.
//! * A recursive type is followed twice around, then its options and sequences are taken as empty.
//! * Beyond [`tracer`]'s limits of passes and steps nothing is looked at; only huge types get there.
//! * What is never read, such as the meaning of a number, has no shape.
//!
//! A `Deserialize` that panics on a dummy counts as one that refuses it.

mod access;
mod hash;
mod memory;
mod questions;
mod tracer;

use std::any::TypeId;
use std::cell::Cell;
use std::collections::HashMap;
use std::sync::{LazyLock, PoisonError, RwLock};

use serde::de::DeserializeOwned;

/// What the codec must know about a type.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Shape {
    /// Alike for alike types, and hardly ever for others.
    pub(super) fingerprint: u64,
    /// Whether the whole value is one integer, maybe inside newtypes.
    pub(super) integer: bool,
    /// Whether some part asks the format what comes next, which only formats like JSON can tell.
    pub(super) self_describing: bool,
}

impl Shape {
    /// The shape of `T`, which is traced once per process.
    pub(super) fn of<T: DeserializeOwned + 'static>() -> Shape {
        let id = TypeId::of::<T>();
        match LAST.get() {
            Some((last, shape)) if last == id => shape,
            _ => {
                let shape = known(id).unwrap_or_else(|| learn(id, tracer::trace::<T>()));
                LAST.set(Some((id, shape)));
                shape
            }
        }
    }
}

thread_local! {
    /// Spares most calls the lock: a thread tends to handle one type for a while.
    static LAST: Cell<Option<(TypeId, Shape)>> = const { Cell::new(None) };
}

static SHAPES: LazyLock<RwLock<HashMap<TypeId, Shape>>> = LazyLock::new(Default::default);

fn known(id: TypeId) -> Option<Shape> {
    SHAPES.read().unwrap_or_else(PoisonError::into_inner).get(&id).copied()
}

fn learn(id: TypeId, shape: Shape) -> Shape {
    SHAPES.write().unwrap_or_else(PoisonError::into_inner).insert(id, shape);
    shape
}

#[cfg(test)]
mod tests;
