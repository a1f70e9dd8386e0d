//! Rust text as far as the rings need it: without comments and strings, and with its imports written out.

pub struct Source {
    /// Comments are blank.
    plain: String,
    /// Comments and strings are blank.
    code: String,
}

impl Source {
    pub fn new(text: &str) -> Self {
        Self { plain: blanked(text, false), code: blanked(text, true) }
    }

    pub fn lines_with_word(&self, word: &str) -> Vec<usize> {
        lines(&self.code, |line| has(line, word))
    }

    pub fn lines_with_text(&self, text: &str) -> Vec<usize> {
        lines(&self.code, |line| line.contains(text))
    }

    pub fn lines_with_feature(&self, name: &str) -> Vec<usize> {
        let wanted = format!("feature=\"{name}\"");
        lines(&self.plain, |line| line.replace(' ', "").contains(&wanted))
    }

    pub fn lines_naming_path(&self, path: &str) -> Vec<usize> {
        let mut found = lines(&self.code, |line| has(line, path));
        found.extend(
            self.imports().iter().filter(|(_, import)| is_under(import, path)).map(|(line, _)| *line),
        );
        sorted(found)
    }

    /// By `crate::name`, `super::name` or `name::`, where the last is not inside another path.
    pub fn lines_naming_module(&self, name: &str) -> Vec<usize> {
        let absolute = [format!("crate::{name}"), format!("super::{name}")];
        let mut found = lines(&self.code, |line| {
            absolute.iter().any(|path| has(line, path))
                || line
                    .match_indices(&format!("{name}::"))
                    .any(|(at, _)| !line[..at].ends_with(|c: char| is_part_of_name(c) || c == ':'))
        });
        found.extend(
            self.imports().iter().filter(|(_, i)| is_under(relative(i), name)).map(|(line, _)| *line),
        );
        sorted(found)
    }

    /// Each imported path with its line: `use a::{b, c::d as e};` gives `a::b` and `a::c::d`.
    pub fn imports(&self) -> Vec<(usize, String)> {
        let code = &self.code;
        let starts = code.match_indices("use ").map(|(at, _)| at).filter(|at| begins_statement(&code[..*at]));
        starts
            .flat_map(|at| leaves("", at + 4, &code[at + 4..statement_end(code, at)]))
            .map(|(at, path)| (code[..at].matches('\n').count() + 1, path))
            .collect()
    }
}

fn statement_end(code: &str, start: usize) -> usize {
    code[start..].find(';').map_or(code.len(), |len| start + len)
}

fn begins_statement(before: &str) -> bool {
    let before = before.trim_end();
    before.is_empty() || before.ends_with([';', '{', '}', ')', ']']) || before.ends_with("pub")
}

/// The paths of an import tree that stands at this place of the code, each with its own place.
fn leaves(prefix: &str, place: usize, tree: &str) -> Vec<(usize, String)> {
    let place = place + tree.len() - tree.trim_start().len();
    let tree = tree.trim();
    if let Some((head, rest)) = tree.split_once('{') {
        let inner = rest.strip_suffix('}').unwrap_or(rest);
        let (prefix, place) = (format!("{prefix}{}", head.trim()), place + head.len() + 1);
        return branches(inner)
            .into_iter()
            .flat_map(|(at, branch)| leaves(&prefix, place + at, branch))
            .collect();
    }
    tree.split_whitespace().next().map(|path| (place, format!("{prefix}{path}"))).into_iter().collect()
}

/// The parts between the commas that are not inside braces.
fn branches(inner: &str) -> Vec<(usize, &str)> {
    let (mut depth, mut start, mut found) = (0, 0, Vec::new());
    for (at, c) in inner.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                found.push((start, &inner[start..at]));
                start = at + 1;
            }
            _ => {}
        }
    }
    found.push((start, &inner[start..]));
    found
}

fn relative(mut path: &str) -> &str {
    while let Some(rest) = ["crate::", "super::", "self::"].iter().find_map(|start| path.strip_prefix(start))
    {
        path = rest;
    }
    path
}

fn is_under(path: &str, start: &str) -> bool {
    path.strip_prefix(start).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

fn lines(text: &str, holds: impl Fn(&str) -> bool) -> Vec<usize> {
    (1..).zip(text.lines()).filter(|(_, line)| holds(line)).map(|(number, _)| number).collect()
}

fn has(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        !line[..at].ends_with(is_part_of_name) && !line[at + word.len()..].starts_with(is_part_of_name)
    })
}

fn is_part_of_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn sorted(mut lines: Vec<usize>) -> Vec<usize> {
    lines.sort_unstable();
    lines.dedup();
    lines
}

/// The text with spaces in the place of comments, and of strings too if so wished. Lines stay where they are.
fn blanked(text: &str, strings: bool) -> String {
    let mut out = String::with_capacity(text.len());
    while out.len() < text.len() {
        let rest = &text[out.len()..];
        let comment = comment_len(rest);
        let string = if out.ends_with(is_part_of_name) { 0 } else { string_len(rest) };
        if comment + string == 0 {
            out.extend(rest.chars().next());
        } else {
            let piece = &rest[..comment.max(string)];
            out.push_str(&if comment > 0 || strings { blank(piece) } else { piece.to_owned() });
        }
    }
    out
}

// Byte for byte, so that positions stay what they are.
fn blank(piece: &str) -> String {
    piece.bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }).collect()
}

fn comment_len(rest: &str) -> usize {
    if rest.starts_with("//") {
        return rest.find('\n').unwrap_or(rest.len());
    }
    let mut depth = 0;
    let mut at = 0;
    loop {
        let here = &rest[at..];
        match (here.get(..2), depth) {
            (Some("/*"), _) => (depth, at) = (depth + 1, at + 2),
            (_, 0) => return at,
            (Some("*/"), _) => (depth, at) = (depth - 1, at + 2),
            _ => match here.chars().next() {
                Some(c) => at += c.len_utf8(),
                None => return at,
            },
        }
    }
}

/// The length of the string or character literal that begins here, or 0.
fn string_len(rest: &str) -> usize {
    let prefix = rest.bytes().take_while(|byte| b"brc".contains(byte)).count().min(2);
    let body = &rest[prefix..];
    let hashes = body.bytes().take_while(|byte| *byte == b'#').count();
    if rest[..prefix].contains('r') && body[hashes..].starts_with('"') {
        let end = format!("\"{}", "#".repeat(hashes));
        let begin = prefix + hashes + 1;
        return rest[begin..].find(&end).map_or(rest.len(), |at| begin + at + end.len());
    }
    match body.chars().next() {
        Some('"') => prefix + quoted_len(body, b'"'),
        Some('\'') if is_character(body) => prefix + quoted_len(body, b'\''),
        _ => 0,
    }
}

// `'a'` and `'\n'`, but not the lifetime `'a`.
fn is_character(body: &str) -> bool {
    let mut following = body.chars().skip(1);
    following.next() == Some('\\') || following.next() == Some('\'')
}

fn quoted_len(body: &str, quote: u8) -> usize {
    let mut bytes = body.bytes().enumerate().skip(1);
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'\\' => drop(bytes.next()),
            _ if byte == quote => return at + 1,
            _ => {}
        }
    }
    body.len()
}
