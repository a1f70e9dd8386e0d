//! Many tasks at once, for the contract.

/// Runs so many callers at once and collects what they return, in order.
pub(crate) async fn crowd<F>(size: usize, call: impl Fn(usize) -> F) -> Vec<F::Output>
where
    F: Future<Output: Send> + Send + 'static,
{
    let callers: Vec<_> = (0..size).map(|caller| tokio::spawn(call(caller))).collect();
    let mut results = Vec::with_capacity(size);
    for caller in callers {
        match caller.await {
            Ok(result) => results.push(result),
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }
    results
}
