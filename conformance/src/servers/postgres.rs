//! PostgreSQL, whose data outlives a stop, not the test.

use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::port_of;
use crate::program::{Folder, Program, free_address, until};

/// Whoever PostgreSQL runs as if the tests are root's, which it refuses: the user and the group that own nothing.
const NOBODY: u32 = 65534;

/// A PostgreSQL with an empty database, until it is dropped.
#[derive(Debug)]
pub struct Postgres {
    // Killed if it was not asked to end.
    program: Option<Program>,
    address: String,
    folder: Folder,
}

impl Postgres {
    /// Makes the database, and starts it.
    ///
    /// # Panics
    ///
    /// If it cannot be started.
    #[must_use = "it ends when it is dropped"]
    pub fn start() -> Postgres {
        let mut postgres = Postgres { program: None, address: free_address(), folder: Folder::new() };
        let (data, is_root) = (postgres.data(), postgres.is_root());
        std::fs::create_dir(&data).expect("a folder in a new one");
        if is_root {
            chown(&data, Some(NOBODY), Some(NOBODY)).expect("root may give folders away");
        }
        let mut make = unprivileged("initdb", is_root);
        make.arg("-D").arg(&data).args([
            "-U",
            "tests",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C",
            "--no-sync",
        ]);
        let made = make.current_dir(&data).stdin(Stdio::null()).output();
        let made = made.unwrap_or_else(|error| {
            panic!("initdb cannot be started: {error}; `cargo xtask test --only services` installs it")
        });
        assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
        postgres.start_again();
        postgres
    }

    /// Where its one database is, with the user who may do everything.
    pub fn url(&self) -> String {
        format!("postgres://tests@{}/postgres", self.address)
    }

    /// Ends it at once, without a word to its clients.
    ///
    /// # Panics
    ///
    /// If it goes on.
    pub fn stop(&mut self) {
        self.end("QUIT");
    }

    /// Starts it where it was, with the data that it had.
    ///
    /// # Panics
    ///
    /// If it cannot be started.
    pub fn start_again(&mut self) {
        let data = self.data();
        let mut command = unprivileged("postgres", self.is_root());
        command.arg("-D").arg(&data).args(["-h", "127.0.0.1", "-p", port_of(&self.address), "-k", ""]);
        // What a test keeps need not outlive it.
        command.args(["-c", "fsync=off"]).current_dir(&data);
        let mut program = Program::start(command, Folder::new());
        let ready = data.join("postmaster.pid");
        program.wait_for("connections", || {
            std::fs::read_to_string(&ready).is_ok_and(|text| text.contains("ready")).then_some(())
        });
        self.program = Some(program);
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn is_root(&self) -> bool {
        self.folder.path().metadata().expect("a folder of ours").uid() == 0
    }

    /// It is asked to end: one that is killed leaves shared memory behind.
    fn end(&mut self, signal: &str) {
        let file = self.data().join("postmaster.pid");
        if let Some(pid) = first_line(&file) {
            let _ = Command::new("sh").args(["-c", &format!("kill -{signal} {pid}")]).status();
            if !std::thread::panicking() {
                until("the end of PostgreSQL", || (!file.exists()).then_some(()));
            }
        }
        self.program = None;
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.end("INT");
    }
}

/// A program that is not run as root.
fn unprivileged(program: &str, is_root: bool) -> Command {
    if !is_root {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args([&format!("--reuid={NOBODY}"), &format!("--regid={NOBODY}"), "--clear-groups", program]);
    command
}

fn first_line(file: &Path) -> Option<String> {
    Some(std::fs::read_to_string(file).ok()?.lines().next()?.to_owned())
}
