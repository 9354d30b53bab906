//! The router as a running program.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use conformance::http;
use conformance::program::Folder;

use super::{Page, Yaml, until};

/// A running router; killed if the test ends before it does.
pub(crate) struct Router {
    child: Child,
    pub(crate) gateway: String,
    admin: String,
    folder: Folder,
    /// The name of its file.
    name: &'static str,
    /// What it wrote to standard error.
    said: Arc<Mutex<String>>,
}

impl Router {
    /// Runs on free ports with this configuration.
    pub(crate) fn start(yaml: &Yaml) -> Router {
        Router::start_with(yaml, &[])
    }

    /// The same with variables.
    pub(crate) fn start_with(yaml: &Yaml, variables: &[(&str, &str)]) -> Router {
        Router::start_text(&yaml.text(), variables)
    }

    /// The same with this text for a configuration.
    pub(crate) fn start_text(text: &str, variables: &[(&str, &str)]) -> Router {
        Router::start_file("router.yaml", text, variables)
    }

    /// The same in a file of this name.
    pub(crate) fn start_file(name: &'static str, text: &str, variables: &[(&str, &str)]) -> Router {
        let folder = Folder::new();
        let mut command = command(&folder.write(name, text), [ANYWHERE; 2], variables);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
        let said = Arc::<Mutex<String>>::default();
        let (stderr, to) = (child.stderr.take().expect("piped"), Arc::clone(&said));
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                let mut to = to.lock().unwrap_or_else(PoisonError::into_inner);
                to.push_str(&line);
                to.push('\n');
            }
        });
        let mut line = String::new();
        let mut stdout = BufReader::new(child.stdout.take().expect("piped"));
        stdout.read_line(&mut line).expect("it says where it is");
        std::thread::spawn(move || stdout.read_to_end(&mut Vec::new()));
        let addresses = line.trim().strip_prefix("router: ").and_then(|rest| rest.split_once(" admin "));
        let (gateway, admin) = addresses.unwrap_or_else(|| {
            // What it says instead comes on the other pipe.
            let said = until("why it does not start", || {
                Some(said.lock().unwrap().clone()).filter(|said| !said.is_empty())
            });
            panic!("{line:?} {said}")
        });
        Router { gateway: gateway.to_owned(), admin: admin.to_owned(), child, folder, name, said }
    }

    /// Sends a request, and returns the status of the answer.
    pub(crate) fn get(&self, path: &str) -> u16 {
        let url = format!("{}{path}", self.gateway);
        http::ask(&url, "GET", "", b"").expect("an answer").0
    }

    /// The same in the name of an operation.
    pub(crate) fn ask_for(&self, path: &str, operation: &str) -> u16 {
        let url = format!("{}{path}", self.gateway);
        http::ask(&url, "GET", &format!("x-operation: {operation}\r\n"), b"").expect("an answer").0
    }

    /// Sends a request, and goes away so much later without an answer.
    pub(crate) fn break_off(&self, path: &str, after: Duration) {
        let address = self.gateway.trim_start_matches("http://");
        let mut stream = std::net::TcpStream::connect(address).expect("it listens");
        let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nx-operation: GetUser\r\n\r\n");
        stream.write_all(request.as_bytes()).expect("it reads");
        stream.set_read_timeout(Some(after)).expect("a time");
        let read = stream.read(&mut [0]);
        assert!(read.is_err(), "there is no answer yet: {read:?}");
    }

    /// Where the page is, as the program says.
    pub(crate) fn page_url(&self) -> String {
        until("the address of the page", || {
            let said = self.said();
            let (_, rest) = said.rsplit_once("metrics http://")?;
            Some(format!("http://{}", rest.split_whitespace().next()?))
        })
    }

    /// The page.
    pub(crate) fn page(&self) -> Page {
        Page(String::from_utf8(http::get(&self.page_url())).expect("UTF-8"))
    }

    /// Any request for the page: status, head, body.
    pub(crate) fn ask_page(&self, method: &str, headers: &str) -> (u16, String, Vec<u8>) {
        http::ask(&self.page_url(), method, headers, b"").expect("an answer")
    }

    /// Writes another configuration.
    pub(crate) fn write(&self, yaml: &Yaml) {
        self.write_text(&yaml.text());
    }

    /// The same with this text.
    pub(crate) fn write_text(&self, text: &str) {
        self.folder.write(self.name, text);
    }

    /// Writes another configuration and asks for it: the status and the text of the answer.
    pub(crate) fn reload(&self, yaml: &Yaml) -> (u16, String) {
        self.reload_text(&yaml.text())
    }

    /// The same with this text for a configuration.
    pub(crate) fn reload_text(&self, text: &str) -> (u16, String) {
        self.write_text(text);
        let url = format!("{}/-/reload", self.admin);
        let (status, _, body) = http::ask(&url, "POST", "", b"").expect("an answer");
        (status, String::from_utf8(body).expect("UTF-8"))
    }

    /// The same, which must succeed.
    pub(crate) fn reloaded(&self, yaml: &Yaml) {
        let (status, text) = self.reload(yaml);
        assert_eq!(status, 200, "{text}");
    }

    /// What it wrote to standard error so far.
    pub(crate) fn said(&self) -> String {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How many threads it has.
    pub(crate) fn threads(&self) -> usize {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.child.id()));
        tasks.expect("a running process").count()
    }

    /// How many connections it holds, by the URL of who is at the other end.
    pub(crate) fn connections(&self) -> BTreeMap<String, usize> {
        let folder = format!("/proc/{}", self.child.id());
        let files = std::fs::read_dir(format!("{folder}/fd")).expect("a running process");
        let targets = files.filter_map(|file| std::fs::read_link(file.ok()?.path()).ok());
        let sockets: Vec<String> = targets.map(|target| target.display().to_string()).collect();
        let table = std::fs::read_to_string(format!("{folder}/net/tcp")).expect("a table of connections");
        let mut open = BTreeMap::new();
        for line in table.lines().skip(1) {
            let fields: Vec<&str> = line.split_whitespace().collect();
            // An established connection of ours.
            if fields[3] == "01" && sockets.contains(&format!("socket:[{}]", fields[9])) {
                let port =
                    fields[2].rsplit_once(':').and_then(|(_, port)| u16::from_str_radix(port, 16).ok());
                *open.entry(format!("http://127.0.0.1:{}", port.expect("a port"))).or_default() += 1;
            }
        }
        open
    }

    pub(crate) fn signal(&self, signal: &str) {
        let sent = Command::new("sh").args(["-c", &format!("kill -{signal} {}", self.child.id())]).status();
        assert!(sent.expect("sh runs").success());
    }

    /// Sends SIGTERM, and waits for the end: how it ended and how long that took.
    pub(crate) fn end(mut self) -> (ExitStatus, Duration, String) {
        let begun = Instant::now();
        self.signal("TERM");
        let status = self.child.wait().expect("it can be waited for");
        (status, begun.elapsed(), self.said())
    }
}

/// A port of loopback that is free.
pub(crate) const ANYWHERE: &str = "127.0.0.1:0";

/// Runs a router at these addresses, its own and the admin's, that does not get as far as saying where it is: whether it ended well, and what it said.
pub(crate) fn refused(text: &str, addresses: [&str; 2]) -> (bool, String) {
    let folder = Folder::new();
    let output = command(&folder.write("router.yaml", text), addresses, &[]).output().expect("it starts");
    (output.status.success(), String::from_utf8(output.stderr).expect("UTF-8"))
}

fn command(file: &str, [listen, admin]: [&str; 2], variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_router"));
    command.args(["--listen", listen, "--admin", admin, "--config", file]);
    // Those of OpenTelemetry that the tests run with do not count.
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("OTEL_")) {
        command.env_remove(name);
    }
    command.envs(variables.iter().copied()).stdin(Stdio::null());
    command
}

impl Drop for Router {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
