//! Looks at the files of the configuration, and reloads when one of them has changed.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::hash::{DefaultHasher, Hasher};
use std::io::{self, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Weak};
use std::time::{Duration, SystemTime};

use super::running::{BY_SECOND_LOOK, BY_WATCH, Running};

/// A thread that looks, until this is dropped.
pub(super) struct Watch {
    _stop: mpsc::Sender<()>,
}

/// No disk is to be kept busy by this.
const SHORTEST: Duration = Duration::from_millis(10);

/// More of a file than a configuration has. What is behind it is told by length and time.
const MOST: u64 = 4 << 20;

impl Watch {
    /// # Errors
    ///
    /// The system gives no thread.
    pub(super) fn start(running: &Arc<Running>, every: Duration) -> io::Result<Watch> {
        let (stop, stopped) = mpsc::channel();
        let running = Arc::downgrade(running);
        let mut eye = Eye::default();
        let look = move || {
            while stopped.recv_timeout(every.max(SHORTEST)) == Err(RecvTimeoutError::Timeout) {
                // The thread goes on whatever a log function does.
                let _ = catch_unwind(AssertUnwindSafe(|| eye.look(&running)));
            }
        };
        std::thread::Builder::new().name("metercast-watch".to_owned()).spawn(look)?;
        Ok(Watch { _stop: stop })
    }
}

/// What is known of the files.
#[derive(Default)]
pub(super) struct Eye {
    /// As they were when they were read last, whether or not they could be used; nothing at first, so that what has changed
    /// since the start is seen.
    read: BTreeMap<PathBuf, Seen>,
    /// What the configuration depends on that was refused, such as a file that is included since, or one that is not there yet.
    refused: Vec<PathBuf>,
    /// As they were at the last look. Who writes a file in pieces, or takes it away for a moment, is given time.
    seen: BTreeMap<PathBuf, Seen>,
}

/// What tells one state of a file from another. A file is known by its path, through all links: who puts a link to another
/// folder in its place has changed it.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    /// `None` if there is no such file, or it cannot be read.
    file: Option<(u64, Option<SystemTime>, u64, u64)>,
}

impl Eye {
    /// Reloads if a file is not as it was, but as it was at the look before. What is refused then is tried again when a file
    /// changes again.
    pub(super) fn look(&mut self, running: &Weak<Running>) {
        let now = self.files(running);
        // What does not matter any more has not changed.
        self.read.retain(|path, _| now.contains_key(path));
        let is_at_rest = now == self.seen;
        if is_at_rest && now != self.read {
            let is_known = |(path, seen): (&PathBuf, &Seen)| now.get(path) == Some(seen);
            let by = if !self.read.is_empty() && self.read.iter().all(is_known) {
                BY_SECOND_LOOK
            } else {
                BY_WATCH
            };
            // Before it is read: what changes meanwhile is seen the next time.
            self.read = now;
            let Some(running) = running.upgrade() else { return };
            // What went wrong was logged.
            self.refused = match running.reread_changed(by) {
                Ok(_) => Vec::new(),
                Err(error) => error.files().to_vec(),
            };
        } else {
            self.seen = now;
        }
    }

    /// The files as they are.
    fn files(&self, running: &Weak<Running>) -> BTreeMap<PathBuf, Seen> {
        let named = running.upgrade().map_or_else(Vec::new, |running| running.files());
        named.into_iter().chain(self.refused.clone()).map(|path| (path.clone(), Seen::of(&path))).collect()
    }
}

impl Seen {
    fn of(path: &Path) -> Seen {
        Seen { file: Seen::read(path).ok() }
    }

    fn read(path: &Path) -> io::Result<(u64, Option<SystemTime>, u64, u64)> {
        let metadata = fs::metadata(path)?;
        // To open a pipe might take for ever.
        let mut content = Vec::new();
        if metadata.is_file() {
            File::open(path)?.take(MOST).read_to_end(&mut content)?;
        }
        let mut hasher = DefaultHasher::new();
        hasher.write(&content);
        Ok((metadata.len(), metadata.modified().ok(), inode(&metadata), hasher.finish()))
    }
}

#[cfg(unix)]
fn inode(metadata: &fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(metadata)
}

#[cfg(not(unix))]
fn inode(_: &fs::Metadata) -> u64 {
    0
}
