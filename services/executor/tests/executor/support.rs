//! The executor as a running program, and what stands around it.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use conformance::http::{self, Answer};
use conformance::program::{Folder, until};
use serde_json::{Value, json};

/// A running executor; killed if the test ends before it does.
pub(crate) struct Executor {
    child: Child,
    pub(crate) url: String,
    folder: Folder,
}

impl Executor {
    /// Runs on a free port, with tools at `upstream`, variables, and a configuration file unless it is empty.
    pub(crate) fn start(upstream: &str, config: &str, variables: &[(&str, &str)]) -> Executor {
        let folder = Folder::new();
        let mut command = command(&folder, "127.0.0.1:0", upstream, config, variables);
        let said = File::create(folder.path().join("said")).expect("a file in a new folder");
        let mut child = command.stdout(Stdio::piped()).stderr(said).spawn().expect("the program starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("piped"))
            .read_line(&mut line)
            .expect("it says where it is");
        let url = line.trim().strip_prefix("executor: ").expect("it says where it is").to_owned();
        Executor { child, url, folder }
    }

    /// Runs one that cannot start: how it ended, and what it said.
    pub(crate) fn refused(listen: &str, config: &str, variables: &[(&str, &str)]) -> (ExitStatus, String) {
        let folder = Folder::new();
        let mut command = command(&folder, listen, "http://127.0.0.1:1/", config, variables);
        let ended = command.output().expect("the program starts");
        (ended.status, String::from_utf8(ended.stderr).expect("UTF-8"))
    }

    /// The names of its threads.
    pub(crate) fn threads(&self) -> Vec<String> {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.child.id())).expect("a running process");
        let name = |task: std::io::Result<std::fs::DirEntry>| {
            std::fs::read_to_string(task.ok()?.path().join("comm")).ok()
        };
        tasks.filter_map(name).map(|name| name.trim().to_owned()).collect()
    }

    /// What it wrote to standard error so far.
    pub(crate) fn said(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("said")).expect("UTF-8")
    }

    /// Waits until a line on standard error has this part.
    pub(crate) fn line(&self, part: &str) -> String {
        until(part, || self.said().lines().find(|line| line.contains(part)).map(str::to_owned))
    }

    /// Runs tools, as whoever has the token, and returns how it went.
    pub(crate) fn execute(&self, token: &str, trigger: &str, calls: &[&str]) -> Result<Value, u16> {
        let body = json!({ "trigger": trigger, "calls": calls }).to_string();
        let headers = format!("Content-Type: application/json\r\nAuthorization: Bearer {token}\r\n");
        let url = format!("{}/api/executions", self.url);
        let (status, _, body) = http::ask(&url, "POST", &headers, body.as_bytes()).expect("an answer");
        if status == 200 { Ok(serde_json::from_slice(&body).expect("JSON")) } else { Err(status) }
    }

    /// The page for whoever sends these headers: the head of the answer and the page.
    pub(crate) fn page(&self, headers: &str) -> (String, String) {
        let (status, head, body) = self.ask("GET", headers);
        assert_eq!(status, 200, "{head}{body}");
        (head, body)
    }

    /// Any request for the page.
    pub(crate) fn ask(&self, method: &str, headers: &str) -> (u16, String, String) {
        let url = format!("{}/api/metrics", self.url);
        let (status, head, body) = http::ask(&url, method, headers, b"").expect("an answer");
        (status, head, String::from_utf8(body).expect("UTF-8"))
    }

    /// Sends SIGTERM, and waits for the end: how it ended and how long that took.
    pub(crate) fn end(mut self) -> (ExitStatus, Duration) {
        let begun = Instant::now();
        let sent = Command::new("sh").args(["-c", &format!("kill -TERM {}", self.child.id())]).status();
        assert!(sent.expect("sh runs").success());
        let status = self.child.wait().expect("it can be waited for");
        (status, begun.elapsed())
    }
}

fn command(
    folder: &Folder,
    listen: &str,
    upstream: &str,
    config: &str,
    variables: &[(&str, &str)],
) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_executor"));
    command.args(["--listen", listen, "--upstream", upstream]);
    if !config.is_empty() {
        command.args(["--config", &folder.write("executor.toml", config)]);
    }
    // Those of OpenTelemetry that the tests run with do not count.
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("OTEL_")) {
        command.env_remove(name);
    }
    command.envs(variables.iter().copied()).stdin(Stdio::null());
    command
}

impl Drop for Executor {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Tools that answer with 10 bytes.
pub(crate) fn tools() -> String {
    tools_but("")
}

/// Such tools, of which one answers with 502.
pub(crate) fn tools_but(broken: &'static str) -> String {
    http::serve(move |request| {
        let call: Value = serde_json::from_slice(&request.body).expect("a call as JSON");
        if call["tool"] == broken {
            Answer::status(502, "")
        } else {
            Answer::ok("application/json", "[1, 2, 34]")
        }
    })
}
