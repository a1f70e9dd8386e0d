//! The files under a folder, each with a key that changes when the file does.

use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use super::Failure;

#[derive(Clone)]
pub struct SourceFile {
    pub path: PathBuf,
    /// Path, size and time of change: a file that was changed has another key, so its old value is not asked
    /// for again. The path is quoted as `{:?}` does, which keeps names that are no UTF-8 apart.
    pub key: String,
}

/// Every file under this folder, sorted by path. Links are not followed.
pub fn under(folder: &Path) -> Result<Vec<SourceFile>, Failure> {
    let folder = fs::canonicalize(folder).map_err(|error| unreadable(folder, &error))?;
    let mut files = Vec::new();
    collect(&folder, &mut files)?;
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

fn collect(folder: &Path, files: &mut Vec<SourceFile>) -> Result<(), Failure> {
    for entry in fs::read_dir(folder).map_err(|error| unreadable(folder, &error))? {
        let path = entry?.path();
        let metadata = fs::symlink_metadata(&path).map_err(|error| unreadable(&path, &error))?;
        if metadata.is_dir() {
            collect(&path, files)?;
        } else if metadata.is_file() {
            files.push(SourceFile { key: key(&path, &metadata)?, path });
        }
    }
    Ok(())
}

fn key(path: &Path, metadata: &Metadata) -> Result<String, Failure> {
    let changed = metadata.modified()?.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos());
    Ok(format!("quickstart:{}:{changed}:{path:?}", metadata.len()))
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::Failed(format!("cannot read {}: {error}", path.display()))
}
