//! Where the loaders load from: one version per key, and the newest one that has been made known, shared by any
//! number of processes.
//!
//! A number is the length of a file. The kernel keeps that in one word, `fstat` reads it in one step, and an
//! appended byte adds one in one step, so no process ever sees half a change, and no map of shared memory is needed.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::{env, fs, process};

/// A handle of one process, shared by its threads.
pub struct Origin {
    folder: PathBuf,
    versions: Vec<Tally>,
    floors: Vec<Tally>,
    alarm: Tally,
}

/// Numbers that only rise.
struct Tally {
    path: PathBuf,
    file: File,
}

/// The origin's files, gone when this is dropped.
pub struct Folder(PathBuf);

impl Origin {
    pub fn open(folder: &Path) -> Origin {
        let tallies = |name: &str| {
            (0..KEYS).map(|key| Tally::open(folder.join(format!("{name} {key}")))).collect::<Vec<_>>()
        };
        let alarm = Tally::open(folder.join("alarm"));
        Origin { versions: tallies("version"), floors: tallies("floor"), alarm, folder: folder.to_owned() }
    }

    /// What a load that reads the origin now gets.
    pub fn version(&self, key: usize) -> u64 {
        self.versions[key].value()
    }

    /// The newest version whose invalidation has completely returned: nothing older may be read from now on.
    pub fn floor(&self, key: usize) -> u64 {
        self.floors[key].value()
    }

    /// Changes these keys and runs their invalidation, beside others of its kind. The floor rises when it has
    /// returned.
    pub fn removing<R>(&self, keys: &[usize], invalidate: impl FnOnce() -> R) -> R {
        let turns: Vec<File> = keys.iter().map(|key| self.turn(*key)).collect();
        turns.iter().for_each(|turn| turn.lock_shared().unwrap());
        let versions: Vec<u64> = keys.iter().map(|key| self.versions[*key].next()).collect();
        let returned = invalidate();
        keys.iter().zip(versions).for_each(|(key, version)| self.floors[*key].raise(version));
        returned
    }

    /// Changes these keys, in ascending order, and has the new versions written. Nobody else changes them meanwhile:
    /// of two writers the later one wins, and its version may be the older one, which is no fault of a cache.
    pub fn writing<R>(&self, keys: &[usize], write: impl FnOnce(&[u64]) -> R) -> R {
        let turns: Vec<File> = keys.iter().map(|key| self.turn(*key)).collect();
        turns.iter().for_each(|turn| turn.lock().unwrap());
        let versions: Vec<u64> = keys.iter().map(|key| self.versions[*key].next()).collect();
        let returned = write(&versions);
        keys.iter().zip(versions).for_each(|(key, version)| self.floors[*key].raise(version));
        returned
    }

    /// Ends the work of all processes because of this key, unless another one was faster.
    pub fn raise_alarm(&self, key: usize) {
        if self.alarm().is_none() {
            self.alarm.raise(key as u64 + 1);
        }
    }

    /// The key for which somebody raised the alarm.
    pub fn alarm(&self) -> Option<usize> {
        self.alarm.value().checked_sub(1).map(|key| key as usize)
    }

    // The system's lock belongs to the open file, so each turn opens one of its own and ends by closing it.
    fn turn(&self, key: usize) -> File {
        open(&self.folder.join(format!("turn {key}")))
    }
}

impl Tally {
    fn open(path: PathBuf) -> Tally {
        Tally { file: open(&path), path }
    }

    fn value(&self) -> u64 {
        self.file.metadata().unwrap().len()
    }

    /// Adds one. The number that is returned may include what others added at the same moment.
    fn next(&self) -> u64 {
        (&self.file).write_all(b".").unwrap();
        self.value()
    }

    fn raise(&self, value: u64) {
        let turn = open(&self.path);
        turn.lock().unwrap();
        if self.value() < value {
            turn.set_len(value).unwrap();
        }
    }
}

impl Folder {
    pub fn new(name: &str) -> Folder {
        // Memory where there is a folder of it: nothing here is meant to be kept.
        let place = Some(PathBuf::from("/dev/shm")).filter(|place| place.is_dir());
        let place = place.unwrap_or_else(env::temp_dir);
        let folder = place.join(format!("lexigram-cache-{}-{name}", process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        Folder(folder)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn open(path: &Path) -> File {
    OpenOptions::new().append(true).create(true).open(path).unwrap()
}

pub const KEYS: usize = 8;
