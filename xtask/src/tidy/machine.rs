//! No file names a folder of the machine that it was written on, or the host of a package registry.

use super::files::File;

/// Folders outside any repository. Written in pieces, so that this file may be checked like the others.
const FOLDERS: [&str; 4] =
    [concat!("/", "work/"), concat!("/", "root/"), concat!("/", "farm/"), concat!("/tmp/", "bash_")];

/// Where packages come from is the reader's own setting, not ours.
const HOSTS: [&str; 6] = [
    concat!("crates", ".io"),
    concat!("pypi", ".org"),
    concat!("pythonhosted", ".org"),
    concat!("npmjs", ".com"),
    concat!("npmjs", ".org"),
    concat!("debian", ".org"),
];

/// Cargo writes its registry into every entry of this one.
const FREE: &str = "Cargo.lock";

pub(super) fn check(file: &File) -> Vec<String> {
    if file.path.rsplit('/').next() == Some(FREE) {
        return Vec::new();
    }
    let mut troubles = Vec::new();
    for (number, line) in file.lines() {
        for folder in FOLDERS.into_iter().filter(|folder| line.contains(folder)) {
            let path = &file.path;
            troubles.push(format!(
                "{path}:{number}: names the folder {folder} of one machine; write a path from the root"
            ));
        }
        for host in HOSTS.into_iter().filter(|host| line.contains(host)) {
            let path = &file.path;
            troubles.push(format!("{path}:{number}: names the registry host {host}; name the package alone"));
        }
    }
    troubles
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_at(path: &str, text: String) -> Vec<String> {
        check(&File { path: path.to_owned(), text })
    }

    #[test]
    fn every_pattern_is_found_with_its_line() {
        for pattern in FOLDERS.into_iter().chain(HOSTS) {
            let found = check_at("a.md", format!("fine\nsee {pattern}x\n"));
            assert_eq!(found.len(), 1, "{pattern}: {found:?}");
            assert!(found[0].starts_with("a.md:2: names the "), "{found:?}");
        }
    }

    #[test]
    fn documentation_hosts_and_lock_files_are_fine() {
        assert!(check_at("README.md", "https://docs.rs/metercast and workspace/root".to_owned()).is_empty());
        assert!(check_at("bench/Cargo.lock", format!("source = \"{}\"", HOSTS[0])).is_empty());
    }
}
