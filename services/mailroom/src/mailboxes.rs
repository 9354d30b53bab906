//! The mailboxes: a file each, and readers who wait for it.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::watch;

use crate::id::Id;

/// The most mailboxes; a disk is not for whoever fills it first.
const MOST: u64 = 100_000;

/// The mailboxes in a folder.
#[derive(Clone, Debug)]
pub(crate) struct Mailboxes {
    folder: Arc<Path>,
    /// How many there are.
    count: Arc<AtomicU64>,
    /// Changes whenever something was written.
    written: watch::Sender<u64>,
}

/// Why a mailbox does not take anything.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// There are too many.
    Full,
    /// The disk does not.
    Io(io::Error),
}

impl Mailboxes {
    /// Those in this folder, which is made if it is not there.
    ///
    /// # Errors
    ///
    /// It cannot be read.
    pub(crate) fn open(folder: PathBuf) -> io::Result<Mailboxes> {
        std::fs::create_dir_all(&folder)?;
        let count = std::fs::read_dir(&folder)?.count() as u64;
        let count = Arc::new(AtomicU64::new(count));
        Ok(Mailboxes { folder: folder.into(), count, written: watch::Sender::new(0) })
    }

    /// Stores this, in place of what was there.
    pub(crate) async fn write(&self, id: &Id, content: &[u8]) -> Result<(), Refusal> {
        let path = self.folder.join(id.as_str());
        let is_new = !tokio::fs::try_exists(&path).await.map_err(Refusal::Io)?;
        if is_new {
            let room = self.count.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |count| {
                (count < MOST).then_some(count + 1)
            });
            room.map_err(|_| Refusal::Full)?;
        }
        // Nobody reads half of it. Two who write at once each have a file of their own.
        let number = self.written.borrow().wrapping_add(1);
        let temporary = self.folder.join(format!(".{}.{number}.{:p}", id.as_str(), content));
        let stored = async {
            tokio::fs::write(&temporary, content).await?;
            tokio::fs::rename(&temporary, &path).await
        };
        if let Err(error) = stored.await {
            self.count.fetch_sub(u64::from(is_new), Ordering::Relaxed);
            return Err(Refusal::Io(error));
        }
        self.written.send_modify(|written| *written = written.wrapping_add(1));
        Ok(())
    }

    /// What is stored there, as soon as there is something.
    pub(crate) async fn read(&self, id: &Id) -> io::Result<Vec<u8>> {
        let path = self.folder.join(id.as_str());
        let mut written = self.written.subscribe();
        loop {
            written.mark_unchanged();
            match tokio::fs::read(&path).await {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                read => return read,
            }
            // It fails only if the sender is gone, and there is one here.
            let _ = written.changed().await;
        }
    }
}
