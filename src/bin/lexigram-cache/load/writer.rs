//! Stores batches. What goes wrong by the values' own fault is told by line; an unreachable server is tried again.

use std::sync::mpsc::Receiver;
use std::thread;
use std::time::Duration;

use lexigram_cache::{Cache, Error, Result};
use serde_json::value::RawValue;

use super::Form;
use super::batch::{Batch, Item};
use super::shared::Shared;
use crate::tool::configured::Target;
use crate::tool::failure::{Code, Failure};
use crate::tool::record::Payload;
use crate::tool::time::Life;

pub struct Writer<'a> {
    cache: &'a Cache,
    shared: &'a Shared,
    form: Form,
}

impl<'a> Writer<'a> {
    pub fn new(target: &'a Target, shared: &'a Shared, form: Form) -> Writer<'a> {
        Writer { cache: &target.cache, shared, form }
    }

    /// Until there are no more, or something has failed.
    pub fn run(&self, batches: &Receiver<(u64, Batch)>) {
        for (window, batch) in batches {
            if !self.shared.goes_on() {
                return;
            }
            match self.store(batch) {
                Ok(stored) => self.shared.end(window, stored),
                Err(failure) => return self.shared.fail(failure),
            }
        }
    }

    fn store(&self, batch: Batch) -> Result<u64, Failure> {
        let Batch { life, items, .. } = batch;
        match self.put(&items, life) {
            Ok(()) => Ok(items.len() as u64),
            // Nothing of it is stored: it was checked before.
            Err(error) if Code::of(error.kind()) == Code::Input => self.one_by_one(items, life),
            Err(error) => Err(error.into()),
        }
    }

    fn one_by_one(&self, items: Vec<Item>, life: Life) -> Result<u64, Failure> {
        let mut stored = 0;
        for item in items {
            let line = item.line;
            match self.put(&[item], life) {
                Ok(()) => stored += 1,
                Err(error) if Code::of(error.kind()) == Code::Input => {
                    self.shared.bad.note(line, &error.to_string())?;
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(stored)
    }

    /// To store a value twice does no harm, so what may or may not have been stored is stored again.
    fn put(&self, items: &[Item], life: Life) -> Result<()> {
        let mut pauses = PAUSES.iter();
        loop {
            match (self.put_once(items, life), pauses.next()) {
                (Err(error), Some(pause)) if is_passing(&error) && self.shared.goes_on() => {
                    thread::sleep(*pause);
                }
                (done, _) => return done,
            }
        }
    }

    fn put_once(&self, items: &[Item], life: Life) -> Result<()> {
        let json =
            items.iter().filter_map(|item| Some((&item.key, self.to_encode(&item.payload)?.to_owned())));
        let mut json = json.peekable();
        if json.peek().is_some() {
            self.cache.set_many(json, life)?;
        }
        let bytes = items.iter().filter_map(|item| Some((&item.key, self.to_copy(&item.payload)?.to_vec())));
        let mut bytes = bytes.peekable();
        if bytes.peek().is_some() {
            self.cache.import(bytes, life)?;
        }
        Ok(())
    }

    fn to_encode<'p>(&self, payload: &'p Payload) -> Option<&'p RawValue> {
        match payload {
            Payload::Json(json) if self.form == Form::Values => Some(json),
            _ => None,
        }
    }

    fn to_copy<'p>(&self, payload: &'p Payload) -> Option<&'p [u8]> {
        match payload {
            Payload::Bytes(bytes) => Some(bytes),
            Payload::Json(json) if self.form == Form::Bytes => Some(json.get().as_bytes()),
            Payload::Json(_) => None,
        }
    }
}

fn is_passing(error: &Error) -> bool {
    matches!(Code::of(error.kind()), Code::Unavailable | Code::Ambiguous)
}

/// Together somewhat longer than a failover takes.
const PAUSES: [Duration; 4] = [
    Duration::from_millis(100),
    Duration::from_millis(400),
    Duration::from_millis(1_000),
    Duration::from_millis(2_000),
];
