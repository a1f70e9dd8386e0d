//! What a simulated server is to the network.

/// Takes commands and gives replies, one at a time, as the real one does.
pub trait Server: Send {
    /// Runs the first command of these bytes if it is whole.
    fn serve(&mut self, bytes: &[u8], now: u64) -> Option<Served>;
    /// Begins anew.
    fn restart(&mut self, data: Data);
    /// Remembers what it holds, as a replica that lags behind does.
    fn replicate(&mut self);
}

/// A command that was run.
pub struct Served {
    /// How many bytes it was.
    pub taken: usize,
    pub reply: Vec<u8>,
    /// For the trace.
    pub verb: &'static str,
    pub key: u64,
}

/// What a server has after a restart.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Data {
    Kept,
    Lost,
    /// What was last replicated.
    Older,
}
