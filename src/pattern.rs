//! Glob patterns over key names, with the meaning Redis gives them, so that every backend agrees.

use crate::key::Prefix;

/// Which names are meant: all, those with a start, or those that fit a glob.
///
/// `*` is any run of characters, `?` one byte, `[abc]`, `[a-z]` and `[^a]` one byte of a set, and `\`
/// takes the next character as it is. Matching takes at most name × pattern steps.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Pattern {
    glob: String,
    /// Whether keys of stores are not meant, though they fit.
    spares_stores: bool,
}

impl Pattern {
    /// Every name.
    pub fn all() -> Pattern {
        Pattern::glob("*")
    }

    /// What a cache of this namespace clears away: every name, but without a prefix none of a store. Nothing brings back a
    /// lock, state or a secret.
    pub(crate) fn to_clear(prefix: &Prefix) -> Pattern {
        Pattern { spares_stores: prefix.as_str().is_empty(), ..Pattern::all() }
    }

    /// Names that begin with this text, taken literally.
    pub fn starting_with(text: &str) -> Pattern {
        Pattern::glob(&(escape(text) + "*"))
    }

    /// Names that fit this glob.
    pub fn glob(glob: &str) -> Pattern {
        Pattern { glob: glob.into(), spares_stores: false }
    }

    /// The glob over joined keys of this namespace; the prefix is taken literally. Where a cache without a prefix is
    /// cleared, keys of stores fit it that do not [match](Pattern::matches).
    pub fn within(&self, prefix: &Prefix) -> String {
        escape(prefix.as_str()) + &self.glob
    }

    /// Whether this joined key is of this namespace, with a name that fits.
    pub(crate) fn matches_within(&self, prefix: &Prefix, joined: &str) -> bool {
        joined.strip_prefix(prefix.as_str()).is_some_and(|name| self.matches(name))
    }

    /// Whether this name fits.
    pub fn matches(&self, name: &str) -> bool {
        !self.spares(name.as_bytes()) && matches(self.glob.as_bytes(), name.as_bytes())
    }

    /// Whether this name is not meant, though it may fit the glob, which alone goes to a server.
    pub(crate) fn spares(&self, name: &[u8]) -> bool {
        self.spares_stores && Prefix::is_of_store(name)
    }
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if matches!(character, '*' | '?' | '[' | ']' | '\\') {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

/// On a mismatch only the last `*` is tried again one byte further: an earlier one cannot do better.
fn matches(glob: &[u8], name: &[u8]) -> bool {
    let (mut g, mut n) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    loop {
        if glob.get(g) == Some(&b'*') {
            g += 1;
            retry = Some((g, n));
            continue;
        }
        match (step(&glob[g..]), name.get(n)) {
            (None, None) => return true,
            (Some(step), Some(&byte)) if step.accepts(byte) => {
                g += step.width;
                n += 1;
            }
            _ => match retry.as_mut() {
                Some((after, from)) if *from < name.len() => {
                    *from += 1;
                    (g, n) = (*after, *from);
                }
                _ => return false,
            },
        }
    }
}

/// One element of a glob that stands for one byte of the name.
struct Step<'a> {
    kind: StepKind<'a>,
    width: usize,
}

enum StepKind<'a> {
    Any,
    Literal(u8),
    Set { members: &'a [u8], negated: bool },
}

fn step(glob: &[u8]) -> Option<Step<'_>> {
    let step = match glob {
        [] => return None,
        [b'?', ..] => Step { kind: StepKind::Any, width: 1 },
        [b'\\', literal, ..] => Step { kind: StepKind::Literal(*literal), width: 2 },
        [b'[', rest @ ..] => set(rest),
        [literal, ..] => Step { kind: StepKind::Literal(*literal), width: 1 },
    };
    Some(step)
}

/// A set runs to its `]`; one that is not closed runs to the end of the pattern, as in Redis.
fn set(rest: &[u8]) -> Step<'_> {
    let negated = rest.first() == Some(&b'^');
    let start = usize::from(negated);
    let mut end = start;
    while end < rest.len() && rest[end] != b']' {
        end += if rest[end] == b'\\' { 2 } else { 1 };
    }
    let end = end.min(rest.len());
    let closed = usize::from(end < rest.len());
    Step { kind: StepKind::Set { members: &rest[start..end], negated }, width: 1 + end + closed }
}

impl Step<'_> {
    fn accepts(&self, byte: u8) -> bool {
        match self.kind {
            StepKind::Any => true,
            StepKind::Literal(literal) => literal == byte,
            StepKind::Set { members, negated } => contains(members, byte) != negated,
        }
    }
}

fn contains(mut members: &[u8], byte: u8) -> bool {
    loop {
        members = match members {
            [] => return false,
            [b'\\', literal, rest @ ..] => match *literal == byte {
                true => return true,
                false => rest,
            },
            // A range may be written either way round.
            [from, b'-', to, rest @ ..] => match (*from.min(to)..=*from.max(to)).contains(&byte) {
                true => return true,
                false => rest,
            },
            [literal, rest @ ..] => match *literal == byte {
                true => return true,
                false => rest,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_mean_what_redis_means() {
        let table = [
            ("*", "", true),
            ("*", "any:thing", true),
            ("a*", "ab", true),
            ("a*b*c", "a1b2c", true),
            ("a*b*c", "a1b2", false),
            ("h?llo", "hello", true),
            ("h?llo", "hllo", false),
            ("h[ae]llo", "hallo", true),
            ("h[^e]llo", "hello", false),
            ("h[a-c]llo", "hbllo", true),
            ("h[c-a]llo", "hbllo", true),
            ("h\\*llo", "h*llo", true),
            ("h\\*llo", "hello", false),
            ("a[", "a", false),
            ("a[x", "ax", true),
            ("a[\\]x]", "a]", true),
            ("a[\\]x]", "ax", true),
            ("a[\\]x]", "a\\", false),
            ("a[\\", "a\\", true),
            ("", "", true),
            ("", "a", false),
            ("*a", "aaa", true),
        ];
        for (glob, name, expected) in table {
            assert_eq!(Pattern::glob(glob).matches(name), expected, "{glob} on {name}");
        }
    }

    #[test]
    fn a_prefix_is_taken_literally() {
        let pattern = Pattern::starting_with("a*[x]?\\");
        assert!(pattern.matches("a*[x]?\\tail"));
        assert!(!pattern.matches("aa[x]?\\tail"));
        assert_eq!(Pattern::all().within(&Prefix::new("a*")), "a\\*:*");
    }

    #[test]
    fn a_hostile_pattern_is_not_exponential() {
        let pattern = Pattern::glob(&("*a".repeat(200) + "b"));
        assert!(!pattern.matches(&"a".repeat(5_000)));
    }
}
