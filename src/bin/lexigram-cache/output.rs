//! What the commands print: lines for people, or one JSON object per line.

use std::fmt::Display;
use std::io::{self, BufWriter, IsTerminal as _, StdoutLock, Write};

use serde::Serialize;

use super::failure::{Code, Failure};

/// Standard output. Colours only where a terminal shows them and `NO_COLOR` is not set.
pub struct Output<'a> {
    out: BufWriter<StdoutLock<'a>>,
    json: bool,
    colours: bool,
}

impl<'a> Output<'a> {
    pub fn new(stdout: StdoutLock<'a>, json: bool) -> Output<'a> {
        let wanted = std::env::var_os("NO_COLOR").is_none_or(|set| set.is_empty());
        let colours = !json && wanted && stdout.is_terminal();
        Output { out: BufWriter::with_capacity(64 * 1024, stdout), json, colours }
    }

    pub fn is_json(&self) -> bool {
        self.json
    }

    /// A line: the object under `--json`, the text otherwise.
    pub fn line(&mut self, object: &impl Serialize, text: impl Display) -> Result<(), Failure> {
        match self.json {
            true => self.object(object),
            false => self.text(text),
        }
    }

    pub fn text(&mut self, text: impl Display) -> Result<(), Failure> {
        writeln!(self.out, "{text}").map_err(failed)
    }

    pub fn object(&mut self, object: &impl Serialize) -> Result<(), Failure> {
        serde_json::to_writer(&mut self.out, object).map_err(|error| failed(error.into()))?;
        self.out.write_all(b"\n").map_err(failed)
    }

    /// Exactly these bytes.
    pub fn bytes(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.out.write_all(bytes).map_err(failed)
    }

    /// Everything printed so far is on its way when this returns.
    pub fn flush(&mut self) -> Result<(), Failure> {
        self.out.flush().map_err(failed)
    }

    /// The text in the colour of good, doubtful or bad news.
    pub fn paint(&self, colour: Colour, text: &str) -> String {
        match self.colours {
            true => format!("\u{1b}[{}m{text}\u{1b}[0m", colour as u8),
            false => text.to_owned(),
        }
    }
}

/// By the codes of ECMA-48.
#[derive(Clone, Copy)]
pub enum Colour {
    Red = 31,
    Green = 32,
    Yellow = 33,
}

fn failed(error: io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::BrokenPipe => Failure::ReaderGone,
        _ => Failure::new(Code::System, format!("standard output: {error}")),
    }
}
