//! Names to addresses, for callers who cannot wait as long as the system's resolver can.

use std::collections::HashMap;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::{process, thread};

use super::fault::io_error;
use crate::error::{Error, ErrorKind, Result};

type Answer = Result<Vec<SocketAddr>>;
/// How a thread or a task that waits is told.
type Tell = Box<dyn FnOnce(Answer) + Send>;

/// Resolves `host:port` anew and tells what came of it, at once where it is an address already.
pub(super) fn resolve(at: &str, tell: impl FnOnce(Answer) + Send + 'static) {
    match at.parse() {
        Ok(address) => tell(Ok(vec![address])),
        Err(_) => LOOKUPS.join(at, Box::new(tell), system),
    }
}

fn system(at: &str) -> Answer {
    let found = at.to_socket_addrs().map_err(|error| io_error(&format!("resolve {at}"), error))?;
    let addresses: Vec<_> = found.collect();
    match addresses.is_empty() {
        true => Err(Error::new(ErrorKind::Unavailable, format!("{at} has no address"))),
        false => Ok(addresses),
    }
}

static LOOKUPS: LazyLock<Lookups> = LazyLock::new(Lookups::default);

/// The lookups under way: one thread for each name, however many wait for it, since one that hangs cannot be ended.
#[derive(Default)]
struct Lookups(Mutex<Waiting>);

struct Waiting {
    /// A forked child has no copy of the threads.
    process: u32,
    by_name: HashMap<String, Vec<Tell>>,
}

impl Default for Waiting {
    fn default() -> Waiting {
        Waiting { process: process::id(), by_name: HashMap::new() }
    }
}

impl Lookups {
    fn join(&'static self, at: &str, tell: Tell, lookup: fn(&str) -> Answer) {
        let mut waiting = self.lock();
        if let Some(waiters) = waiting.by_name.get_mut(at) {
            waiters.push(tell);
            return;
        }
        waiting.by_name.insert(at.to_owned(), vec![tell]);
        drop(waiting);
        let name = at.to_owned();
        let work = move || {
            let answer = lookup(&name);
            self.end(&name, &answer);
        };
        if let Err(error) = thread::Builder::new().name("cache-resolve".into()).spawn(work) {
            self.end(at, &Err(io_error("start a thread that resolves the name", error)));
        }
    }

    fn end(&self, at: &str, answer: &Answer) {
        // Told outside the lock.
        let waiters = self.lock().by_name.remove(at).unwrap_or_default();
        waiters.into_iter().for_each(|tell| tell(answer.clone()));
    }

    /// Each step under the lock leaves the table whole, so a poisoned one guards a whole table.
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.process != process::id() {
            *waiting = Waiting::default();
        }
        waiting
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::sync::{Condvar, mpsc};
    use std::time::Duration;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(5);

    #[test]
    fn an_address_is_told_at_once() {
        let (told, heard) = mpsc::channel();
        resolve("127.0.0.1:5", move |answer| told.send(answer.unwrap()).unwrap());
        assert_eq!(heard.try_recv().unwrap(), [([127, 0, 0, 1], 5).into()]);
    }

    #[test]
    fn a_name_is_looked_up_and_one_that_is_none_says_so() {
        let (told, heard) = mpsc::channel();
        let tell = told.clone();
        resolve("localhost:5", move |answer| tell.send(answer).unwrap());
        assert!(heard.recv_timeout(PATIENCE).unwrap().unwrap().iter().all(|at| at.ip().is_loopback()));
        resolve("no name at all:5", move |answer| told.send(answer).unwrap());
        let error = heard.recv_timeout(PATIENCE).unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert!(error.to_string().contains("resolve no name at all:5"), "{error}");
    }

    #[test]
    fn a_lookup_that_hangs_holds_one_thread_and_nobody_who_asks() {
        static LOOKUPS: LazyLock<Lookups> = LazyLock::new(Lookups::default);
        static LOOKED: AtomicU32 = AtomicU32::new(0);
        static HANGS: (Mutex<bool>, Condvar) = (Mutex::new(true), Condvar::new());
        fn hanging(_: &str) -> Answer {
            LOOKED.fetch_add(1, Ordering::Relaxed);
            drop(HANGS.1.wait_while(HANGS.0.lock().unwrap(), |hangs| *hangs).unwrap());
            Ok(vec![([127, 0, 0, 1], 5).into()])
        }
        let (told, heard) = mpsc::channel();
        for _ in 0..100 {
            let tell = told.clone();
            LOOKUPS.join("slow.test:5", Box::new(move |answer| tell.send(answer).unwrap()), hanging);
        }
        *HANGS.0.lock().unwrap() = false;
        HANGS.1.notify_all();
        (0..100).for_each(|_| assert!(heard.recv_timeout(PATIENCE).unwrap().is_ok()));
        assert_eq!(LOOKED.load(Ordering::Relaxed), 1);
    }
}
