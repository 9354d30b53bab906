//! The one thread that works on the order book, so that no task ever waits for the disk.

use std::fmt;
use std::path::Path;
use std::sync::mpsc;
use std::thread::JoinHandle;

use tokio::sync::oneshot;

use super::book::Book;

/// The way to the order book. Cheap to clone; clones lead to the same book.
#[derive(Clone, Debug)]
pub(super) struct Store {
    jobs: mpsc::Sender<Message>,
}

/// Works on the book, and is told afterwards whether that was committed.
type Job = Box<dyn FnOnce(&Book) -> AfterCommit + Send>;
type AfterCommit = Box<dyn FnOnce(Result<(), StoreError>)>;

enum Message {
    Work(Job),
    Close,
}

/// Why the book could not be read or written.
#[derive(Clone, Debug)]
pub(super) enum StoreError {
    /// The service is being stopped.
    Closed,
    /// What SQLite says.
    Database(String),
}

/// As many jobs as share one commit.
const BATCH: usize = 256;

impl Store {
    /// Makes a book in `folder`, and the thread that works on it until [`close`](Store::close).
    pub(super) fn open(folder: &Path) -> Result<(Store, JoinHandle<()>), StoreError> {
        let book = Book::create(&folder.join("orders.sqlite"))?;
        let (jobs, queue) = mpsc::channel();
        let thread = std::thread::Builder::new()
            .name("order-book".to_owned())
            .spawn(move || serve(&book, &queue))
            .map_err(|error| StoreError::Database(error.to_string()))?;
        Ok((Store { jobs }, thread))
    }

    /// Does `work` on the book. If that is committed, `record` is called before the answer is given, and even if
    /// nobody waits for the answer any more: what was done is measured, whoever has hung up.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Book) -> rusqlite::Result<T> + Send + 'static,
        record: impl FnOnce(&T) + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |book| {
            let done = work(book);
            Box::new(move |committed| {
                let result = done.map_err(StoreError::from).and_then(|done| committed.map(|()| done));
                if let Ok(done) = &result {
                    record(done);
                }
                let _ = answer.send(result);
            })
        });
        self.jobs.send(Message::Work(job)).map_err(|_| StoreError::Closed)?;
        answered.await.map_err(|_| StoreError::Closed)?
    }

    /// Ends the thread once it has done what it was given before.
    pub(super) fn close(&self) {
        let _ = self.jobs.send(Message::Close);
    }
}

fn serve(book: &Book, queue: &mpsc::Receiver<Message>) {
    let mut done = Vec::with_capacity(BATCH);
    while let Ok(Message::Work(first)) = queue.recv() {
        let begun = book.begin();
        let mut next = Some(Message::Work(first));
        let closing = loop {
            match next {
                Some(Message::Work(job)) => done.push(job(book)),
                Some(Message::Close) => break true,
                None => break false,
            }
            next = if done.len() < BATCH { queue.try_recv().ok() } else { None };
        };
        let committed = begun.and_then(|()| book.commit()).map_err(StoreError::from);
        for after_commit in done.drain(..) {
            after_commit(committed.clone());
        }
        if closing {
            return;
        }
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> StoreError {
        StoreError::Database(error.to_string())
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StoreError::Closed => f.write_str("the order book is closed"),
            StoreError::Database(error) => write!(f, "the order book cannot be used: {error}"),
        }
    }
}

impl std::error::Error for StoreError {}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::super::folder::TemporaryFolder;
    use super::*;

    #[tokio::test]
    async fn what_is_done_is_recorded_though_nobody_waits_for_it() {
        let folder = TemporaryFolder::new("metercast-store-test").unwrap();
        let (store, thread) = Store::open(folder.path()).unwrap();
        let recorded = Arc::new(AtomicBool::new(false));
        let record = Arc::clone(&recorded);
        let cancelled = store.run(|book| book.find(1), move |_| record.store(true, Ordering::SeqCst));
        // Polled once, which sends the job; then dropped.
        tokio::select! { biased; _ = cancelled => {}, () = std::future::ready(()) => {} }
        store.close();
        thread.join().unwrap();
        assert!(recorded.load(Ordering::SeqCst));
        assert!(matches!(store.run(|book| book.find(1), |_| {}).await, Err(StoreError::Closed)));
    }
}
