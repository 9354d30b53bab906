//! Programs of others, each a private instance with a folder of its own.

use std::fs::OpenOptions;
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::ops::Range;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::http;

/// How long a program may take to do what is waited for.
const LIMIT: Duration = Duration::from_secs(60);

/// Whether programs are in process groups of their own.
static ARE_APART: AtomicBool = AtomicBool::new(false);

/// Lets programs that are started from now on live through a Ctrl-C at the terminal, so that whoever calls this ends them in an order of his
/// own. A test does not: Ctrl-C ends its programs with it.
pub fn keep_apart() {
    ARE_APART.store(true, Ordering::Relaxed);
}

/// The same command, apart if that was asked for.
pub fn apart(command: &mut Command) -> &mut Command {
    if ARE_APART.load(Ordering::Relaxed) {
        command.process_group(0);
    }
    command
}

/// Whether real programs are to be used. If not, `test` is noted as skipped for want of `program`.
///
/// # Panics
///
/// If the list of skipped tests cannot be written.
pub fn use_programs(test: &str, program: &str) -> bool {
    if std::env::var_os("METERCAST_WITHOUT_SERVICES").is_none() {
        return true;
    }
    if let Some(file) = std::env::var_os("METERCAST_SKIPPED") {
        let mut file =
            OpenOptions::new().append(true).create(true).open(file).expect("the list of skipped tests");
        writeln!(file, "{test}: {program}").expect("the list of skipped tests");
    }
    false
}

/// A folder that is removed when it is dropped.
#[derive(Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// A new one.
    ///
    /// # Panics
    ///
    /// If there is no room for one.
    #[expect(clippy::new_without_default, reason = "it does something")]
    pub fn new() -> Folder {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path =
            std::env::temp_dir().join(format!("metercast-conformance-{}-{number}", std::process::id()));
        std::fs::create_dir(&path).expect("a new folder");
        Folder(path)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a file, and returns its path.
    ///
    /// # Panics
    ///
    /// If it cannot be written.
    pub fn write(&self, name: &str, text: &str) -> String {
        let path = self.0.join(name);
        std::fs::write(&path, text).expect("a file in a new folder");
        path.display().to_string()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A program that runs until it is dropped.
#[derive(Debug)]
pub struct Program {
    name: String,
    child: Child,
    said: String,
    _folder: Folder,
}

impl Program {
    /// Starts it; what it says goes into a file of the folder, and is shown if it ends before it should.
    ///
    /// # Panics
    ///
    /// If it cannot be started: `cargo xtask test --only services` installs what is missing.
    pub fn start(mut command: Command, folder: Folder) -> Program {
        let name = command.get_program().to_string_lossy().into_owned();
        let said = folder.write("said.txt", "");
        let file = std::fs::File::create(&said).expect("a file in a new folder");
        let error = file.try_clone().expect("a second handle to a file");
        let child = apart(&mut command).stdin(Stdio::null()).stdout(file).stderr(error).spawn();
        let child = child.unwrap_or_else(|error| {
            panic!("{name} cannot be started: {error}; `cargo xtask test --only services` installs it")
        });
        Program { name, child, said, _folder: folder }
    }

    /// Waits until `done` says what it found.
    ///
    /// # Panics
    ///
    /// If the program ends, or takes too long.
    pub fn wait_for<T>(&mut self, what: &str, mut done: impl FnMut() -> Option<T>) -> T {
        let begun = Instant::now();
        loop {
            if let Some(found) = done() {
                return found;
            }
            let ended = self.child.try_wait().expect("a program can be waited for");
            if ended.is_some() || begun.elapsed() > LIMIT {
                let said = std::fs::read_to_string(&self.said).unwrap_or_default();
                let why =
                    ended.map_or_else(|| "takes too long".to_owned(), |status| format!("ended, {status}"));
                panic!("{}: {what}: {why}; it said:\n{said}", self.name);
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until a GET of `url` is answered with 200.
    ///
    /// # Panics
    ///
    /// If the program ends, or takes too long.
    pub fn wait_until_ready(&mut self, url: &str) {
        self.wait_for(url, || {
            http::ask(url, "GET", "", b"").is_ok_and(|(status, ..)| status == 200).then_some(())
        });
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An address on the loopback interface for whoever cannot ask the system for a port, since it says no other, or is to listen there again
/// later, or never. No test gets it a second time, and nobody who asks for port 0.
///
/// # Panics
///
/// If there is none.
pub fn free_address() -> String {
    /// Below those that systems give to whoever asks for any.
    const PORTS: Range<u16> = 10_000..30_000;
    /// What tells the tests of all programs, side by side, that a port is given away: the socket of the same number over UDP.
    static GIVEN: Mutex<Vec<UdpSocket>> = Mutex::new(Vec::new());
    let mut given = GIVEN.lock().unwrap_or_else(PoisonError::into_inner);
    // Programs begin at different places, so that few are tried in vain.
    let first = usize::try_from(std::process::id()).unwrap_or_default().wrapping_mul(97) % PORTS.len();
    let ports = PORTS.cycle().skip(first).take(PORTS.len());
    for port in ports {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let Ok(mark) = UdpSocket::bind(address) else { continue };
        if TcpListener::bind(address).is_ok() {
            given.push(mark);
            return address.to_string();
        }
    }
    panic!("every port of 127.0.0.1 from {} to {} is taken", PORTS.start, PORTS.end);
}

/// Waits for something that other processes do.
///
/// # Panics
///
/// If that takes too long.
pub fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < LIMIT, "waited in vain: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn an_address_is_given_once_and_is_free() {
        let given: BTreeSet<String> = (0..50).map(|_| free_address()).collect();
        assert_eq!(given.len(), 50);
        for address in given {
            TcpListener::bind(&address).expect("it is free");
            UdpSocket::bind(&address).expect_err("which marks it for other programs");
        }
    }
}
