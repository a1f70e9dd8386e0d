//! Sessions as state: read and slide the expiry, write only what is still there, revoke for good.
//!
//! ```text
//! cargo run --example session
//! ```
//!
//! In memory, on a clock that is moved by hand. On Redis and Memcached the calls are the same: a session is then
//! shared by all processes, and what a revocation has removed is not written again by any of them.

use std::time::Duration;

use lexigram_cache::{Clock, Memory, Result, StateStore, StoreBase};
use serde::{Deserialize, Serialize};

/// How long a session lives after it was last used.
const IDLE: Duration = Duration::from_secs(30 * 60);

#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Session {
    pub user: String,
    pub pages: u32,
}

pub struct Sessions(pub StateStore);

impl Sessions {
    /// A token is never used twice, so nobody else's session is written over. Draw it from 128 random bits or more.
    pub fn open(&self, token: &str, user: &str) -> Result<()> {
        let session = Session { user: user.to_owned(), pages: 0 };
        self.0.set(token, &session, IDLE)
    }

    /// The session, if it was not revoked up to the moment at which its time was slid.
    pub fn read(&self, token: &str) -> Result<Option<Session>> {
        let session = self.0.get(token)?;
        Ok(if self.0.expire(token, IDLE)? { session } else { None })
    }

    /// Counts a page. `None`, and nothing is written, where the session is gone: it is mapped, not made.
    pub fn turn_page(&self, token: &str) -> Result<Option<Session>> {
        let next = |old: Session| Session { pages: old.pages + 1, ..old };
        self.0.update(token, IDLE, |old: Option<Session>| old.map(next))
    }

    /// Writes a session that was read before, if there still is one.
    pub fn save(&self, token: &str, session: &Session) -> Result<bool> {
        self.0.replace(token, session, IDLE)
    }

    /// Ends the session for good. An `Err` leaves open whether it has ended: then the caller asks again, and tells nobody
    /// before that they are signed out.
    pub fn revoke(&self, token: &str) -> Result<bool> {
        self.0.delete(token)
    }
}

fn main() -> Result<()> {
    let clock = Clock::hand();
    // Of a memory of its own: what is bounded together with a cache is evicted for it.
    let memory = Memory::builder().clock(clock.clone()).max_entries(100_000).build()?;
    let sessions = Sessions(StateStore::new(StoreBase::from(&memory).namespace("session"))?);

    sessions.open("5d1c", "ada")?;
    for _ in 0..3 {
        clock.advance(IDLE - Duration::from_secs(60));
        println!("used before its time was up: {:?}", sessions.turn_page("5d1c")?);
    }
    let kept = sessions.read("5d1c")?.expect("it was read a moment ago");
    println!("revoked: {}", sessions.revoke("5d1c")?);
    println!("a request that was under way writes it: {}", sessions.save("5d1c", &kept)?);
    println!("another turns a page: {:?}", sessions.turn_page("5d1c")?);
    println!("and a third reads it: {:?}", sessions.read("5d1c")?);

    sessions.open("77aa", "ada")?;
    clock.advance(IDLE);
    println!("left alone for half an hour: {:?}", sessions.read("77aa")?);
    Ok(())
}
