//! A service as a running program: what it says, what it holds, and its end.

use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use conformance::program::{Folder, apart};

/// Variables that begin so are for services, and those that we run with are not meant for these.
const OURS: [&str; 4] = ["OTEL_", "BUZZ_", "PJ_", "OSAPI_"];

/// A running service; killed if it is dropped before it was ended.
#[derive(Debug)]
pub struct Service {
    name: &'static str,
    child: Child,
    /// What it wrote to standard error.
    said: Arc<Mutex<Vec<String>>>,
    /// The words that it says where it is with.
    words: Vec<String>,
    // After the program, which writes into it.
    _folder: Folder,
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
        command.current_dir(folder.path()).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child =
            apart(&mut command).spawn().map_err(|error| format!("{name} cannot be started: {error}"))?;
        let said = Arc::<Mutex<Vec<String>>>::default();
        let (stderr, to) = (child.stderr.take().expect("piped"), Arc::clone(&said));
        let listening = thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                to.lock().unwrap_or_else(PoisonError::into_inner).push(line);
            }
        });
        let mut line = String::new();
        let mut stdout = BufReader::new(child.stdout.take().expect("piped"));
        let read = stdout.read_line(&mut line);
        if !matches!(read, Ok(1..)) {
            // It ends: its other pipe is closed then, too.
            let _ = child.kill();
            let _ = child.wait();
            let _ = listening.join();
            let said = said.lock().unwrap_or_else(PoisonError::into_inner).join("\n");
            return Err(format!("{name} does not start: {said}"));
        }
        thread::spawn(move || stdout.read_to_end(&mut Vec::new()));
        let words = line.split_whitespace().map(str::to_owned).collect();
        Ok(Service { name, child, said, words, _folder: folder })
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
        self.said.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What its process holds now.
    ///
    /// # Panics
    ///
    /// If it has ended.
    pub fn held(&self) -> Held {
        let of = |what: &str| format!("/proc/{}/{what}", self.child.id());
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
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, name: &str) {
        let _ = Command::new("sh").args(["-c", &format!("kill -{name} {}", self.child.id())]).status();
    }

    /// Asks it to end by SIGTERM, and waits until it has: how it ended, and how long that took.
    ///
    /// # Errors
    ///
    /// If it cannot be waited for.
    pub fn end(&mut self) -> std::io::Result<(ExitStatus, Duration)> {
        let begun = Instant::now();
        self.signal("TERM");
        Ok((self.child.wait()?, begun.elapsed()))
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The program of this name, which cargo puts beside this one, or above the tests.
fn beside(program: &str) -> Result<PathBuf, String> {
    let own = std::env::current_exe().map_err(|error| format!("this program cannot be found: {error}"))?;
    let folders = own.ancestors().skip(1).take(2);
    let found = folders.map(|folder| folder.join(program)).find(|path| path.is_file());
    found.ok_or_else(|| format!("{program} is not built; `cargo build -p {program}` does that"))
}
