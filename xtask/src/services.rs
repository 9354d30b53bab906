//! The real programs that a test run needs, and where they are.

use std::path::{Path, PathBuf};

use crate::install;

/// One program, its binary as a test starts it, and the Debian packages that bring it.
struct Program {
    name: &'static str,
    need: Need,
    packages: &'static [&'static str],
    /// The program whose package has this one too, in some releases of Debian.
    comes_with: Option<&'static str>,
    /// What those packages would start at boot; tests start private instances instead.
    units: &'static [&'static str],
}

#[derive(Clone, Copy, PartialEq)]
enum Need {
    /// Nothing can be built without it.
    Build,
    /// Some tests start it; `--without-services` does without.
    Tests,
}

/// A new program is one more row.
const PROGRAMS: &[Program] = &[
    // The bundled SQLite of the demo is C.
    Program { name: "cc", need: Need::Build, packages: &["gcc", "libc6-dev"], ..NOTHING },
    // The fuzzer is C++.
    Program { name: "c++", packages: &["g++"], ..NOTHING },
    Program { name: "prometheus", packages: &["prometheus"], units: &["prometheus.service"], ..NOTHING },
    Program { name: "promtool", packages: &["promtool"], comes_with: Some("prometheus"), ..NOTHING },
    Program {
        name: "prometheus-pushgateway",
        packages: &["prometheus-pushgateway"],
        units: &["prometheus-pushgateway.service"],
        ..NOTHING
    },
    Program {
        name: "victoria-metrics",
        packages: &["victoria-metrics"],
        units: &["victoria-metrics.service"],
        ..NOTHING
    },
    // The package brings no program of its own, but that of the release's version.
    Program { name: "postgres", packages: &["postgresql"], units: &["postgresql.service"], ..NOTHING },
    Program {
        name: "redis-server",
        packages: &["redis-server"],
        units: &["redis-server.service"],
        ..NOTHING
    },
    Program { name: "nats-server", packages: &["nats-server"], units: &["nats-server.service"], ..NOTHING },
    // A terminal whose screen can be read.
    Program { name: "tmux", packages: &["tmux"], ..NOTHING },
    // What the live page is looked at with; node runs the script that drives it, whose packages npm brings.
    Program { name: "chromium", packages: &["chromium"], ..NOTHING },
    Program { name: "node", packages: &["nodejs"], ..NOTHING },
    Program { name: "npm", packages: &["npm"], comes_with: Some("node"), ..NOTHING },
    // Counts the instructions of a record.
    Program { name: "valgrind", packages: &["valgrind"], ..NOTHING },
];

/// What most rows do not say.
const NOTHING: Program = Program { name: "", need: Need::Tests, packages: &[], comes_with: None, units: &[] };

/// Finds every program, installs what is missing if it may, and returns what is still missing.
pub(crate) fn get(without_services: bool) -> Vec<String> {
    let mut missing = Vec::new();
    for program in PROGRAMS {
        match program.find() {
            Some(path) => println!("{}: {}", program.name, path.display()),
            None if without_services && program.need == Need::Tests => {
                println!("{}: missing, and not asked for (--without-services)", program.name);
            }
            None => missing.push(program),
        }
    }
    let mut why = None;
    // What comes with another program may be there once that one is.
    let (first, second): (Vec<_>, Vec<_>) =
        missing.iter().copied().partition(|program| program.comes_with.is_none());
    for mut round in [first, second] {
        round.retain(|program| program.find().is_none());
        if !round.is_empty() {
            let all = |of: fn(&Program) -> &'static [&'static str]| -> Vec<&str> {
                round.iter().flat_map(|program| of(program)).copied().collect()
            };
            let installed = install::install(&all(|program| program.packages), &all(|program| program.units));
            why = why.or(installed.err());
        }
    }
    let why = why.unwrap_or_else(|| "the package is installed, but brings no such program".to_owned());
    missing.retain(|program| program.find().is_none());
    missing.iter().map(|program| program.trouble(&why)).collect()
}

/// Whether the program of this name, which stands in the table, is there.
pub(crate) fn has(name: &str) -> bool {
    PROGRAMS.iter().any(|program| program.name == name && program.find().is_some())
}

/// The `PATH` for the tests: ours, and behind it the folders of programs that Debian keeps elsewhere.
pub(crate) fn path_for_tests() -> std::ffi::OsString {
    let mut folders = folders_of_path();
    for found in PROGRAMS.iter().filter_map(Program::find) {
        if let Some(folder) = found.parent()
            && !folders.iter().any(|known| known == folder)
        {
            folders.push(folder.to_owned());
        }
    }
    // Joining fails only on a folder with a colon in its name, which no PATH can hold.
    std::env::join_paths(folders).unwrap_or_else(|_| std::env::var_os("PATH").unwrap_or_default())
}

impl Program {
    fn find(&self) -> Option<PathBuf> {
        let mut folders = folders_of_path();
        // Debian keeps daemons outside a user's PATH, and versioned programs in /usr/lib/PACKAGE/VERSION/bin.
        folders.extend(["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from));
        for package in self.packages {
            folders.extend(versions(&Path::new("/usr/lib").join(package)));
        }
        find_in(self.name, &folders)
    }

    fn trouble(&self, why: &str) -> String {
        let without = if self.need == Need::Tests { ", or run with --without-services" } else { "" };
        format!(
            "{} is missing: {why}; install it by hand (apt-get install --no-install-recommends {}){without}",
            self.name,
            self.packages.join(" "),
        )
    }
}

fn folders_of_path() -> Vec<PathBuf> {
    std::env::var_os("PATH").map(|path| std::env::split_paths(&path).collect()).unwrap_or_default()
}

/// The `bin` folders of the versions under a folder, the newest first.
fn versions(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut found: Vec<_> =
        entries.map(|entry| entry.path().join("bin")).filter(|bin| bin.is_dir()).collect();
    found.sort();
    found.reverse();
    found
}

fn find_in(name: &str, folders: &[PathBuf]) -> Option<PathBuf> {
    folders.iter().map(|folder| folder.join(name)).find(|path| is_program(path))
}

#[cfg(unix)]
fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_program(path: &Path) -> bool {
    path.is_file()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_an_executable_file_in_one_of_the_folders() {
        let me = std::env::current_exe().unwrap();
        let name = me.file_name().unwrap().to_str().unwrap();
        let here = me.parent().unwrap().to_owned();
        let folders = [Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), here];
        assert_eq!(find_in(name, &folders), Some(me.clone()));
        assert_eq!(find_in("main.rs", &folders), None, "a text file is no program");
        assert_eq!(find_in("tidy", &folders), None, "a folder is no program");
    }

    #[test]
    fn a_missing_program_is_named_with_both_ways_out() {
        let prometheus = PROGRAMS.iter().find(|program| program.name == "prometheus").unwrap();
        let trouble = prometheus.trouble("there is no apt-get");
        assert_eq!(
            trouble,
            "prometheus is missing: there is no apt-get; install it by hand (apt-get install \
             --no-install-recommends prometheus), or run with --without-services"
        );
    }

    #[test]
    fn a_compiler_cannot_be_done_without() {
        let cc = PROGRAMS.iter().find(|program| program.need == Need::Build).unwrap();
        assert!(!cc.trouble("why").contains("--without-services"));
    }
}
