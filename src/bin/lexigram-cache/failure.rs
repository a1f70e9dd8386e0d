//! What a command came to, as an exit code and a line for whoever reads it.

use std::fmt;
use std::io::{self, Write as _};
use std::process::ExitCode;

use lexigram_cache::{Error, ErrorKind};
use serde_json::json;

/// What the program ends with. The numbers are promised: scripts rely on them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u8)]
pub enum Code {
    /// Done; there was a value.
    Done = 0,
    /// Done, and the answer is no: a miss, a value that was not stored, a quota that is used up, something for a person to do.
    No = 1,
    /// The command line is wrong.
    Usage = 2,
    /// The configuration is wrong, missing, or names no such backend.
    Config = 3,
    /// No answer from the server; nothing was applied.
    Unavailable = 4,
    /// The server said no, knows us not, or is no such server.
    Refused = 5,
    /// A write was sent and not answered.
    Ambiguous = 6,
    /// A key, value, lifetime or line cannot be used.
    Input = 7,
    /// The backend cannot do that.
    Unsupported = 8,
    /// A file, or the system, failed.
    System = 9,
}

impl Code {
    /// clap knows two: 0 for help that was asked for, 2 for a fault.
    pub fn from_clap(code: i32) -> Code {
        if code == 0 { Code::Done } else { Code::Usage }
    }

    /// No, unless there was something.
    pub fn from_found(found: bool) -> Code {
        if found { Code::Done } else { Code::No }
    }

    pub fn of(kind: ErrorKind) -> Code {
        match kind {
            ErrorKind::Config => Code::Config,
            ErrorKind::Unavailable | ErrorKind::Timeout => Code::Unavailable,
            ErrorKind::Refused | ErrorKind::Auth | ErrorKind::Misconfigured | ErrorKind::Protocol => {
                Code::Refused
            }
            ErrorKind::Ambiguous => Code::Ambiguous,
            ErrorKind::InvalidKey
            | ErrorKind::InvalidTtl
            | ErrorKind::TooLarge
            | ErrorKind::Encode
            | ErrorKind::Decode => Code::Input,
            ErrorKind::Unsupported => Code::Unsupported,
            ErrorKind::NotOwned => Code::No,
            _ => Code::System,
        }
    }
}

/// What the process ends with: a code of this program, or that of a command it ran.
#[derive(Clone, Copy, Debug)]
pub struct Ending(u8);

impl Ending {
    /// That of a command, as far as there is room for it.
    pub fn of_command(code: i32) -> Ending {
        Ending(u8::try_from(code).unwrap_or(u8::MAX))
    }

    /// Where a command was to be run and there is no end of it to pass on: apart from what commands usually end with.
    pub fn without_command(code: Code) -> Ending {
        Ending(100 + code as u8)
    }
}

impl From<Code> for Ending {
    fn from(code: Code) -> Ending {
        Ending(code as u8)
    }
}

impl From<Ending> for ExitCode {
    fn from(ending: Ending) -> ExitCode {
        ExitCode::from(ending.0)
    }
}

/// A line on stderr, which may be gone.
pub fn say(text: &str) {
    let _ = writeln!(io::stderr(), "lexigram-cache: {text}");
}

/// Why a command ended early.
#[derive(Debug)]
pub enum Failure {
    /// The cache failed.
    Cache(Error),
    /// Something that this program itself found.
    Own(Code, String),
    /// Nobody reads what is printed any more. Not worth a word: `lexigram-cache keys | head` means it so.
    ReaderGone,
}

impl Failure {
    pub fn new(code: Code, text: impl Into<String>) -> Failure {
        Failure::Own(code, text.into())
    }

    /// A file that cannot be used. The path is the user's own; the rest is the system's words.
    pub fn file(path: &std::path::Path, error: &io::Error) -> Failure {
        Failure::Own(Code::System, format!("{}: {error}", path.display()))
    }

    pub fn code(&self) -> Code {
        match self {
            Failure::Cache(error) => Code::of(error.kind()),
            Failure::Own(code, _) => *code,
            Failure::ReaderGone => Code::Done,
        }
    }

    /// Says it on stderr, which may be gone as well.
    pub fn tell(&self, json: bool) {
        if matches!(self, Failure::ReaderGone) {
            return;
        }
        let line = match json {
            true => {
                let kind = match self {
                    Failure::Cache(error) => format!("{:?}", error.kind()),
                    _ => format!("{:?}", self.code()),
                };
                json!({"error": {"code": self.code() as u8, "kind": kind, "message": self.to_string()}})
                    .to_string()
            }
            false => format!("lexigram-cache: {self}"),
        };
        let _ = writeln!(io::stderr(), "{line}");
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Cache(error) => error.fmt(f),
            Failure::Own(_, text) => f.write_str(text),
            Failure::ReaderGone => f.write_str("the reader of the output has gone"),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure::Cache(error)
    }
}
