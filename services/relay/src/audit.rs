//! Who did what, written down beside the work: nobody waits for it.

use std::time::{Duration, Instant};

use metrics::{counter, histogram};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::database::Database;

/// What is to be written down; nothing is the end.
type Entry = Option<String>;

/// Takes what is to be written down.
#[derive(Clone, Debug)]
pub(crate) struct Audit(mpsc::Sender<Entry>);

/// The writing.
#[derive(Debug)]
pub(crate) struct Auditing {
    entries: mpsc::Sender<Entry>,
    task: JoinHandle<()>,
}

/// Begins to write; so many entries may wait.
pub(crate) fn start(database: Database, waiting: usize) -> (Audit, Auditing) {
    let (entries, receiver) = mpsc::channel(waiting);
    let task = tokio::spawn(write(database, receiver));
    (Audit(entries.clone()), Auditing { entries, task })
}

impl Audit {
    /// Writes it down, soon.
    pub(crate) fn log(&self, what: String) {
        if self.0.try_send(Some(what)).is_err() {
            counter!("buzz_audit_send_errors_total").increment(1);
        }
    }
}

impl Auditing {
    /// Writes what waits; whether that was done in time.
    pub(crate) async fn finish(self, limit: Duration) -> bool {
        let end = async {
            // Nobody takes it if the writing has panicked, which is said already.
            let _ = self.entries.send(None).await;
            self.task.await
        };
        tokio::time::timeout(limit, end).await.is_ok()
    }
}

async fn write(database: Database, mut entries: mpsc::Receiver<Entry>) {
    while let Some(Some(what)) = entries.recv().await {
        let begun = Instant::now();
        let written = database.audit(&what).await;
        histogram!("buzz_audit_log_seconds").record(begun.elapsed());
        if written.is_err() {
            counter!("buzz_audit_log_errors_total").increment(1);
        }
    }
}
