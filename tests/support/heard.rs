use std::fmt;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;

use lexigram_cache::{Error, ErrorKind, Event, EventKind};

/// What caches have told their observer of failures, in order.
#[derive(Clone, Default)]
pub struct Heard(Arc<Inner>);

#[derive(Default)]
struct Inner {
    troubles: Mutex<Vec<Trouble>>,
    /// What is to be done, once, where an event of this kind is told.
    then: Mutex<Option<(Which, Act)>>,
}

type Which = fn(&EventKind<'_>) -> bool;
type Act = Box<dyn FnOnce() + Send>;

/// A failure as it was told.
#[derive(Clone, Debug)]
pub struct Trouble {
    pub operation: &'static str,
    pub kind: ErrorKind,
    pub code: Option<String>,
    pub is_absorbed: bool,
    /// All that a log could make of it.
    pub text: String,
}

impl Heard {
    pub fn observer(&self) -> impl Fn(&Event<'_>) + Send + Sync + 'static {
        let heard = self.clone();
        move |event| heard.hear(event)
    }

    fn hear(&self, event: &Event<'_>) {
        let then = lock(&self.0.then).take_if(|(which, _)| which(&event.kind));
        if let Some((_, act)) = then {
            act();
        }
        let (error, is_absorbed): (&Error, _) = match event.kind {
            EventKind::Failed(error) => (error, false),
            EventKind::Absorbed(error) => (error, true),
            _ => return,
        };
        let (kind, code) = (error.kind(), error.code().map(str::to_owned));
        let text = format!("{event:?} {error} {error:?}");
        lock(&self.0.troubles).push(Trouble { operation: event.operation, kind, code, is_absorbed, text });
    }

    /// What was told since this was last asked.
    pub fn take(&self) -> Vec<Trouble> {
        mem::take(&mut lock(&self.0.troubles))
    }

    /// Makes a call, and acts at the moment when it tells its first event of this kind; it goes on after that.
    pub fn interrupt<R: Send>(&self, which: Which, call: impl FnOnce() -> R + Send, act: impl FnOnce()) -> R {
        let ((reached, is_there), (go_on, may_go_on)) = (mpsc::channel(), mpsc::channel());
        *lock(&self.0.then) = Some((
            which,
            Box::new(move || {
                reached.send(()).expect("somebody waits for it");
                may_go_on.recv().expect("somebody lets it go on");
            }),
        ));
        thread::scope(|scope| {
            let call = scope.spawn(call);
            is_there.recv().expect("the call tells such an event");
            act();
            go_on.send(()).expect("the call waits for it");
            call.join().expect("the call does not panic")
        })
    }
}

impl fmt::Debug for Heard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Heard").field(&lock(&self.0.troubles)).finish()
    }
}

fn lock<T>(held: &Mutex<T>) -> MutexGuard<'_, T> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}
