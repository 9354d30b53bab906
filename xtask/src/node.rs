//! The packages for Node that the tests of the live page drive and judge a browser with, in a folder of their own under the target folder.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::quietly::run;

/// Packages and versions. Neither depends on another, and none runs code of its own to install itself.
const PACKAGES: [&str; 2] = ["playwright-core@1.65.1", "axe-core@4.14.1"];

/// Brings the packages if they are not there as they should be, and returns what is wrong.
pub(crate) fn get(target: &Path, without_services: bool) -> Option<String> {
    let folder = folder(target);
    if is_complete(&folder) {
        println!("node: {} with {}", folder.display(), PACKAGES.join(", "));
        return None;
    }
    if without_services {
        println!("node: no packages, and not asked for (--without-services)");
        return None;
    }
    let why = make(&folder).err()?;
    Some(format!(
        "the packages {} for node are missing: {why}; run again where npm's registry can be reached, or with \
         --without-services",
        PACKAGES.join(", ")
    ))
}

/// Where tests look for it: `crates/metercast/tests/page/browser.rs` knows the same place.
fn folder(target: &Path) -> PathBuf {
    target.join("xtask").join("node")
}

/// Written last, so that what a killed run left is made anew.
fn stamp(folder: &Path) -> PathBuf {
    folder.join("packages.txt")
}

fn is_complete(folder: &Path) -> bool {
    std::fs::read_to_string(stamp(folder)).is_ok_and(|text| text == PACKAGES.join("\n"))
}

fn make(folder: &Path) -> Result<(), String> {
    println!("making {} with {}", folder.display(), PACKAGES.join(", "));
    let at = |path: &Path, error: std::io::Error| format!("{}: cannot be written: {error}", path.display());
    if folder.exists() {
        std::fs::remove_dir_all(folder).map_err(|error| at(folder, error))?;
    }
    std::fs::create_dir_all(folder).map_err(|error| at(folder, error))?;
    let mut npm = Command::new("npm");
    npm.args(["install", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", "--save-exact"]);
    run(npm.arg("--prefix").arg(folder).args(PACKAGES))?;
    let stamp = stamp(folder);
    std::fs::write(&stamp, PACKAGES.join("\n")).map_err(|error| at(&stamp, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_of_other_packages_is_not_complete() {
        let target = std::env::temp_dir().join(format!("metercast-xtask-node-{}", std::process::id()));
        let folder = folder(&target);
        std::fs::create_dir_all(&folder).unwrap();
        assert!(!is_complete(&folder));
        std::fs::write(stamp(&folder), PACKAGES.join("\n")).unwrap();
        assert!(is_complete(&folder));
        std::fs::write(stamp(&folder), "playwright-core@1.0.0").unwrap();
        assert!(!is_complete(&folder));
        std::fs::remove_dir_all(&target).unwrap();
    }
}
