//! The built program, in a folder of its own with a configuration of its own.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::{env, fs, process};

use serde_json::Value;

/// What one run came to.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Ran {
    /// What it printed, if it ended so.
    #[track_caller]
    pub fn ended(self, code: i32) -> String {
        assert_eq!(self.code, code, "{self:?}");
        self.out
    }

    /// The objects it printed, one a line.
    pub fn objects(&self) -> Vec<Value> {
        self.out
            .lines()
            .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{self:?}")))
            .collect()
    }
}

pub struct Tool {
    folder: PathBuf,
}

impl Tool {
    /// Without a configuration.
    pub fn bare() -> Tool {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("lexigram-cli-{}-{}", process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let folder = env::temp_dir().join(name);
        fs::create_dir_all(&folder).unwrap();
        Tool { folder }
    }

    /// With a `cache.yaml` in its folder.
    pub fn with(yaml: &str) -> Tool {
        let tool = Tool::bare();
        tool.write("cache.yaml", yaml);
        tool
    }

    /// With one backend, whose entry says this.
    pub fn on(backend: &str) -> Tool {
        Tool::with(&format!("backends:\n  - {{name: it, {backend}}}\n"))
    }

    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        path
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lexigram-cache"));
        // Of the environment of whoever runs the tests, nothing is to count.
        let ours = env::vars_os().filter(|(name, _)| {
            let name = name.to_string_lossy();
            name.starts_with("LEX_") || name == "APP_ENV"
        });
        for (name, _) in ours {
            command.env_remove(name);
        }
        command.args(arguments).current_dir(&self.folder);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Ran {
        finish(self.command(arguments).spawn().unwrap())
    }

    /// With this on its standard input.
    pub fn run_with(&self, input: &str, arguments: &[&str]) -> Ran {
        let file = fs::File::open(self.write("input", input)).unwrap();
        finish(self.command(arguments).stdin(file).spawn().unwrap())
    }
}

impl Drop for Tool {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

pub fn finish(child: Child) -> Ran {
    let output = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Ran { code: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) }
}

/// Sends a signal, by its name.
pub fn signal(name: &str, pid: u32) {
    let sent = Command::new("kill").args([format!("-{name}"), pid.to_string()]).status().unwrap();
    assert!(sent.success());
}
