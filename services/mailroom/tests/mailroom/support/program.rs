//! The mailroom as a running program.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use conformance::program::Folder;
use mailroom::{Error, Measuring, Settings};
use metercast_tower::Store;

use super::{Authority, Client, until};

/// A running mailroom; killed if the test ends before it does.
pub(crate) struct Mailroom {
    child: Child,
    authority: Authority,
    /// `host:port`.
    pub(crate) address: String,
    /// What it wrote to standard error.
    said: Arc<Mutex<String>>,
    folder: Folder,
}

impl Mailroom {
    /// Runs encrypted, on a free port, with this configuration and these variables.
    pub(crate) fn start(config: &str, variables: &[(&str, &str)]) -> Mailroom {
        let (folder, authority) = (Folder::new(), Authority::new());
        let mut child = command(&folder, &authority, config, variables).spawn().expect("it starts");
        let said = listen(&mut child);
        let mut line = String::new();
        let mut stdout = BufReader::new(child.stdout.take().expect("piped"));
        stdout.read_line(&mut line).expect("it says where it is");
        let Some(address) = line.trim().strip_prefix("mailroom: https://") else {
            let why = until("why it does not start", || Some(said_of(&said)).filter(|said| !said.is_empty()));
            panic!("{line:?} {why}")
        };
        Mailroom { address: address.to_owned(), child, authority, said, folder }
    }

    /// Runs one that cannot start: how it ended, and what it said.
    pub(crate) fn refused(config: &str, variables: &[(&str, &str)]) -> (ExitStatus, String) {
        let (folder, authority) = (Folder::new(), Authority::new());
        let mut child = command(&folder, &authority, config, variables).spawn().expect("it starts");
        let said = listen(&mut child);
        let began = Instant::now();
        let status = loop {
            match child.try_wait().expect("it can be waited for") {
                Some(status) => break status,
                None if began.elapsed() < Duration::from_secs(30) => {
                    std::thread::sleep(Duration::from_millis(20));
                }
                None => {
                    let _ = child.kill();
                    break child.wait().expect("it can be waited for");
                }
            }
        };
        // What it said last may be on its way.
        let said = until("why it ended", || Some(said_of(&said)).filter(|said| !said.is_empty()));
        (status, said)
    }

    /// A connection to it.
    pub(crate) fn connect(&self) -> Client {
        Client::connect(&self.address, &self.authority)
    }

    /// Sends a request on a connection of its own: the status of the answer and its body.
    pub(crate) fn ask(&self, method: &str, path: &str, body: &str) -> (u16, String) {
        let mut client = self.connect();
        client.send(method, path, "", body);
        client.answer().expect("an answer")
    }

    /// What it wrote to standard error so far.
    pub(crate) fn said(&self) -> String {
        said_of(&self.said)
    }

    /// How many threads it has.
    pub(crate) fn threads(&self) -> Vec<String> {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.child.id())).expect("a running process");
        let name = |task: std::io::Result<std::fs::DirEntry>| {
            std::fs::read_to_string(task.ok()?.path().join("comm")).ok()
        };
        tasks.filter_map(name).map(|name| name.trim().to_owned()).collect()
    }

    /// Whether all of its threads stand still, as they do some time after SIGSTOP.
    pub(crate) fn stands_still(&self) -> bool {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.child.id())).expect("a running process");
        let is_stopped = |task: std::io::Result<std::fs::DirEntry>| {
            let stat = std::fs::read_to_string(task.ok()?.path().join("stat")).ok()?;
            Some(stat.rsplit_once(") ")?.1.starts_with('T'))
        };
        tasks.map(is_stopped).all(|is_stopped| is_stopped == Some(true))
    }

    /// The folder of its storage.
    pub(crate) fn storage(&self) -> PathBuf {
        self.folder.path().join("storage")
    }

    /// The names of the files in its storage.
    pub(crate) fn files(&self) -> Vec<String> {
        let files = std::fs::read_dir(self.storage()).expect("a folder");
        let mut files: Vec<String> =
            files.map(|file| file.expect("a file").file_name().into_string().expect("UTF-8")).collect();
        files.sort();
        files
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("sh").args(["-c", &format!("kill -{name} {}", self.child.id())]).status();
        assert!(sent.expect("sh runs").success());
    }

    /// Sends SIGTERM, and waits for the end: how it ended, how long that took, and what it said.
    pub(crate) fn end(mut self) -> (ExitStatus, Duration, String) {
        let begun = Instant::now();
        self.signal("TERM");
        let status = self.child.wait().expect("it can be waited for");
        (status, begun.elapsed(), self.said())
    }
}

impl Drop for Mailroom {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn command(folder: &Folder, authority: &Authority, config: &str, variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mailroom"));
    command.args(["--config", &folder.write("config.toml", config)]);
    // Those that the tests run with do not count.
    let is_ours = |name: &str| name.starts_with("OTEL_") || name.starts_with("PJ_");
    for (name, _) in std::env::vars_os().filter(|(name, _)| is_ours(&name.to_string_lossy())) {
        command.env_remove(name);
    }
    let certificate = folder.write("certificate.pem", &authority.certificate);
    let key = folder.write("key.pem", &authority.key);
    command.env("PJ_LISTENER", "127.0.0.1:0").env("PJ_STORAGE", folder.path().join("storage"));
    command.env("PJ_TLS__CERTIFICATE", certificate).env("PJ_TLS__KEY", key);
    command.envs(variables.iter().copied());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Takes along what it writes to standard error.
fn listen(child: &mut Child) -> Arc<Mutex<String>> {
    let said = Arc::<Mutex<String>>::default();
    let (stderr, to) = (child.stderr.take().expect("piped"), Arc::clone(&said));
    std::thread::spawn(move || {
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            let mut to = to.lock().unwrap_or_else(PoisonError::into_inner);
            to.push_str(&line);
            to.push('\n');
        }
    });
    said
}

fn said_of(said: &Mutex<String>) -> String {
    said.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// Runs a mailroom in this process and in this store, as long as `act` does, which gets its URL. Then it ends as on SIGTERM; the error is
/// what could not be delivered.
pub(crate) fn run(settings: &Settings, store: &Store, act: impl FnOnce(&str)) -> Result<(), Error> {
    let measuring = Measuring::start(settings, store).expect("settings");
    let (said_where, is_at) = std::sync::mpsc::channel();
    let (end, ended) = tokio::sync::oneshot::channel::<()>();
    std::thread::scope(|scope| {
        let measuring = &measuring;
        let serving = scope.spawn(move || {
            // All of its tasks are on this thread, and so in this store.
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            let ready = |url: &str| said_where.send(url.to_owned()).expect("the test waits");
            let ended = async { drop(ended.await) };
            store.scope(|| runtime.block_on(mailroom::serve(settings, measuring, ready, ended)))
        });
        act(&is_at.recv().expect("it serves"));
        end.send(()).expect("it serves");
        serving.join().expect("no panic")
    })?;
    measuring.shutdown()
}

/// The settings of a mailroom in this process, on a free port and not encrypted.
pub(crate) fn settings(folder: &Folder, config: &str) -> Settings {
    let file = folder.write("config.toml", config);
    let storage = folder.path().join("storage").display().to_string();
    let variables = [("PJ_LISTENER", "127.0.0.1:0".to_owned()), ("PJ_STORAGE", storage)];
    let variables: BTreeMap<String, String> =
        variables.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    Settings::read(Some(file.as_ref()), variables).expect("settings")
}
