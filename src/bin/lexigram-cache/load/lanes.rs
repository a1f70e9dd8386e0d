//! Each key by the same writer, so that of a key named twice the later line wins, and one batch per lifetime.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher as _, RandomState};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::Scope;

use super::Form;
use super::arguments::LoadArguments;
use super::batch::{BYTES, Batch, Item};
use super::shared::Shared;
use super::writer::Writer;
use crate::tool::configured::Target;
use crate::tool::time::Life;

pub struct Lanes<'a> {
    lanes: Vec<Lane>,
    shared: &'a Shared,
    hasher: RandomState,
    most: usize,
}

struct Lane {
    writer: SyncSender<(u64, Batch)>,
    open: HashMap<Life, Batch>,
    /// Hashes of the keys that may be in one of the open batches.
    waiting: HashSet<u64>,
}

impl<'a> Lanes<'a> {
    pub fn start<'scope>(
        scope: &'scope Scope<'scope, 'a>,
        target: &'a Target,
        shared: &'a Shared,
        arguments: &LoadArguments,
        form: Form,
    ) -> Lanes<'a> {
        let lane = |_| {
            let (writer, batches) = sync_channel(WAITING);
            scope.spawn(move || Writer::new(target, shared, form).run(&batches));
            Lane { writer, open: HashMap::new(), waiting: HashSet::new() }
        };
        let lanes = (0..arguments.connections).map(lane).collect();
        // At a low rate, a tenth of a second's values go at once.
        let paced = arguments.rate.map_or(usize::MAX, |rate| (rate.get() as usize / 10).max(1));
        Lanes { lanes, shared, hasher: RandomState::new(), most: paced.min(arguments.batch.into()) }
    }

    pub fn push(&mut self, item: Item, life: Life) {
        let hash = self.hasher.hash_one(&item.key);
        // The lower bits choose a place in the set.
        let nth = (hash >> 32) as usize % self.lanes.len();
        let lane = &mut self.lanes[nth];
        let alone = lane.open.len() == 1 && lane.open.contains_key(&life);
        if !lane.waiting.insert(hash) && !alone {
            lane.flush(self.shared);
            lane.waiting.insert(hash);
        }
        let batch = lane.open.entry(life).or_insert_with(|| Batch::new(life));
        batch.push(item);
        if batch.items.len() >= self.most || batch.bytes >= BYTES {
            let full = std::mem::replace(batch, Batch::new(life));
            lane.send(full, self.shared);
        }
    }

    /// Sends off all that waits.
    pub fn flush(&mut self) {
        self.lanes.iter_mut().for_each(|lane| lane.flush(self.shared));
    }
}

impl Lane {
    fn flush(&mut self, shared: &Shared) {
        self.waiting.clear();
        for (_, batch) in std::mem::take(&mut self.open) {
            self.send(batch, shared);
        }
    }

    /// A writer that has ended has failed, and said so.
    fn send(&self, batch: Batch, shared: &Shared) {
        if !batch.items.is_empty() {
            let _ = self.writer.send((shared.send(), batch));
        }
    }
}

/// Batches that wait for a writer: one is being stored, the next is ready.
const WAITING: usize = 1;
