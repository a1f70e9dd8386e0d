//! What happens beside the callers: one thread renews leases and locks, another does what drops leave to do, which may have
//! to wait for a server that the first must not wait for.
//!
//! Each starts with its first entry and ends when there has been none for a second.

use std::collections::{HashMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use crate::engine::sync::{Condvar, Mutex, MutexGuard, PoisonError, thread};
use crate::now::now;

/// Runs `work`, and beside it `renew` once per interval for as long as that says that there is more to come.
pub(crate) fn while_renewing<R>(
    every: Duration,
    renew: impl Fn() -> bool + Send + Sync + 'static,
    work: impl FnOnce() -> R,
) -> R {
    let _entry = renewing(every, renew);
    work()
}

/// Runs `renew` once per interval for as long as that says that there is more to come, until this is dropped.
pub(crate) fn renewing(every: Duration, renew: impl Fn() -> bool + Send + Sync + 'static) -> Renewing {
    RENEWALS.renewing(every, Arc::new(renew))
}

/// How long one renewal may take that comes once per interval: one server that hangs must not keep the thread from the
/// others for longer than they can do without.
pub(crate) fn patience(every: Duration) -> Duration {
    let least = RENEWALS.lock().renewals.values().map(|renewal| renewal.every).min();
    least.map_or(every, |least| every.min(least.max(LEAST_PATIENCE)))
}

/// An entry, which its end strikes off.
pub(crate) struct Renewing {
    agenda: &'static Agenda,
    number: u64,
    /// Numbers begin anew in a forked child.
    process: u32,
}

impl Drop for Renewing {
    fn drop(&mut self) {
        if self.process == process::id() {
            // Bound, so that what it held is dropped after the lock.
            let _over = self.agenda.lock().renewals.remove(&self.number);
        }
    }
}

/// Runs what a drop has to do: here, so that whoever comes next finds it done. It ends by its own deadline.
pub(crate) fn leave(job: impl FnOnce() + Send + 'static) {
    run(Box::new(job));
}

/// Runs `job` soon, without keeping the caller; at once if there can be no thread, and not at all if 1,024 wait.
pub(crate) fn detach(job: impl FnOnce() + Send + 'static) {
    JOBS.detach(Box::new(job));
}

static JOBS: LazyLock<Agenda> = LazyLock::new(Agenda::default);
static RENEWALS: LazyLock<Agenda> = LazyLock::new(Agenda::default);

#[derive(Default)]
struct Agenda {
    tasks: Mutex<Tasks>,
    changed: Condvar,
}

type Job = Box<dyn FnOnce() + Send>;
type Renew = Arc<dyn Fn() -> bool + Send + Sync>;

struct Tasks {
    /// A forked child has no copy of the thread, and what its parent was at is none of its business.
    process: u32,
    jobs: VecDeque<Job>,
    renewals: HashMap<u64, Renewal>,
    number: u64,
    /// When the thread looks again by itself; `None` if there is no thread.
    attended: Option<Instant>,
}

struct Renewal {
    due: Instant,
    every: Duration,
    renew: Renew,
}

impl Agenda {
    fn detach(&'static self, job: Job) {
        let mut tasks = self.lock();
        // All of them end by themselves on the server. More than these are only left to do where none gets through.
        if tasks.jobs.len() >= MOST_JOBS {
            return;
        }
        tasks.jobs.push_back(job);
        if !self.attend(&mut tasks) {
            let jobs = std::mem::take(&mut tasks.jobs);
            drop(tasks);
            jobs.into_iter().for_each(run);
        }
    }

    fn renewing(&'static self, every: Duration, renew: Renew) -> Renewing {
        let due = now() + every;
        let mut tasks = self.lock();
        tasks.number += 1;
        let number = tasks.number;
        tasks.renewals.insert(number, Renewal { due, every, renew });
        // Most loads end before their first renewal: only one that is due earlier than all others needs a word.
        if tasks.attended.is_none_or(|looks| due < looks) {
            self.attend(&mut tasks);
        }
        Renewing { agenda: self, number, process: process::id() }
    }

    /// Makes sure that the thread looks at what was just entered; says whether there is one.
    fn attend(&'static self, tasks: &mut Tasks) -> bool {
        if tasks.attended.is_none() {
            let thread = thread::Builder::new().name("cache-agenda".into()).spawn(|| self.keep());
            tasks.attended = thread.is_ok().then(now);
        }
        self.changed.notify_one();
        tasks.attended.is_some()
    }

    /// What the thread does.
    fn keep(&self) {
        let mut idle_since = None;
        loop {
            let mut tasks = self.lock();
            let now = now();
            if let Some((number, renew)) = tasks.next_due(now) {
                drop(tasks);
                if !catch_unwind(AssertUnwindSafe(move || renew())).unwrap_or(false) {
                    let over = self.lock().renewals.remove(&number);
                    run(Box::new(move || drop(over)));
                }
                continue;
            }
            if let Some(job) = tasks.jobs.pop_front() {
                drop(tasks);
                run(job);
                idle_since = None;
                continue;
            }
            let until = match tasks.renewals.values().map(|renewal| renewal.due).min() {
                Some(due) => due,
                None if idle_since.is_some_and(|since| now >= since + LINGER) => {
                    tasks.attended = None;
                    return;
                }
                None => *idle_since.get_or_insert(now) + LINGER,
            };
            tasks.attended = Some(until);
            let wait = until.saturating_duration_since(now);
            drop(self.changed.wait_timeout(tasks, wait).unwrap_or_else(PoisonError::into_inner));
        }
    }

    /// No job and no renewal runs under the lock, so a poisoned one still guards a whole agenda.
    fn lock(&self) -> MutexGuard<'_, Tasks> {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        if tasks.process != process::id() {
            *tasks = Tasks::default();
        }
        tasks
    }
}

impl Default for Tasks {
    fn default() -> Tasks {
        Tasks {
            process: process::id(),
            jobs: VecDeque::new(),
            renewals: HashMap::new(),
            number: 0,
            attended: None,
        }
    }
}

impl Tasks {
    /// A renewal whose time has come, put off by one interval.
    fn next_due(&mut self, now: Instant) -> Option<(u64, Renew)> {
        let (number, renewal) = self.renewals.iter_mut().min_by_key(|(_, renewal)| renewal.due)?;
        if renewal.due > now {
            return None;
        }
        renewal.due = now + renewal.every;
        Some((*number, Arc::clone(&renewal.renew)))
    }
}

/// A job that panics must not end the thread.
fn run(job: Job) {
    let _ = catch_unwind(AssertUnwindSafe(job));
}

const MOST_JOBS: usize = 1_024;
/// Time enough to dial anew.
const LEAST_PATIENCE: Duration = Duration::from_millis(250);
const LINGER: Duration = Duration::from_secs(1);

#[cfg(all(test, shuttle))]
mod races;
#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn renewals_come_while_the_work_lasts_and_no_longer() {
        let (renewed, renewals) = mpsc::channel();
        let renew = move || renewed.send(()).is_ok();
        while_renewing(Duration::from_millis(1), renew, || {
            (0..3).for_each(|_| renewals.recv().unwrap());
        });
        // The closure went with its entry; at most the renewal under way when the work ended still comes.
        assert!(renewals.iter().count() <= 1);
    }

    #[test]
    fn a_renewal_that_is_over_or_panics_is_not_run_again() {
        static RUNS: AtomicU32 = AtomicU32::new(0);
        let (done, waiting) = mpsc::channel();
        let panics = || {
            RUNS.fetch_add(1, Ordering::SeqCst);
            std::panic::resume_unwind(Box::new(()))
        };
        while_renewing(Duration::from_millis(1), panics, || {
            // The other renewal shows that the thread has gone on.
            while_renewing(
                Duration::from_millis(5),
                move || done.send(()).is_ok(),
                || {
                    (0..3).for_each(|_| waiting.recv().unwrap());
                },
            );
        });
        assert_eq!(RUNS.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn detached_jobs_run_even_after_one_that_panics() {
        let (done, waiting) = mpsc::channel();
        detach(|| std::panic::resume_unwind(Box::new(())));
        detach(move || done.send(thread::current().name().map(str::to_owned)).unwrap());
        assert_eq!(waiting.recv().unwrap().as_deref(), Some("cache-agenda"));
    }
}
