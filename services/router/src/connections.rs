//! Connections of clients, each counted by what becomes of it.

use metercast_tower::Guard;
use tokio::sync::watch;

use crate::metrics::{CONNECTIONS, State};

/// How many connections are open.
#[derive(Clone, Debug)]
pub(crate) struct Open(watch::Sender<usize>);

impl Default for Open {
    fn default() -> Open {
        Open(watch::Sender::new(0))
    }
}

impl Open {
    /// One more.
    pub(crate) fn add(&self) -> Connection {
        self.0.send_modify(|open| *open += 1);
        Connection { open: self.clone(), _guard: CONNECTIONS.guard((State::Active,)) }
    }

    /// Comes when there are none.
    pub(crate) async fn none(&self) {
        // It fails only if the sender is gone, and there is one here.
        let _ = self.0.subscribe().wait_for(|open| *open == 0).await;
    }
}

/// A connection, until it is dropped.
#[derive(Debug)]
pub(crate) struct Connection {
    open: Open,
    _guard: Guard,
}

impl Connection {
    /// From now on it ends with the next answer.
    pub(crate) fn terminate(&mut self) {
        self._guard = CONNECTIONS.guard((State::Terminating,));
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.open.0.send_modify(|open| *open -= 1);
    }
}
