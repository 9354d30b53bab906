//! Polls a check that is a future, on the thread of the check, until it has answered or its time is over.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::Instant;

use super::check::Entry;

impl Wake for Entry {
    fn wake(self: Arc<Self>) {
        self.woken();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.woken();
    }
}

/// What the future comes to, or nothing if it does not before the deadline. It is dropped then.
pub(super) fn drive<F: Future>(entry: &Arc<Entry>, future: F, deadline: Instant) -> Option<F::Output> {
    let waker = Waker::from(Arc::clone(entry));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return Some(output);
        }
        if !entry.is_woken_before(deadline) {
            return None;
        }
    }
}
