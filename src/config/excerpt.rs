//! The line that is wrong, without what may be secret.
//!
//! A password can stand on any line: under a key that was misspelt, beside a key that is right, in a text that is no
//! YAML. So nothing is shown that is not known to be harmless: keys, or what is nearly one, and under a key that is no
//! secret numbers, durations and the words that it can have. All else, comments too, is `…`.

use super::keys;
use super::near::nearest;
use super::reader::AROUND;
use super::tree::printable;

/// The line with its secrets masked, and how far from its start the mark stands then.
pub(super) fn masked(line: &str, column: u64) -> (String, usize) {
    let line: Vec<char> = line.chars().take(LONGEST).collect();
    let mut masked = Masked {
        line: &line,
        at: 0,
        column: usize::try_from(column).unwrap_or(0).saturating_sub(1),
        shown: String::new(),
        mark: None,
        depth: 0,
        expected: None,
    };
    masked.begin();
    while masked.at < line.len() && masked.step() {}
    let mark = masked.mark.unwrap_or(0);
    (masked.shown.trim_end().to_owned(), mark)
}

/// Longer lines are shown no further.
const LONGEST: usize = 120;
const MASK: char = '…';

struct Masked<'a> {
    line: &'a [char],
    at: usize,
    /// Where the mark stands in the line.
    column: usize,
    shown: String,
    /// Where it stands in what is shown, once that is known.
    mark: Option<usize>,
    /// How many flow collections are open.
    depth: usize,
    /// Whether a value comes next, and the key it is for, if that is one.
    expected: Option<Option<keys::ConfigKey>>,
}

impl Masked<'_> {
    /// Indentation and dashes.
    fn begin(&mut self) {
        while let Some(c) = self.line.get(self.at) {
            let is_dash = *c == '-' && self.line.get(self.at + 1).is_none_or(|next| *next == ' ');
            match c {
                '\t' => self.push('→'),
                c if c.is_whitespace() || is_dash => self.push(*c),
                _ => return,
            }
            self.at += 1;
        }
    }

    /// The next token; `false` where nothing more is shown.
    fn step(&mut self) -> bool {
        let c = self.line[self.at];
        match c {
            '{' | '[' => self.depth += 1,
            '}' | ']' if self.depth > 0 => self.depth -= 1,
            ',' if self.depth > 0 => self.expected = None,
            c if c.is_whitespace() => {}
            '#' => return false,
            _ => return self.token(),
        }
        self.push(c);
        self.at += 1;
        true
    }

    fn token(&mut self) -> bool {
        let (end, is_whole) = match self.line[self.at] {
            quote @ ('"' | '\'') => self.quoted(quote),
            _ => (self.plain(), true),
        };
        let text: String = self.line[self.at..end].iter().collect();
        let bare = text.trim_matches(['"', '\'']);
        let is_key = is_whole && self.is_colon(end) && self.expected.is_none();
        let is_shown = match (is_key, &self.expected) {
            (true, _) => is_nearly_a_key(bare),
            (false, Some(Some(key))) => is_whole && is_harmless(bare, key),
            (false, _) => false,
        };
        match is_shown {
            true => self.line[self.at..end].iter().for_each(|c| {
                self.push(*c);
                self.at += 1;
            }),
            false => {
                self.meet(end);
                self.shown.push(MASK);
            }
        }
        self.at = end;
        self.expected = None;
        if is_key {
            self.push(':');
            self.at += 1;
            // Under a key that is none, nothing is harmless.
            self.expected = Some(keys::all().find(|row| row.name == bare));
        }
        is_whole && (is_key || self.depth > 0)
    }

    /// Where a quoted text ends, and whether it does.
    fn quoted(&self, quote: char) -> (usize, bool) {
        let mut end = self.at + 1;
        while let Some(c) = self.line.get(end) {
            match c {
                '\\' if quote == '"' => end += 1,
                c if *c == quote => return (end + 1, true),
                _ => {}
            }
            end += 1;
        }
        (self.line.len(), false)
    }

    /// Where a text without quotes ends: at its colon, at a comment, in a flow collection at its next sign.
    fn plain(&self) -> usize {
        let ends = |at: &usize| {
            let c = self.line[*at];
            let in_flow = self.depth > 0 && matches!(c, ',' | '{' | '}' | '[' | ']');
            let is_comment = c == '#' && self.line[*at - 1].is_whitespace();
            in_flow || is_comment || (self.expected.is_none() && self.is_colon(*at))
        };
        let end = (self.at + 1..self.line.len()).find(ends).unwrap_or(self.line.len());
        let blanks = self.line[self.at..end].iter().rev().take_while(|c| c.is_whitespace()).count();
        end - blanks
    }

    fn is_colon(&self, at: usize) -> bool {
        self.line.get(at) == Some(&':') && self.line.get(at + 1).is_none_or(|next| next.is_whitespace())
    }

    fn push(&mut self, c: char) {
        self.meet(self.at + 1);
        self.shown.push(c);
    }

    /// Notes where the mark comes to stand, if it lies in what is shown next.
    fn meet(&mut self, end: usize) {
        if self.mark.is_none() && self.column < end {
            self.mark = Some(self.shown.chars().count());
        }
    }
}

fn is_nearly_a_key(text: &str) -> bool {
    printable(text) == text && (text == AROUND || nearest(text, keys::all().map(|row| row.name)).is_some())
}

/// Whether this is a number, a duration, or a word of this key, or a name where the key is one.
fn is_harmless(text: &str, key: &keys::ConfigKey) -> bool {
    if key.secret {
        return false;
    }
    let number = text.trim_start_matches('-');
    let unit = number.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    let digits = number.len() - unit.len();
    let is_number = (1..=12).contains(&digits) && ["", "ms", "s", "m", "h", "d"].contains(&unit.trim());
    let is_name = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    let is_named = matches!(key.name, "name" | "default_backend");
    is_number
        || ["true", "false", "yes", "no", "on", "off", "null", "~"].contains(&text)
        || keys::words(key).any(|word| word == text)
        || (is_named && text.len() <= 40 && text.chars().all(is_name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(line: &str) -> String {
        masked(line, 1).0
    }

    #[test]
    fn what_is_harmless_is_shown() {
        for line in [
            "      redis_port: 70000",
            "    - {name: a, type: memory, max_sise: …}",
            "  service:",
            "cache:",
            "    - name: hot-1",
            "      default_ttl: \"5m\"",
            "      default_ttl: -5",
            "      enabled: yes",
            "      serializer: json+compression",
            "    redis_mode: sentinel",
        ] {
            assert_eq!(shown(line), line);
        }
    }

    #[test]
    fn what_may_be_a_secret_is_not() {
        for (line, expected) in [
            ("  redis_password: hunter2", "  redis_password: …"),
            ("  redis_password: 123456", "  redis_password: …"),
            ("  redis_password: a: true", "  redis_password: …"),
            ("  redis_pasword: 123456", "  redis_pasword: …"),
            ("  password: 123456", "  password: …"),
            ("  redis_port: hunter2", "  redis_port: …"),
            ("  redis_port: 6379 # was hunter2", "  redis_port: 6379"),
            ("# hunter2", ""),
            ("hunter2", "…"),
            ("  hunter2: 1", "  …: …"),
            ("  - 123456", "  - …"),
            ("  redis_password: \"hunter2", "  redis_password: …"),
            ("  redis_password: 'it''s' max_size: 1", "  redis_password: …"),
            ("{redis_password: hunter2, max_size: 5}", "{redis_password: …, max_size: 5}"),
            ("{redis_password: \"a, max_size: 5\", max_size: x}", "{redis_password: …, max_size: …}"),
            ("redis_nodes: [hunter2, 5]", "redis_nodes: […, …]"),
            ("\tname: a", "→name: a"),
            ("  redis_url: redis://u:p@h", "  redis_url: …"),
            ("  a: b, redis_port: 1}", "  …: …"),
        ] {
            assert_eq!(shown(line), expected, "{line}");
        }
    }

    #[test]
    fn the_mark_moves_with_what_is_masked_before_it() {
        let line = "{redis_password: hunter2hunter2, max_sise: 5}";
        let column = line.find("max_sise").unwrap() as u64 + 1;
        let (shown, mark) = masked(line, column);
        assert_eq!(&shown.chars().collect::<String>()[..1], "{");
        assert_eq!(shown.chars().skip(mark).collect::<String>(), "max_sise: …}");
        assert_eq!(masked("  redis_prot: 1", 3), ("  redis_prot: …".to_owned(), 2));
    }

    #[test]
    fn no_line_is_too_odd() {
        for line in
            ["", ":", "- - -", "{{{{", "}}]]", "\"", "'", "\\", "é: é", "a:", ": b", "#", "\"\\", "- {"]
        {
            let _ = masked(line, u64::MAX);
            let _ = masked(line, 0);
        }
        assert!(masked(&"é".repeat(10_000), 5_000).0.chars().count() <= LONGEST);
    }
}
