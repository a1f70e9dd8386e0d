//! A few jobs side by side, in one task.

use std::future::poll_fn;
use std::task::Poll;

/// Runs them all at once and collects what they return, in their order. Who drops it drops them.
pub(crate) async fn abreast<F: Future, J: FnOnce() -> F>(jobs: impl Iterator<Item = J>) -> Vec<F::Output> {
    let mut under_way: Vec<_> = jobs.map(|job| (Box::pin(job()), None)).collect();
    poll_fn(|context| {
        let mut is_over = true;
        for (job, result) in under_way.iter_mut().filter(|(_, result)| result.is_none()) {
            match job.as_mut().poll(context) {
                Poll::Ready(done) => *result = Some(done),
                Poll::Pending => is_over = false,
            }
        }
        if is_over { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    under_way.into_iter().filter_map(|(_, result)| result).collect()
}
