//! What the doors to the world lead to in a build for simulations (`--cfg simulation`, as `tests/simulation.rs` has it):
//! time, chance and connections of the thread's own [`World`]. No other build has this module.

use std::cell::RefCell;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::time::Instant;

use tokio::io::{AsyncRead, AsyncWrite};

/// Where a simulated thread lives.
pub trait World {
    /// The monotonic clock.
    fn now(&self) -> Instant;
    /// The wall clock, in microseconds since 1970.
    fn unix_micros(&self) -> u64;
    /// Any number, each as likely.
    fn random(&self) -> u64;
    /// Connects to what is said to be at this address.
    fn dial(&self, address: &str) -> Dialling;
    /// Whether the library is to have this bug.
    fn has(&self, bug: Bug) -> bool;
}

/// A connection on its way.
pub type Dialling = Pin<Box<dyn Future<Output = io::Result<Stream>> + Send>>;

/// A connection.
pub type Stream = Box<dyn Wire>;

/// What the library asks of a connection.
pub trait Wire: AsyncRead + AsyncWrite + Send + Unpin {
    /// Reads what is there, without waiting.
    ///
    /// # Errors
    /// `WouldBlock` if nothing is.
    fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize>;
}

/// Bugs that a simulation has to find. Each is planted where its name is asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Bug {
    /// A caller follows the load of its process whatever its own look has shown.
    FollowsOutdatedFlights,
    /// A write is sent again although it may have been applied.
    RepeatsSentWrites,
    /// A leader that goes away tells nobody.
    ForgetsFollowers,
    /// A wait goes on past its deadline.
    OverstaysDeadlines,
}

/// Leaves the world when it is dropped.
#[derive(Debug)]
pub struct Stay(());

thread_local! {
    static WORLD: RefCell<Option<Rc<dyn World>>> = const { RefCell::new(None) };
}

/// Has this thread live in `world`.
#[must_use]
pub fn enter(world: Rc<dyn World>) -> Stay {
    WORLD.set(Some(world));
    Stay(())
}

impl Drop for Stay {
    fn drop(&mut self) {
        WORLD.set(None);
    }
}

/// The thread's world; none once it is being torn down.
fn world() -> Option<Rc<dyn World>> {
    WORLD.try_with(|world| world.borrow().clone()).ok().flatten()
}

pub(crate) fn now() -> Instant {
    world().map_or_else(Instant::now, |world| world.now())
}

pub(crate) fn unix_micros() -> u64 {
    world().map_or(0, |world| world.unix_micros())
}

pub(crate) fn random() -> u64 {
    world().map_or_else(|| RandomState::new().hash_one(0_u8), |world| world.random())
}

pub(crate) fn number() -> u32 {
    random() as u32
}

pub(crate) fn fill(bytes: &mut [u8]) -> Result<(), getrandom::Error> {
    bytes.chunks_mut(8).for_each(|chunk| chunk.copy_from_slice(&random().to_ne_bytes()[..chunk.len()]));
    Ok(())
}

pub(crate) async fn dial(address: &str) -> io::Result<Stream> {
    let dialling = world().map(|world| world.dial(address));
    match dialling {
        Some(dialling) => dialling.await,
        None => Err(io::ErrorKind::NotConnected.into()),
    }
}

pub(crate) fn has(bug: Bug) -> bool {
    world().is_some_and(|world| world.has(bug))
}
