//! The end of a mailroom: who is told of it, and who is waited for.

use std::convert::Infallible;

use tokio::sync::{mpsc, watch};

/// Held by whatever has to end before the mailroom has ended.
#[derive(Clone, Debug)]
pub(crate) struct Ending {
    told: watch::Receiver<bool>,
    _held: mpsc::Sender<Infallible>,
}

/// Ends whatever holds an [`Ending`].
#[derive(Debug)]
pub(crate) struct End {
    tell: watch::Sender<bool>,
    held: mpsc::Receiver<Infallible>,
}

impl Ending {
    pub(crate) fn new() -> (End, Ending) {
        let (tell, told) = watch::channel(false);
        let (hold, held) = mpsc::channel(1);
        (End { tell, held }, Ending { told, _held: hold })
    }

    /// Comes when it is time to end.
    pub(crate) async fn told(&mut self) {
        // It fails only if whoever would tell is gone, which is an end as well.
        let _ = self.told.wait_for(|told| *told).await;
    }
}

impl End {
    /// Tells everybody.
    pub(crate) fn tell(&self) {
        self.tell.send_replace(true);
    }

    /// Comes when nobody holds anything any more.
    pub(crate) async fn is_over(&mut self) {
        // Nothing is ever sent.
        let _ = self.held.recv().await;
    }
}
