use std::mem;
use std::sync::{Arc, Mutex, PoisonError};

use lexigram_cache::{Error, ErrorKind, Event, EventKind};

/// What caches have told their observer of failures, in order.
#[derive(Clone, Debug, Default)]
pub struct Heard(Arc<Mutex<Vec<Trouble>>>);

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
        move |event| {
            let (error, is_absorbed): (&Error, _) = match event.kind {
                EventKind::Failed(error) => (error, false),
                EventKind::Absorbed(error) => (error, true),
                _ => return,
            };
            let (kind, code) = (error.kind(), error.code().map(str::to_owned));
            let text = format!("{event:?} {error} {error:?}");
            heard.lock().push(Trouble { operation: event.operation, kind, code, is_absorbed, text });
        }
    }

    /// What was told since this was last asked.
    pub fn take(&self) -> Vec<Trouble> {
        mem::take(&mut self.lock())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Trouble>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
