//! Whoever listens to a cache: its errors, its observer, tracing and metrics.

use std::collections::HashSet;
use std::error::Error as _;
use std::fmt::{self, Debug};
use std::sync::{Arc, Mutex, Once};

use lexigram_cache::{Error, ErrorKind, Event};
use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata as Measured, Recorder, SharedString, Unit};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Metadata, Subscriber};

use crate::CANARY;

/// Remembers what kinds of errors it heard, and complains where it hears the canary.
#[derive(Clone, Default)]
pub struct Ears(Arc<Mutex<Heard>>);

#[derive(Default)]
struct Heard {
    kinds: HashSet<String>,
    observed: usize,
    leaks: Vec<String>,
}

/// What all ears of the process hear of tracing and metrics.
static TRACED: Mutex<(usize, Vec<String>)> = Mutex::new((0, Vec::new()));

impl Ears {
    pub fn open() -> Ears {
        static ONCE: Once = Once::new();
        ONCE.call_once(|| {
            tracing::subscriber::set_global_default(Tracer).unwrap();
            metrics::set_global_recorder(Meter).unwrap();
        });
        Ears::default()
    }

    pub fn text(&self, text: &str) {
        if text.contains(CANARY) {
            self.0.lock().unwrap().leaks.push(text.to_owned());
        }
    }

    /// The error in all its forms, and the chain behind it.
    pub fn error(&self, error: &Error) {
        self.0.lock().unwrap().kinds.insert(format!("{:?}", error.kind()));
        self.text(&format!(
            "{error} {error:#} {error:?} {error:#?} {:?} {:?}",
            error.code(),
            error.operation()
        ));
        let mut cause = error.source();
        while let Some(error) = cause {
            self.text(&format!("{error} {error:?}"));
            cause = error.source();
        }
    }

    pub fn observer(&self) -> impl Fn(&Event<'_>) + Send + Sync + 'static {
        let ears = self.clone();
        move |event| {
            ears.0.lock().unwrap().observed += 1;
            ears.text(&format!("{event:?} {event:#?}"));
        }
    }

    /// How often the canary was heard.
    pub fn leaks(&self) -> usize {
        self.0.lock().unwrap().leaks.len()
    }

    /// Says that errors of these kinds were heard, and the canary nowhere.
    pub fn heard(&self, kinds: &[ErrorKind]) {
        // Taken out of their locks, which a failed assertion would poison for the other tests of the process.
        let heard = std::mem::take(&mut *self.0.lock().unwrap());
        let (traced, leaks) = TRACED.lock().unwrap().clone();
        for kind in kinds {
            assert!(heard.kinds.contains(&format!("{kind:?}")), "no {kind:?} among {:?}", heard.kinds);
        }
        let deaf = heard.observed == 0 || traced == 0;
        assert!(!deaf || kinds == [ErrorKind::Config], "nothing was observed or traced");
        assert!(heard.leaks.is_empty() && leaks.is_empty(), "{:#?} {leaks:#?}", heard.leaks);
        println!("{:?}, {} events, {traced} traced: no leak", heard.kinds, heard.observed);
    }
}

fn traced(said: &impl Debug) {
    let mut traced = TRACED.lock().unwrap();
    traced.0 += 1;
    let said = format!("{said:?}");
    if said.contains(CANARY) {
        traced.1.push(said);
    }
}

struct Tracer;

impl Subscriber for Tracer {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        traced(span);
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        traced(values);
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        let mut fields = Fields(String::new());
        event.record(&mut fields);
        traced(&fields.0);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

struct Fields(String);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        use fmt::Write;
        write!(self.0, "{field}: {value:?} ").expect("writing to a String cannot fail");
    }
}

struct Meter;

impl Recorder for Meter {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Measured<'_>) -> Counter {
        traced(key);
        Counter::noop()
    }

    fn register_gauge(&self, key: &Key, _: &Measured<'_>) -> Gauge {
        traced(key);
        Gauge::noop()
    }

    fn register_histogram(&self, key: &Key, _: &Measured<'_>) -> Histogram {
        traced(key);
        Histogram::noop()
    }
}
