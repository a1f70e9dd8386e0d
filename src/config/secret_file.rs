//! Secrets that stand in a file of their own: `redis_password: file:/run/secrets/redis`.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::Path;

use super::fault::Text;

/// What the file holds, without the line end behind it. Refusals name the file, and never what is in it.
pub(super) fn read(path: &str) -> Result<String, Text> {
    // What is no absolute path may be a password that begins with `file:`, which must not be shown.
    if !Path::new(path).is_absolute() {
        return Err("`file:` needs an absolute path, such as file:/run/secrets/redis".into());
    }
    // A pipe would be waited for without end.
    let is_file =
        fs::metadata(path).map(|found| found.is_file()).map_err(|error| unreadable(path, &error))?;
    if !is_file {
        return Err(format!("the secret file {path} is no regular file").into());
    }
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes));
    read.map_err(|error| unreadable(path, &error))?;
    if bytes.len() as u64 > LARGEST {
        return Err(format!("the secret file {path} is larger than 64 KiB, which no secret is").into());
    }
    let text = String::from_utf8(bytes).map_err(|_| format!("the secret file {path} is not UTF-8 text"))?;
    let text = text.strip_suffix('\n').map_or(&*text, |text| text.strip_suffix('\r').unwrap_or(text));
    match text.is_empty() {
        true => Err(format!("the secret file {path} is empty").into()),
        false => Ok(text.to_owned()),
    }
}

fn unreadable(path: &str, error: &std::io::Error) -> Text {
    format!("cannot read the secret file {path}: {error}").into()
}

const LARGEST: u64 = 64 * 1024;
