use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::{env, process};

use super::signals;

/// A program that is killed when this value is dropped, or when the test process ends in any way at all.
///
/// A shell stands between the two. It waits for the end of its standard input, whose other end only this process
/// holds, so that the kernel itself gives the signal, after `abort` and `kill -9` as well.
#[derive(Debug)]
pub struct Watched {
    shell: Child,
    lifeline: Option<ChildStdin>,
    pid: u32,
    folder: PathBuf,
}

impl Watched {
    pub fn spawn(program: &Path, arguments: impl FnOnce(&Path) -> Vec<String>) -> Self {
        let folder = new_folder();
        let mut shell = Command::new("sh")
            .args(["-c", WATCHDOG, "watchdog"])
            .arg(&folder)
            .arg(program)
            .args(arguments(&folder))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("every system the tests run on has sh");
        let lifeline = shell.stdin.take();
        let pid = first_line(shell.stdout.take().expect("stdout is piped above"));
        let pid = pid.trim().parse().unwrap_or_else(|_| panic!("the shell printed {pid:?} for a process id"));
        Self { shell, lifeline, pid, folder }
    }

    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Everything the program has printed.
    pub fn output(&self) -> String {
        fs::read_to_string(self.folder.join("output")).unwrap_or_default()
    }

    /// SIGSTOP. Returns when every thread of the program stands still.
    pub fn stop(&self) {
        assert!(signals::stop(self.pid), "process {} does not stop. It said:\n{}", self.pid, self.output());
    }

    /// SIGCONT.
    pub fn cont(&self) {
        assert!(signals::cont(self.pid), "process {} is gone. It said:\n{}", self.pid, self.output());
    }
}

impl Drop for Watched {
    /// SIGKILL, which a stopped process obeys too, and a wait for the end.
    fn drop(&mut self) {
        drop(self.lifeline.take());
        let _ = self.shell.wait();
    }
}

fn first_line(source: impl Read) -> String {
    let mut line = String::new();
    BufReader::new(source).read_line(&mut line).expect("the shell prints a process id");
    line
}

fn new_folder() -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let folder = env::temp_dir().join(format!("lexigram-cache-{}-{number}", process::id()));
    // An earlier process of this number may have been killed together with its shell.
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap_or_else(|e| panic!("cannot make {}: {e}", folder.display()));
    folder
}

// `trap`: Ctrl-C and a runner's polite signals reach the whole process group; the shell has to survive them to do
// its duty. `&` with a plain command: the shell puts the program itself at `$!`, not one more shell.
const WATCHDOG: &str = r#"
trap '' HUP INT TERM
folder=$1
shift
"$@" >"$folder/output" 2>&1 </dev/null &
echo $!
read -r end
kill -9 $!
wait
rm -rf "$folder"
"#;
