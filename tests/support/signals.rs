//! Processes that are made to stand still.

use std::fs;
use std::process::Command;
use std::time::Duration;

use super::eventually::poll;

/// SIGSTOP. Returns when every thread of the process stands still; says whether that came to pass.
pub fn stop(pid: u32) -> bool {
    signal(pid, "STOP") && poll(Duration::from_secs(2), || stands_still(pid))
}

/// SIGCONT; says whether there is such a process.
pub fn cont(pid: u32) -> bool {
    signal(pid, "CONT")
}

// The shell's own `kill`: the program of that name is missing on small machines.
fn signal(pid: u32, name: &str) -> bool {
    let command = format!("kill -{name} {pid}");
    Command::new("sh").args(["-c", &command]).status().expect("sh runs").success()
}

// Threads stop one after the other, some time after the signal. Only Linux lets us watch.
fn stands_still(pid: u32) -> bool {
    let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else { return true };
    threads.flatten().all(|thread| {
        let state = fs::read_to_string(thread.path().join("stat")).unwrap_or_default();
        state.rsplit(") ").next().is_some_and(|fields| fields.starts_with('T'))
    })
}
