//! Programs of others, each a private instance with a folder of its own.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::ops::Range;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
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

/// A program that runs until it ends, or is dropped.
#[derive(Debug)]
pub struct Program {
    name: String,
    child: Child,
    // After the program, which writes into it.
    folder: Folder,
}

/// What a program writes to its two outputs, in its folder.
const OUTPUTS: [&str; 2] = ["stdout.txt", "stderr.txt"];

impl Program {
    /// Starts it; what it says goes into files of the folder, and is shown if it ends before it should.
    ///
    /// # Panics
    ///
    /// If it cannot be started: `cargo xtask test --only services` installs what is missing.
    pub fn start(command: Command, folder: Folder) -> Program {
        Program::spawn(command, folder).unwrap_or_else(|trouble| {
            panic!("{trouble}; `cargo xtask test --only services` installs what is missing")
        })
    }

    /// The same, for whoever can say what is wrong.
    ///
    /// # Errors
    ///
    /// If it cannot be started.
    ///
    /// # Panics
    ///
    /// If its folder takes no files.
    pub fn spawn(mut command: Command, folder: Folder) -> Result<Program, String> {
        let program = Path::new(command.get_program());
        let name = program.file_name().unwrap_or(program.as_os_str()).to_string_lossy().into_owned();
        let file =
            |output: &str| std::fs::File::create(folder.path().join(output)).expect("a file in a new folder");
        let [out, error] = OUTPUTS.map(file);
        match apart(&mut command).stdin(Stdio::null()).stdout(out).stderr(error).spawn() {
            Ok(child) => Ok(Program { name, child, folder }),
            Err(error) => Err(format!("{} cannot be started: {error}", command.get_program().display())),
        }
    }

    /// What it has written to standard output so far.
    pub fn printed(&self) -> String {
        self.read(OUTPUTS[0])
    }

    /// What it has written to standard error so far.
    pub fn said(&self) -> String {
        self.read(OUTPUTS[1])
    }

    fn read(&self, output: &str) -> String {
        let bytes = std::fs::read(self.folder.path().join(output)).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// The number of its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it still runs.
    pub fn runs(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Sends it a signal, such as `TERM`.
    pub fn signal(&self, name: &str) {
        let _ = Command::new("sh").args(["-c", &format!("kill -{name} {}", self.id())]).status();
    }

    /// Asks it to end by SIGTERM, and waits until it has: how it ended, and how long that took.
    ///
    /// # Errors
    ///
    /// If it cannot be waited for.
    pub fn end(&mut self) -> io::Result<(ExitStatus, Duration)> {
        let begun = Instant::now();
        self.signal("TERM");
        Ok((self.child.wait()?, begun.elapsed()))
    }

    /// Waits until `done` says what it found.
    ///
    /// # Panics
    ///
    /// If the program ends, or takes too long.
    pub fn wait_for<T>(&mut self, what: &str, mut done: impl FnMut() -> Option<T>) -> T {
        self.look_for(what, |_| done()).unwrap_or_else(|trouble| panic!("{trouble}"))
    }

    /// Waits until `found` finds something in what the program says or does.
    ///
    /// # Errors
    ///
    /// What the program said, if it ends, or takes too long.
    ///
    /// # Panics
    ///
    /// If it cannot be waited for.
    pub fn look_for<T>(
        &mut self,
        what: &str,
        mut found: impl FnMut(&Program) -> Option<T>,
    ) -> Result<T, String> {
        let begun = Instant::now();
        loop {
            // Before the look, so that nothing is missed that it said last.
            let ended = self.child.try_wait().expect("a program can be waited for");
            if let Some(found) = found(self) {
                return Ok(found);
            }
            if ended.is_some() || begun.elapsed() > LIMIT {
                let why =
                    ended.map_or_else(|| "takes too long".to_owned(), |status| format!("ended, {status}"));
                let (name, printed, said) = (&self.name, self.printed(), self.said());
                return Err(format!("{name}: {what}: {why}; it said:\n{printed}{said}"));
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

    fn shell(script: &str) -> Program {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        Program::start(command, Folder::new())
    }

    #[test]
    fn a_program_that_has_ended_is_not_waited_for_and_its_last_words_are_told() {
        let mut program = shell("echo here; echo 'no room' >&2; exit 3");
        let begun = Instant::now();
        let trouble = program.look_for("its address", |_| None::<()>).unwrap_err();
        assert!(begun.elapsed() < LIMIT);
        assert_eq!(trouble, "sh: its address: ended, exit status: 3; it said:\nhere\nno room\n");
        // What it said before it ended counts.
        assert_eq!(program.look_for("a word", |program| program.printed().find("here")), Ok(0));
        assert_eq!(program.said(), "no room\n");
        assert!(!program.runs());
    }

    #[test]
    fn a_program_is_asked_to_end_and_says_how_it_did() {
        let mut program = shell("trap 'exit 7' TERM; echo ready; while :; do sleep 0.01; done");
        program.look_for("ready", |program| program.printed().contains("ready").then_some(())).unwrap();
        assert!(program.runs());
        assert_eq!(program.end().unwrap().0.code(), Some(7));
    }

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
