//! What goes wrong beside the callers, again and again until they are done.

use std::thread;
use std::time::Duration;

use crate::TIMEOUT;
use crate::callers::Account;
use crate::support::{Random, Remote, Wire};

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Trouble {
    /// Some replies come after the deadline.
    Late,
    Reset,
    Cut,
    /// A request is never answered.
    Swallow,
    /// Replies come in pieces of some bytes.
    Trickle,
    /// Nothing passes for a while; then all of it does.
    Interrupt,
    Refuse,
    /// The server is killed and comes back empty.
    Kill,
    /// A bit is turned in a reply.
    Flip,
}

/// Makes trouble until all is read; returns how often.
pub fn make_trouble(remote: &Remote, wire: &Wire, kinds: &[Trouble], account: &Account) -> u64 {
    let (mut random, mut made) = (Random::default(), 0);
    while !account.is_full() {
        let kind = kinds[random.below(kinds.len())];
        let after = random.below(3_000);
        match kind {
            Trouble::Late => {
                // In a reply as in a value: of one key in ten.
                wire.delay_replies_with(&format!("{}:", random.below(10)), 2 * TIMEOUT);
                thread::sleep(TIMEOUT);
                wire.delay_replies(Duration::ZERO);
            }
            Trouble::Reset => wire.reset_after(after),
            Trouble::Cut => wire.cut_after(after),
            Trouble::Flip => wire.flip_bit_after(after, random.below(8) as u8),
            Trouble::Swallow => wire.swallow_next(),
            Trouble::Trickle => {
                wire.trickle(1 + random.below(20), Duration::from_millis(1));
                thread::sleep(TIMEOUT / 2);
                wire.trickle(0, Duration::ZERO);
            }
            Trouble::Interrupt => {
                wire.blackhole(true);
                thread::sleep(TIMEOUT + TIMEOUT / 3);
                wire.blackhole(false);
            }
            Trouble::Refuse => {
                wire.refuse(true);
                wire.reset_after(0);
                thread::sleep(TIMEOUT / 4);
                wire.refuse(false);
            }
            Trouble::Kill => remote.restart(),
        }
        made += 1;
        // What has passed is of no use, and would fill the memory in a long run.
        drop(wire.take());
        thread::sleep(Duration::from_millis(random.below(15) as u64));
    }
    made
}
