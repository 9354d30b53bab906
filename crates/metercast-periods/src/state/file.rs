//! The file that the state is kept in: one process's, replaced as a whole, and put aside if it is not what it should be.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use crate::error::PeriodsError;
use crate::key::Key;
use crate::state::{Fault, State};

/// Larger is no state: with everything that can be said of one, a count of different ones takes 34 MB, and mostly a few kB.
const LARGEST: u64 = 1 << 30;

/// The file, which nobody else uses as long as this lives.
#[derive(Debug)]
pub(crate) struct StateFile {
    path: PathBuf,
    /// Locked; the state itself is another file after each writing.
    _lock: File,
    /// What it holds now.
    written: Vec<u8>,
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(ending);
    PathBuf::from(name)
}

impl StateFile {
    /// Takes the file for this process.
    ///
    /// # Errors
    ///
    /// Another process has it, or it cannot be written there.
    pub(crate) fn take(path: &Path) -> Result<StateFile, PeriodsError> {
        let lock_path = beside(path, ".lock");
        let unusable = |error| PeriodsError::Unusable { path: lock_path.clone(), error };
        let lock = private().create(true).truncate(false).open(&lock_path).map_err(unusable)?;
        match lock.try_lock() {
            Ok(()) => Ok(StateFile { path: path.to_owned(), _lock: lock, written: Vec::new() }),
            Err(TryLockError::WouldBlock) => Err(PeriodsError::InUse { path: path.to_owned() }),
            Err(TryLockError::Error(error)) => Err(unusable(error)),
        }
    }

    /// Reads the key, or makes one. What was wrong with the one there was is said by `warn`.
    pub(crate) fn key(&self, warn: &mut dyn FnMut(String)) -> Result<Key, PeriodsError> {
        let path = beside(&self.path, ".key");
        if let Some(bytes) = read(&path, 1 << 10)? {
            if let Some(key) =
                bytes.as_deref().and_then(|bytes| str::from_utf8(bytes).ok()).and_then(Key::from_text)
            {
                return Ok(key);
            }
            put_aside(&path, "it is not 32 hexadecimal digits", warn);
        }
        let key = Key::random().map_err(PeriodsError::random)?;
        write(&path, key.to_text().as_bytes()).map_err(|error| PeriodsError::Unusable { path, error })?;
        Ok(key)
    }

    /// Reads the state; an empty one if there is none, or if what there is cannot be read as one: `warn` says so, and it is put aside.
    pub(crate) fn read(&mut self, warn: &mut dyn FnMut(String)) -> Result<State, PeriodsError> {
        let Some(bytes) = read(&self.path, LARGEST)? else { return Ok(State::default()) };
        match bytes.as_deref().map_or(Err(Fault::Length), State::from_bytes) {
            Ok(state) => {
                self.written = bytes.unwrap_or_default();
                Ok(state)
            }
            Err(fault) => {
                put_aside(&self.path, &fault.to_string(), warn);
                Ok(State::default())
            }
        }
    }

    /// Replaces the state, unless it is the same.
    pub(crate) fn write(&mut self, state: &State) -> Result<(), PeriodsError> {
        let bytes = state.to_bytes();
        // Also if somebody took it away.
        if bytes == self.written && self.path.exists() {
            return Ok(());
        }
        write(&self.path, &bytes)
            .map_err(|error| PeriodsError::Unusable { path: self.path.clone(), error })?;
        self.written = bytes;
        Ok(())
    }
}

/// For the eyes of the owner.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// The bytes of a file; of one that is larger than that, none. `None` if there is no file.
fn read(path: &Path, most: u64) -> Result<Option<Option<Vec<u8>>>, PeriodsError> {
    let unusable = |error| PeriodsError::Unusable { path: path.to_owned(), error };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unusable(error)),
    };
    let mut bytes = Vec::new();
    file.take(most + 1).read_to_end(&mut bytes).map_err(unusable)?;
    Ok(Some((bytes.len() as u64 <= most).then_some(bytes)))
}

/// Whoever reads the file finds it as it was or as it is now, also if the machine stops in between.
fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let temporary = beside(path, ".tmp");
    let written = (|| {
        let mut file = private().create(true).truncate(true).open(&temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&temporary, path)
    })();
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
        return written;
    }
    // That it has another name now is known to the folder, where folders can be asked for that.
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let _ = File::open(folder).and_then(|folder| folder.sync_all());
    Ok(())
}

fn put_aside(path: &Path, why: &str, warn: &mut dyn FnMut(String)) {
    let bad = beside(path, ".bad");
    let kept = bad.display();
    let rest = match fs::rename(path, &bad) {
        Ok(()) => format!("it is kept as {kept}"),
        Err(error) => format!("it cannot be kept as {kept} ({error}) and will be replaced"),
    };
    let path = path.display();
    warn(format!("{path} cannot be read: {why}; counting begins anew, and {rest}"));
}
