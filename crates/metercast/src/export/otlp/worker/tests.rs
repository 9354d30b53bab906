//! Attempts and waits against a receiver that a script plays, on a clock that a test turns.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use tokio::time::{Instant, sleep};

use super::super::answer::Accepted;
use super::super::error::Failure;

/// A receiver that answers what it was told to; then it takes everything.
pub(in super::super) struct Script {
    answers: VecDeque<(Duration, Result<Accepted, Failure>)>,
    sent: Arc<Mutex<Vec<(Instant, Bytes)>>>,
}

impl Script {
    /// Takes a request, and answers after the time that was said.
    pub(in super::super) async fn send(&mut self, body: Bytes) -> Result<Accepted, Failure> {
        self.sent.lock().unwrap().push((Instant::now(), body));
        match self.answers.pop_front() {
            Some((after, answer)) => {
                sleep(after).await;
                answer
            }
            None => Ok(Accepted::default()),
        }
    }
}
