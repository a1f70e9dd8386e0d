use std::fs;

/// What the system says of this process: `VmRSS`, `VmHWM` (both in KiB) or `Threads`.
pub fn of_this_process(field: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("these tests run on Linux");
    let line = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    number.unwrap_or_else(|| panic!("no {field} in\n{status}"))
}
