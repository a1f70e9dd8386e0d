//! One breaker per server, for all handles of this process: who shares a server shares what is known of it.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError, Weak};

use crate::engine::breaker::Breaker;

/// The breaker of the server at this address, as long as anybody has it.
pub(crate) fn breaker(address: &str) -> Arc<Breaker> {
    // Entered whole, so a poisoned lock guards a whole map.
    let mut breakers = BREAKERS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(breaker) = breakers.get(address).and_then(Weak::upgrade) {
        return breaker;
    }
    breakers.retain(|_, breaker| breaker.strong_count() > 0);
    let breaker = Arc::new(Breaker::default());
    breakers.insert(address.to_owned(), Arc::downgrade(&breaker));
    breaker
}

static BREAKERS: LazyLock<Mutex<HashMap<String, Weak<Breaker>>>> = LazyLock::new(Mutex::default);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_names_one_server_shares_its_breaker_while_anybody_has_it() {
        let one = breaker("redis://breakers.test:1");
        assert!(Arc::ptr_eq(&one, &breaker("redis://breakers.test:1")));
        assert!(!Arc::ptr_eq(&one, &breaker("redis://breakers.test:2")));
        let held = Arc::downgrade(&one);
        drop(one);
        breaker("redis://breakers.test:3");
        assert!(held.upgrade().is_none());
    }
}
