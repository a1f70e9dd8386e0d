//! What a fake can be asked to do.

use std::fmt;

/// One request of a cache to its [`FakeCache`](crate::testing::FakeCache), named after the verb that makes it.
///
/// A verb may take several: a `get_or_compute` that misses is a `Get`, a `Lease`, and a `Fill` of what was loaded. Converts
/// from the name in lower case: `fail_next("set", 1)`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Op {
    /// Any of them.
    Any,
    /// A look at values: `get`, `get_arc`, `get_with`, `get_many`, and the first look of each load.
    Get,
    /// `set`, `set_many`.
    Set,
    /// `add`: only over nothing.
    Add,
    /// `replace`: only over a value.
    Replace,
    /// The second half of an `update`, or of a reload: only over the value that was read.
    Update,
    /// `take`.
    Take,
    /// `delete`, `delete_many`.
    Delete,
    /// `exists`.
    Exists,
    /// `touch`.
    Touch,
    /// `ttl`.
    Ttl,
    /// `incr`, `decr`.
    Incr,
    /// `clear`, `delete_prefix`, `delete_pattern`.
    Clear,
    /// One page of a walk by `keys`.
    List,
    /// Before a load: one more look, and the right to store if there is still nothing.
    Lease,
    /// During a load: the right is held for longer.
    Renew,
    /// After a load: stores by right.
    Fill,
    /// After a load that came to nothing: gives the right back.
    Abandon,
    /// `health`.
    Ping,
}

impl Op {
    pub(super) const ALL: [Op; 19] = [
        Op::Any,
        Op::Get,
        Op::Set,
        Op::Add,
        Op::Replace,
        Op::Update,
        Op::Take,
        Op::Delete,
        Op::Exists,
        Op::Touch,
        Op::Ttl,
        Op::Incr,
        Op::Clear,
        Op::List,
        Op::Lease,
        Op::Renew,
        Op::Fill,
        Op::Abandon,
        Op::Ping,
    ];

    /// Whether `op` is meant by this.
    pub(super) fn means(self, op: Op) -> bool {
        self == Op::Any || self == op
    }

    /// Whether it changes nothing, so that one that was not answered may be asked again.
    pub(crate) fn is_read(self) -> bool {
        matches!(self, Op::Get | Op::Exists | Op::Ttl | Op::List | Op::Ping)
    }
}

/// Its name, in lower case.
impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&format!("{self:?}").to_lowercase())
    }
}

/// # Panics
/// With the names that there are, for one that is none of them.
impl From<&str> for Op {
    fn from(name: &str) -> Op {
        let named = Op::ALL.into_iter().find(|op| op.to_string() == name);
        named.unwrap_or_else(|| {
            let names = Op::ALL.map(|op| op.to_string()).join(", ");
            panic!("a fake is never asked for `{name}`; there are {names}")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_op_is_named_as_it_is_shown() {
        for op in Op::ALL {
            assert_eq!(Op::from(op.to_string().as_str()), op);
        }
    }

    #[test]
    #[should_panic(expected = "there are any, get, set")]
    fn a_wrong_name_is_answered_with_the_right_ones() {
        let _ = Op::from("fetch");
    }
}
