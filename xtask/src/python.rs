//! The Python packages that tests compare with, in a virtual environment of their own under the target folder.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::install;
use crate::quietly::run;

/// Packages and versions. Wheels only: nothing is compiled, and no package runs code of its own to install itself.
const PACKAGES: [&str; 6] = [
    "prometheus_client==0.26.0",
    "opentelemetry-proto==1.45.2",
    "opentelemetry-semantic-conventions==0.66b2",
    "rotel==0.0.1a15",
    // The epoch is how Grafana counts its releases.
    "grafana-foundation-sdk==1769699998!10.1.0",
    "promql-parser==0.12.0",
];

/// What Debian calls the program that makes virtual environments, and the part of it that it packs apart.
const DEBIAN: [&str; 2] = ["python3", "python3-venv"];

/// Makes the environment if it is not there as it should be, and returns what is wrong.
pub(crate) fn get(target: &Path, without_services: bool) -> Option<String> {
    let folder = folder(target);
    if is_complete(&folder) {
        println!("python: {} with {}", folder.display(), PACKAGES.join(", "));
        return None;
    }
    if without_services {
        println!("python: no environment, and not asked for (--without-services)");
        return None;
    }
    let why = make(&folder).err()?;
    Some(format!(
        "the Python packages {} are missing: {why}; run again where Python's package index can be reached, or with \
         --without-services",
        PACKAGES.join(", ")
    ))
}

/// Where tests look for it: `conformance/src/oracle/python.rs` knows the same place.
fn folder(target: &Path) -> PathBuf {
    target.join("xtask").join("python")
}

/// Written last, so that what a killed run left is made anew.
fn stamp(folder: &Path) -> PathBuf {
    folder.join("packages.txt")
}

fn is_complete(folder: &Path) -> bool {
    std::fs::read_to_string(stamp(folder)).is_ok_and(|text| text == PACKAGES.join("\n"))
        // The interpreter that it links to may have gone since.
        && folder.join("bin").join("python").is_file()
}

fn make(folder: &Path) -> Result<(), String> {
    if run(Command::new("python3").args(["-c", "import ensurepip, venv"])).is_err() {
        install::install(&DEBIAN, &[])?;
    }
    println!("making {} with {}", folder.display(), PACKAGES.join(", "));
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(folder))?;
    let mut pip = Command::new(folder.join("bin").join("python"));
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:"]);
    run(pip.args(PACKAGES))?;
    let stamp = stamp(folder);
    std::fs::write(&stamp, PACKAGES.join("\n"))
        .map_err(|error| format!("{}: cannot be written: {error}", stamp.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_environment_of_other_packages_or_without_its_interpreter_is_not_complete() {
        let target = std::env::temp_dir().join(format!("metercast-xtask-python-{}", std::process::id()));
        let folder = folder(&target);
        std::fs::create_dir_all(folder.join("bin")).unwrap();
        std::fs::write(stamp(&folder), PACKAGES.join("\n")).unwrap();
        assert!(!is_complete(&folder));
        std::fs::write(folder.join("bin").join("python"), "").unwrap();
        assert!(is_complete(&folder));
        std::fs::write(stamp(&folder), "prometheus_client==0.1.0").unwrap();
        assert!(!is_complete(&folder));
        std::fs::remove_dir_all(&target).unwrap();
    }
}
