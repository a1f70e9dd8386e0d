use std::env;
use std::io::{self, BufRead, BufReader, Lines, Write};
use std::path::Path;
use std::process::{self, Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex};
use std::thread;

use super::signals;

/// One more process of this test: the same binary, which runs the same test and finds its [`Parent`] there.
///
/// It is killed when this value is dropped. It also ends by itself when its standard input does, whose other end
/// only the parent holds, so that no process outlives a parent that was killed.
#[derive(Debug)]
pub struct Process {
    child: Child,
    orders: ChildStdin,
    said: Lines<BufReader<ChildStdout>>,
}

impl Process {
    /// Runs the test of this name in a process of its own, which is told what it is `given`.
    pub fn start(test: &str, given: &str) -> Process {
        Process::run(Command::new(env::current_exe().unwrap()), test, given)
    }

    /// The same with at most so many files and sockets.
    pub fn start_with_descriptors(most: u32, test: &str, given: &str) -> Process {
        Process::limited(&format!("-n {most}"), test, given)
    }

    /// The same with at most so many KiB of memory.
    pub fn start_with_memory(most: u32, test: &str, given: &str) -> Process {
        Process::limited(&format!("-v {most}"), test, given)
    }

    fn limited(limit: &str, test: &str, given: &str) -> Process {
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("ulimit {limit}; exec \"$0\" \"$@\"")]).arg(env::current_exe().unwrap());
        Process::run(shell, test, given)
    }

    /// The same where the system's `/etc/hosts` is this file. `None` where the system does not allow that.
    pub fn start_with_hosts(hosts: &Path, test: &str, given: &str) -> Option<Process> {
        let script = "mount --bind \"$0\" /etc/hosts && exec \"$@\"";
        let apart = || {
            let mut apart = Command::new("unshare");
            apart.args(["--user", "--map-root-user", "--mount", "sh", "-c", script]).arg(hosts);
            apart
        };
        let allowed = apart().arg("true").stderr(Stdio::null()).status().is_ok_and(|status| status.success());
        let mut command = apart();
        command.arg(env::current_exe().unwrap());
        allowed.then(|| Process::run(command, test, given))
    }

    fn run(mut command: Command, test: &str, given: &str) -> Process {
        let mut child = command
            .args(["--exact", test, "--nocapture"])
            .env(GIVEN, given)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let orders = child.stdin.take().expect("stdin is piped above");
        let said = BufReader::new(child.stdout.take().expect("stdout is piped above")).lines();
        Process { child, orders, said }
    }

    /// What it tells next; waits for it.
    pub fn hear(&mut self) -> String {
        let lines = self.said.by_ref().map_while(Result::ok);
        let told = lines.filter_map(|line| line.strip_prefix(MARK).map(str::to_owned)).next();
        told.unwrap_or_else(|| panic!("a process of this test has ended; what it said stands above"))
    }

    pub fn tell(&mut self, order: &str) {
        writeln!(self.orders, "{order}").expect("the process runs");
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// SIGSTOP. Returns when it stands still.
    pub fn stop(&self) {
        assert!(signals::stop(self.id()), "process {} does not stop", self.id());
    }

    /// SIGCONT.
    pub fn cont(&self) {
        assert!(signals::cont(self.id()), "process {} is gone", self.id());
    }

    /// SIGKILL, and a wait for the end.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Who started this process as a part of its test. A cheap clone.
#[derive(Clone, Debug)]
pub struct Parent {
    given: String,
    orders: Arc<Mutex<Receiver<String>>>,
}

impl Parent {
    /// `None` where a person or a runner started this process.
    pub fn find() -> Option<Parent> {
        let given = env::var(GIVEN).ok()?;
        let (sender, orders) = mpsc::channel();
        thread::spawn(move || {
            for order in io::stdin().lines().map_while(Result::ok) {
                let _ = sender.send(order);
            }
            process::exit(1);
        });
        Some(Parent { given, orders: Arc::new(Mutex::new(orders)) })
    }

    pub fn given(&self) -> &str {
        &self.given
    }

    /// What the parent tells next; waits for it.
    pub fn hear(&self) -> String {
        self.orders.lock().unwrap().recv().expect("the thread that reads ends with this process only")
    }

    /// Tells the parent one line.
    pub fn tell(&self, line: &str) {
        // The test runner leaves its own line open while a test runs.
        let text = format!("\n{MARK}{line}\n");
        let mut out = io::stdout().lock();
        out.write_all(text.as_bytes()).and_then(|()| out.flush()).expect("the parent reads");
    }
}

const GIVEN: &str = "LEXIGRAM_TEST_PROCESS";
// What the runner prints beside it is not meant for the parent.
const MARK: &str = "told: ";
