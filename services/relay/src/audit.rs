//! Who did what, written down beside the work: nobody waits for it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use metrics::{counter, histogram};
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;

use crate::database::Database;

/// Takes what is to be written down.
#[derive(Clone, Debug)]
pub(crate) struct Audit(mpsc::Sender<String>);

/// The writing.
#[derive(Debug)]
pub(crate) struct Auditing {
    task: JoinHandle<()>,
    end: Arc<Notify>,
}

/// Begins to write; so many entries may wait.
pub(crate) fn start(database: Database, waiting: usize) -> (Audit, Auditing) {
    let (sender, receiver) = mpsc::channel(waiting);
    let end = Arc::new(Notify::new());
    let task = tokio::spawn(write(database, receiver, Arc::clone(&end)));
    (Audit(sender), Auditing { task, end })
}

impl Audit {
    /// Writes it down, soon.
    pub(crate) fn log(&self, what: String) {
        if self.0.try_send(what).is_err() {
            counter!("buzz_audit_send_errors_total").increment(1);
        }
    }
}

impl Auditing {
    /// Writes what waits; whether that was done in time.
    pub(crate) async fn finish(self, limit: Duration) -> bool {
        self.end.notify_one();
        tokio::time::timeout(limit, self.task).await.is_ok()
    }
}

async fn write(database: Database, mut waiting: mpsc::Receiver<String>, end: Arc<Notify>) {
    loop {
        let what = tokio::select! {
            what = waiting.recv() => what,
            () = end.notified() => {
                // What waits still comes.
                waiting.close();
                continue;
            }
        };
        let Some(what) = what else { return };
        let begun = Instant::now();
        let written = database.audit(&what).await;
        histogram!("buzz_audit_log_seconds").record(begun.elapsed());
        if written.is_err() {
            counter!("buzz_audit_log_errors_total").increment(1);
        }
    }
}
