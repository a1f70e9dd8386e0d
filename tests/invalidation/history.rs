//! What a thread has done lately, told when somebody was given what was outdated.

use std::collections::VecDeque;
use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

/// The last steps of one thread.
pub struct History {
    who: String,
    steps: VecDeque<Step>,
}

/// One key's part in a call, or one load within a call.
#[derive(Clone, Copy)]
pub struct Step {
    pub verb: &'static str,
    pub key: usize,
    /// Nobody could be given anything older when this began.
    pub floor: u64,
    pub begun: u128,
    pub ended: u128,
    /// What was read, loaded or written.
    pub version: Option<u64>,
}

impl History {
    pub fn new(who: String) -> History {
        History { who, steps: VecDeque::with_capacity(KEPT) }
    }

    pub fn note(&mut self, step: Step) {
        if self.steps.len() == KEPT {
            self.steps.pop_front();
        }
        self.steps.push_back(step);
    }

    /// What is still known of this key. Sorted as text, the lines of all processes are in order.
    pub fn of(&self, key: usize) -> Vec<String> {
        self.steps.iter().filter(|step| step.key == key).map(|step| format!("{step} {}", self.who)).collect()
    }
}

/// `begun ended verb key floor → version`, in nanoseconds.
impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Step { verb, key, floor, begun, ended, version } = self;
        write!(f, "{begun} +{:>8} {verb:<18} k{key} floor {floor} -> ", ended - begun)?;
        match version {
            Some(version) if version < floor => write!(f, "{version} OUTDATED"),
            Some(version) => write!(f, "{version}"),
            None => f.write_str("none"),
        }
    }
}

/// Nanoseconds on the clock that all processes share.
pub fn now() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos()
}

const KEPT: usize = 2_000;
