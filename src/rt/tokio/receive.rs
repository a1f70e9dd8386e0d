//! Taking in the replies to what was asked. The caller bounds it by its deadline.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt};

use super::super::fault::io_error;
use crate::error::Result;
use crate::wire::{Replies, within_limit};

/// Receives all replies of the request that was sent.
pub(super) async fn receive<R: Replies>(
    stream: &mut (impl AsyncRead + Unpin),
    mut replies: R,
) -> Result<R::Output> {
    let mut received = Vec::with_capacity(FIRST_READ);
    loop {
        match stream.read_buf(&mut received).await {
            Ok(0) => return Err(io_error("receive", io::ErrorKind::UnexpectedEof.into())),
            Ok(_) => {}
            Err(error) => return Err(io_error("receive", error)),
        }
        within_limit(&received, replies.limit())?;
        if replies.advance(&received)? {
            return replies.read(&received);
        }
    }
}

const FIRST_READ: usize = 4 * 1024;
