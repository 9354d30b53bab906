//! Reads a file of the configuration whole: bounded in size, and as it was at one moment.

use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::path::Path;
use std::time::SystemTime;

/// The most bytes of a configuration file in TOML.
pub(super) const CONFIGURATION: u64 = 4 << 20;
/// The most bytes of a file that a value refers to.
pub(super) const VALUE: u64 = 64 << 10;

/// How often a file that changes meanwhile is read.
const TRIES: usize = 3;

/// The text of this file, of at most `longest` bytes. A longer one is not read; nor is what is no file, since opening a pipe
/// may wait for ever.
pub(super) fn read(path: &Path, longest: u64) -> io::Result<String> {
    read_while(path, longest, || {})
}

/// Reads, and calls `meanwhile` between each reading and the look at whether the file is still the same.
fn read_while(path: &Path, longest: u64, mut meanwhile: impl FnMut()) -> io::Result<String> {
    for _ in 0..TRIES {
        let about = fs::metadata(path)?;
        if !about.is_file() && !about.is_dir() {
            return Err(io::Error::other("it is no regular file"));
        }
        let file = File::open(path)?;
        let before = Stamp::of(&file.metadata()?);
        if before.length > longest && about.is_file() {
            return Err(too_long(longest));
        }
        let mut bytes = Vec::new();
        file.take(longest + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > longest {
            return Err(too_long(longest));
        }
        meanwhile();
        // By its path: a file that was put in its place is another.
        if Stamp::of(&fs::metadata(path)?) == before {
            return String::from_utf8(bytes)
                .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8"));
        }
    }
    Err(io::Error::other(
        "it changes while it is read; write it under another name, and rename it when it is complete",
    ))
}

/// How to mend that a configuration file cannot be read, behind what is wrong with it; empty if nobody knows.
pub(super) fn mend(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::NotFound => "; create it",
        io::ErrorKind::UnexpectedEof => "; write a comment into it if it is to say nothing",
        io::ErrorKind::FileTooLarge => "; write less, or split it into files that it includes",
        _ => "",
    }
}

fn too_long(longest: u64) -> io::Error {
    let longest =
        if longest >= 1 << 20 { format!("{} MiB", longest >> 20) } else { format!("{} KiB", longest >> 10) };
    io::Error::new(io::ErrorKind::FileTooLarge, format!("it is longer than {longest}"))
}

/// Something that differs if a file was written or replaced.
#[derive(PartialEq)]
struct Stamp {
    length: u64,
    modified: Option<SystemTime>,
    identity: u64,
}

impl Stamp {
    fn of(about: &Metadata) -> Self {
        #[cfg(unix)]
        let identity = std::os::unix::fs::MetadataExt::ino(about);
        #[cfg(not(unix))]
        let identity = 0;
        Self { length: about.len(), modified: about.modified().ok(), identity }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(name: &str) -> std::path::PathBuf {
        std::env::temp_dir().join(format!("metercast-read-{}-{name}", std::process::id()))
    }

    #[test]
    fn a_file_that_changes_while_it_is_read_is_read_again() {
        let path = path("changes");
        fs::write(&path, "one").unwrap();
        let mut changes = 2;
        let text = read_while(&path, VALUE, || {
            if changes > 0 {
                changes -= 1;
                fs::write(&path, "more".repeat(3 - changes)).unwrap();
            }
        });
        assert_eq!(text.unwrap(), "more".repeat(3));
        let mut length = 1;
        let error = read_while(&path, VALUE, || {
            length += 1;
            fs::write(&path, "x".repeat(length)).unwrap();
        });
        assert_eq!(
            error.unwrap_err().to_string(),
            "it changes while it is read; write it under another name, and rename it when it is complete"
        );
        assert_eq!(length, 4, "it was read three times");
        fs::remove_file(&path).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_is_replaced_while_it_is_read_is_read_again() {
        let (old, new) = (path("old"), path("new"));
        fs::write(&old, "one").unwrap();
        fs::write(&new, "two").unwrap();
        let text = read_while(&old, VALUE, || _ = fs::rename(&new, &old));
        assert_eq!(text.unwrap(), "two");
        fs::remove_file(&old).unwrap();
    }

    #[test]
    fn a_file_that_is_too_long_is_not_read() {
        let path = path("long");
        // No block of it is on the disk; reading it would be noticed by the memory it takes.
        File::create(&path).unwrap().set_len(100 << 30).unwrap();
        assert_eq!(read(&path, CONFIGURATION).unwrap_err().to_string(), "it is longer than 4 MiB");
        assert_eq!(read(&path, VALUE).unwrap_err().to_string(), "it is longer than 64 KiB");
        File::create(&path).unwrap().set_len(VALUE).unwrap();
        assert_eq!(read(&path, VALUE).unwrap().len() as u64, VALUE);
        fs::remove_file(&path).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_file_is_not_waited_for() {
        assert_eq!(read(Path::new("/dev/zero"), VALUE).unwrap_err().to_string(), "it is no regular file");
    }
}
