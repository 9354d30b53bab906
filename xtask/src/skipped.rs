//! The tests that had to be skipped for want of a program, as they reported themselves.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Set for the tests under `--without-services`: do without the real programs, and say so in [`FILE`].
pub(crate) const WITHOUT_SERVICES: &str = "METERCAST_WITHOUT_SERVICES";

/// Names the file to which a skipped test appends one line, `<test name>: <program>`.
pub(crate) const FILE: &str = "METERCAST_SKIPPED";

/// The file of one run.
#[derive(Debug)]
pub(crate) struct Skipped {
    path: PathBuf,
}

impl Skipped {
    /// An empty list under the target folder: what an earlier run left is removed, and the folder is made.
    pub(crate) fn begin(target: &Path) -> Result<Skipped, String> {
        let folder = target.join("xtask");
        let path = folder.join("skipped.txt");
        let cleared = std::fs::create_dir_all(&folder).and_then(|()| match std::fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        });
        match cleared {
            Ok(()) => Ok(Skipped { path }),
            Err(error) => Err(format!("{}: cannot be cleared for this run: {error}", path.display())),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// One line for each skipped test, sorted, since tests run in any order.
    pub(crate) fn read(&self) -> Result<Vec<String>, String> {
        match std::fs::read(&self.path) {
            Ok(bytes) => Ok(lines(&String::from_utf8_lossy(&bytes))),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(format!("{}: cannot be read: {error}", self.path.display())),
        }
    }
}

fn lines(text: &str) -> Vec<String> {
    let mut lines: Vec<_> =
        text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect();
    lines.sort();
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_run_begins_with_an_empty_list() {
        let target = std::env::temp_dir().join(format!("metercast-xtask-skipped-{}", std::process::id()));
        let skipped = Skipped::begin(&target).unwrap();
        assert_eq!(skipped.read(), Ok(Vec::new()));
        std::fs::write(skipped.path(), "scrapes: prometheus\n\nqueries: prometheus\n").unwrap();
        let names = ["queries: prometheus", "scrapes: prometheus"].map(str::to_owned);
        assert_eq!(skipped.read().unwrap(), names);
        let next = Skipped::begin(&target).unwrap();
        assert_eq!(next.read(), Ok(Vec::new()));
        std::fs::remove_dir_all(&target).unwrap();
    }
}
