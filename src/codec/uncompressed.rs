//! Stands in for compression where the feature is off.

use std::time::Duration;

use super::fault::Fault;

/// Compresses nothing.
#[derive(Clone, Debug, Default)]
pub(super) struct Zip;

impl Zip {
    /// Never.
    pub(super) fn zip(
        &self,
        _content: u8,
        _shape: u64,
        _took: Option<Duration>,
        _plain: &[u8],
    ) -> Result<Option<Vec<u8>>, Fault> {
        Ok(None)
    }

    /// Nothing is unpacked.
    pub(super) fn limit(&self) -> usize {
        0
    }

    /// A value that was written by a client with the feature.
    #[cfg(any(feature = "postcard", feature = "codec"))]
    pub(super) fn unzip(&self, _packed: &[u8], _length: usize) -> Result<Vec<u8>, Fault> {
        Err("it is compressed, and this build has no feature `compress`".into())
    }
}
