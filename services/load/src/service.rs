//! A service as a running program: what it says, what it holds, and its end.

use std::path::PathBuf;
use std::process::{Command, ExitStatus};
use std::time::Duration;

use conformance::program::{Folder, Program};

/// Variables that begin so are for services, and those that we run with are not meant for these.
const OURS: [&str; 4] = ["OTEL_", "BUZZ_", "PJ_", "OSAPI_"];

/// A running service; killed if it is dropped before it was ended.
#[derive(Debug)]
pub struct Service {
    name: &'static str,
    program: Program,
    /// The words that it says where it is with.
    words: Vec<String>,
}

/// What a process holds.
#[derive(Clone, Debug)]
pub struct Held {
    /// In memory, in KiB.
    pub resident: u64,
    /// Sockets, those included that it listens on.
    pub sockets: usize,
    /// The names of its threads, sorted.
    pub threads: Vec<String>,
}

impl Service {
    /// The command that starts a service, without the variables that are ours.
    ///
    /// # Errors
    ///
    /// If it is not built.
    pub(crate) fn command(program: &str) -> Result<Command, String> {
        let mut command = Command::new(beside(program)?);
        for (name, _) in std::env::vars_os() {
            if OURS.iter().any(|ours| name.to_string_lossy().starts_with(ours)) {
                command.env_remove(name);
            }
        }
        Ok(command)
    }

    /// Runs it, and waits until it says where it is.
    ///
    /// # Errors
    ///
    /// What it says instead.
    pub(crate) fn start(name: &'static str, mut command: Command, folder: Folder) -> Result<Service, String> {
        command.current_dir(folder.path());
        let mut program = Program::spawn(command, folder)?;
        let line = program.look_for("its first line", |program| {
            program.printed().split_once('\n').map(|(line, _)| line.to_owned())
        });
        let words = line.map_err(|trouble| format!("{name} does not start: {trouble}"))?;
        let words = words.split_whitespace().map(str::to_owned).collect();
        Ok(Service { name, program, words })
    }

    /// What it is called.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The word behind this one in what it says where it is with.
    pub(crate) fn word_after(&self, word: &str) -> Result<String, String> {
        let at = self.words.iter().position(|found| found == word);
        let next = at.and_then(|at| self.words.get(at + 1)).cloned();
        next.ok_or_else(|| format!("{}: {:?} does not say what is behind {word:?}", self.name, self.words))
    }

    /// The lines that it has written to standard error so far.
    pub fn said(&self) -> Vec<String> {
        self.program.said().lines().map(str::to_owned).collect()
    }

    /// What its process holds now.
    ///
    /// # Panics
    ///
    /// If it has ended.
    pub fn held(&self) -> Held {
        let of = |what: &str| format!("/proc/{}/{what}", self.program.id());
        let status = std::fs::read_to_string(of("status")).expect("a running process");
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let resident = resident.and_then(|kilobytes| kilobytes.split_whitespace().next()?.parse().ok());
        let tasks = std::fs::read_dir(of("task")).expect("a running process");
        // One that ends meanwhile is none.
        let name = |task: PathBuf| std::fs::read_to_string(task.join("comm")).ok();
        let mut threads: Vec<String> = tasks
            .filter_map(Result::ok)
            .filter_map(|task| Some(name(task.path())?.trim().to_owned()))
            .collect();
        threads.sort();
        let files = std::fs::read_dir(of("fd")).expect("a running process");
        let is_socket = |file: PathBuf| {
            std::fs::read_link(file).is_ok_and(|link| link.to_string_lossy().starts_with("socket:"))
        };
        Held {
            resident: resident.unwrap_or_else(|| panic!("{} has ended", self.name)),
            sockets: files.filter_map(Result::ok).filter(|file| is_socket(file.path())).count(),
            threads,
        }
    }

    /// Whether it still runs.
    pub fn runs(&mut self) -> bool {
        self.program.runs()
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, name: &str) {
        self.program.signal(name);
    }

    /// Asks it to end by SIGTERM, and waits until it has: how it ended, and how long that took.
    ///
    /// # Errors
    ///
    /// If it cannot be waited for.
    pub fn end(&mut self) -> std::io::Result<(ExitStatus, Duration)> {
        self.program.end()
    }
}

/// The program of this name, which cargo puts beside this one, or above the tests.
fn beside(program: &str) -> Result<PathBuf, String> {
    let own = std::env::current_exe().map_err(|error| format!("this program cannot be found: {error}"))?;
    let folders = own.ancestors().skip(1).take(2);
    let found = folders.map(|folder| folder.join(program)).find(|path| path.is_file());
    found.ok_or_else(|| format!("{program} is not built; `cargo build -p {program}` does that"))
}
