//! How many connections are open, for whoever waits until there are none.

use tokio::sync::watch;

/// How many connections are open.
#[derive(Clone, Debug)]
pub(crate) struct Open(watch::Sender<usize>);

/// One of them, until it is dropped.
#[derive(Debug)]
pub(crate) struct One(Open);

impl Open {
    pub(crate) fn new() -> Open {
        Open(watch::Sender::new(0))
    }

    /// One more.
    pub(crate) fn add(&self) -> One {
        self.0.send_modify(|open| *open += 1);
        One(self.clone())
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        *self.0.borrow()
    }

    /// Comes when there are none.
    pub(crate) async fn none(&self) {
        // It fails only if the sender is gone, and there is one here.
        let _ = self.0.subscribe().wait_for(|open| *open == 0).await;
    }
}

impl Drop for One {
    fn drop(&mut self) {
        self.0.0.send_modify(|open| *open -= 1);
    }
}
