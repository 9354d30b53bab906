//! The text files of the repository.

use std::io::ErrorKind;
use std::path::Path;
use std::process::{Command, Stdio};

/// One text file.
#[derive(Debug)]
pub(crate) struct File {
    /// From the root, with `/` between folders.
    pub(crate) path: String,
    pub(crate) text: String,
}

impl File {
    /// The lines with their numbers, from 1.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        (1..).zip(self.text.lines())
    }
}

/// Everything that git has or would take in, so that a new file is checked before it is added.
pub(crate) fn list(root: &Path) -> Result<Vec<File>, String> {
    let mut paths = of_git(root).map_or_else(|| of_folder(root), Ok)?;
    paths.sort();
    let mut files = Vec::new();
    for path in paths {
        match std::fs::read(root.join(&path)) {
            Ok(bytes) => files.extend(String::from_utf8(bytes).ok().map(|text| File { path, text })),
            // Removed but not yet committed, or a link to a folder.
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::IsADirectory) => {}
            Err(error) => return Err(format!("{path}: cannot be read: {error}")),
        }
    }
    Ok(files)
}

fn of_git(root: &Path) -> Option<Vec<String>> {
    let mut git = Command::new("git");
    git.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]).current_dir(root);
    let output = git
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    let text = String::from_utf8_lossy(&output.stdout);
    Some(text.split('\0').filter(|path| !path.is_empty()).map(str::to_owned).collect())
}

/// Without git, as in an unpacked archive: every file but what cargo and git keep for themselves.
fn of_folder(root: &Path) -> Result<Vec<String>, String> {
    let mut paths = Vec::new();
    let mut folders = vec![String::new()];
    while let Some(folder) = folders.pop() {
        let wrong = |error| format!("{}: cannot be listed: {error}", root.join(&folder).display());
        for entry in std::fs::read_dir(root.join(&folder)).map_err(wrong)? {
            let entry = entry.map_err(wrong)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
            let kind = entry.file_type().map_err(wrong)?;
            if kind.is_file() {
                paths.push(path);
            } else if kind.is_dir() && name != "target" && name != ".git" {
                folders.push(path);
            }
        }
    }
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_crate_is_listed_with_and_without_git() {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        for paths in [of_git(here).unwrap_or_else(|| of_folder(here).unwrap()), of_folder(here).unwrap()] {
            assert!(paths.iter().any(|path| path == "src/tidy/files.rs"), "{paths:?}");
        }
        let files = list(here).unwrap();
        assert!(files.iter().any(|file| file.path == "Cargo.toml" && file.text.contains("xtask")));
    }
}
