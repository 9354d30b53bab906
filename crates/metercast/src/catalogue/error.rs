//! Why there is no catalogue: what, where, and how to mend it.

use std::path::{Path, PathBuf};
use std::{error, fmt, io};

/// Why a catalogue cannot be read. `Debug` is `Display`, so that a `main` that returns it prints the sentence.
#[non_exhaustive]
pub enum CatalogueError {
    /// The file of the program that runs cannot be found.
    Nowhere {
        /// What the system says.
        cause: io::Error,
    },
    /// The file cannot be read.
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        cause: io::Error,
    },
    /// The file is neither a program nor a library.
    NotAProgram {
        /// Which file.
        path: PathBuf,
        /// What it is, such as `a script`.
        what: &'static str,
    },
    /// The program was built with a version of metercast that says more than this one understands.
    Newer {
        /// Which file.
        path: PathBuf,
        /// How many places are not understood.
        places: usize,
    },
}

impl CatalogueError {
    pub(super) fn nowhere(cause: io::Error) -> CatalogueError {
        CatalogueError::Nowhere { cause }
    }

    pub(super) fn unreadable(path: &Path, cause: io::Error) -> CatalogueError {
        CatalogueError::Unreadable { path: path.to_owned(), cause }
    }

    pub(super) fn newer(path: &Path, places: usize) -> CatalogueError {
        CatalogueError::Newer { path: path.to_owned(), places }
    }
}

impl fmt::Display for CatalogueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CatalogueError::Nowhere { cause } => {
                write!(
                    f,
                    "the file of this program cannot be found ({cause}), so its metrics are not known; name it by Catalogue::of_file"
                )
            }
            CatalogueError::Unreadable { path, cause } => {
                let path = path.display();
                write!(
                    f,
                    "cannot read {path}: {cause}; name the file of a program that was built, such as target/debug/app"
                )
            }
            CatalogueError::NotAProgram { path, what } => {
                let path = path.display();
                write!(
                    f,
                    "{path} is {what}, not a program; name the file that was built, such as target/debug/app"
                )
            }
            CatalogueError::Newer { path, places } => {
                let path = path.display();
                write!(
                    f,
                    "{path} was built with a newer metercast than {}, which says of {places} metrics what this one does not understand; \
                     read it with that version or a later one",
                    env!("CARGO_PKG_VERSION")
                )
            }
        }
    }
}

impl fmt::Debug for CatalogueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl error::Error for CatalogueError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            CatalogueError::Nowhere { cause } | CatalogueError::Unreadable { cause, .. } => Some(cause),
            _ => None,
        }
    }
}

/// What programs and libraries begin with: ELF, Mach-O in four ways and for several machines at once, PE, WebAssembly, archives, Rust's own.
const PROGRAMS: [&[u8]; 10] = [
    b"\x7fELF",
    b"\xfe\xed\xfa\xce",
    b"\xfe\xed\xfa\xcf",
    b"\xce\xfa\xed\xfe",
    b"\xcf\xfa\xed\xfe",
    b"\xca\xfe\xba\xbe",
    b"MZ",
    b"\0asm",
    b"!<arch>\n",
    b"!<thin>\n",
];

/// What else people name instead, and what it is.
const OTHERS: [(&[u8], &str); 6] = [
    (b"#!", "a script"),
    (b"\x1f\x8b", "packed by gzip"),
    (b"\x28\xb5\x2f\xfd", "packed by zstd"),
    (b"\xfd7zXZ", "packed by xz"),
    (b"PK\x03\x04", "a zip archive"),
    (b"", "of a kind that is not known"),
];

/// Whether a file that begins so may be a program without metrics.
pub(super) fn assert_program(path: &Path, head: &[u8]) -> Result<(), CatalogueError> {
    if PROGRAMS.iter().any(|begin| head.starts_with(begin)) {
        return Ok(());
    }
    let is_text = std::str::from_utf8(head).is_ok_and(|head| !head.contains('\0'));
    let other = OTHERS.iter().find(|(begin, _)| head.starts_with(begin));
    let what = match other {
        _ if head.is_empty() => "empty",
        Some((begin, what)) if !begin.is_empty() => what,
        _ if is_text => "a text",
        other => other.map_or("", |(_, what)| what),
    };
    Err(CatalogueError::NotAProgram { path: path.to_owned(), what })
}
