use std::sync::{Mutex, MutexGuard, PoisonError};

/// A burst of request bytes on one connection and the reply bytes up to the next burst.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exchange {
    /// 1 for the first connection made to the relay.
    pub connection: usize,
    /// Empty when the request was taken before its reply came.
    pub request: Vec<u8>,
    pub reply: Vec<u8>,
}

#[derive(Debug, Default)]
pub struct Record(Mutex<Vec<Exchange>>);

impl Record {
    pub fn request(&self, connection: usize, bytes: &[u8]) {
        let mut exchanges = self.lock();
        match last_of(connection, &mut exchanges) {
            Some(open) if open.reply.is_empty() => open.request.extend_from_slice(bytes),
            _ => exchanges.push(Exchange { connection, request: bytes.to_vec(), reply: Vec::new() }),
        }
    }

    /// True when these are the first bytes of a reply.
    pub fn reply(&self, connection: usize, bytes: &[u8]) -> bool {
        let mut exchanges = self.lock();
        if let Some(open) = last_of(connection, &mut exchanges) {
            let first = open.reply.is_empty();
            open.reply.extend_from_slice(bytes);
            return first;
        }
        exchanges.push(Exchange { connection, request: Vec::new(), reply: bytes.to_vec() });
        true
    }

    pub fn take(&self) -> Vec<Exchange> {
        std::mem::take(&mut *self.lock())
    }

    pub fn requests(&self) -> Vec<u8> {
        self.lock().iter().flat_map(|exchange| exchange.request.iter().copied()).collect()
    }

    pub fn round_trips(&self) -> usize {
        self.lock().iter().filter(|e| !e.request.is_empty() && !e.reply.is_empty()).count()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Exchange>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn last_of(connection: usize, exchanges: &mut [Exchange]) -> Option<&mut Exchange> {
    exchanges.iter_mut().rev().find(|exchange| exchange.connection == connection)
}
