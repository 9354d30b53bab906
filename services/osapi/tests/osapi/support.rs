//! Components of the job server as running programs.

use std::fmt::Write;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use conformance::http;
use conformance::program::{Folder, until};
use serde_json::{Value, json};

/// What a configuration says that is for NATS at this address. Everything else is quick.
pub(crate) fn config(nats: &str) -> String {
    let (host, port) = nats.trim_start_matches("nats://").rsplit_once(':').expect("a port");
    format!(
        "nats: {{ server: {{ host: {host}, port: {port}, metrics: {{ port: 0 }} }} }}\n\
         controller: {{ port: 0, metrics: {{ port: 0 }} }}\n\
         job: {{ ack_wait_milliseconds: 1000, sleep_milliseconds: 2000, heartbeat_milliseconds: 250, ttl_milliseconds: 2000 }}\n"
    )
}

/// The same with metrics servers.
pub(crate) fn measured(nats: &str) -> String {
    let mut text = config(nats);
    text.push_str("telemetry: { metrics: { enabled: true } }\n");
    text
}

/// A running component; killed if the test ends before it does.
pub(crate) struct Osapi {
    child: Child,
    /// The API, of a controller.
    pub(crate) api: Option<String>,
    metrics: Option<String>,
    // Whoever says more finds a pipe.
    _said: BufReader<ChildStdout>,
    folder: Folder,
}

impl Osapi {
    /// Runs a component with this configuration and these variables.
    pub(crate) fn start(component: &str, config: &str, variables: &[(&str, &str)]) -> Osapi {
        let (mut child, folder) = spawn(component, config, variables);
        let mut stdout = BufReader::new(child.stdout.take().expect("piped"));
        let (said, api, metrics) = place(&mut stdout);
        assert_eq!(said, component);
        Osapi { child, api, metrics, _said: stdout, folder }
    }

    /// Runs all of them in one process: where the metrics servers of controller, agent and NATS are. What is returned asks the
    /// controller.
    pub(crate) fn start_all(config: &str, variables: &[(&str, &str)]) -> (Osapi, [String; 3]) {
        let (mut child, folder) = spawn("start", config, variables);
        let mut stdout = BufReader::new(child.stdout.take().expect("piped"));
        let places = [(); 3].map(|()| place(&mut stdout));
        let of = |name: &str| {
            let place = places.iter().find(|(component, ..)| component == name);
            place.cloned().expect("each says where it is")
        };
        let (_, api, metrics) = of("controller");
        let servers = ["controller", "agent", "nats"].map(|name| of(name).2.expect("it has metrics"));
        (Osapi { child, api, metrics, _said: stdout, folder }, servers)
    }

    /// An agent of this name.
    pub(crate) fn agent(name: &str, config: &str) -> Osapi {
        Osapi::start("agent", config, &[("OSAPI_AGENT_NAME", name), ("OSAPI_AGENT_METRICS_PORT", "0")])
    }

    /// What it wrote to standard error so far.
    pub(crate) fn said(&self) -> String {
        said(&self.folder)
    }

    /// Waits until a line on standard error has this part.
    pub(crate) fn line(&self, part: &str) -> String {
        until(part, || self.said().lines().find(|line| line.contains(part)).map(str::to_owned))
    }

    /// Where its metrics server is.
    pub(crate) fn metrics(&self) -> &str {
        self.metrics.as_deref().expect("it has a metrics server")
    }

    pub(crate) fn has_metrics(&self) -> bool {
        self.metrics.is_some()
    }

    /// The lines of its page that are no comments.
    pub(crate) fn page(&self) -> Vec<String> {
        self.page_at(self.metrics())
    }

    /// Those of the page of this server.
    pub(crate) fn page_at(&self, server: &str) -> Vec<String> {
        let page = String::from_utf8(http::get(&format!("{server}/metrics"))).expect("UTF-8");
        page.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
    }

    /// The value of a series, if it is there.
    pub(crate) fn value(&self, series: &str) -> Option<f64> {
        value_in(&self.page(), series)
    }

    /// Waits until a series has this value.
    pub(crate) fn wait_for(&self, series: &str, expected: f64) {
        until(&format!("{series} {expected}"), || (self.value(series) == Some(expected)).then_some(()));
    }

    /// What a probe at this path is told: the status and the JSON.
    pub(crate) fn probe(&self, path: &str) -> (u16, Value) {
        let (status, _, body) =
            http::ask(&format!("{}{path}", self.metrics()), "GET", "", b"").expect("an answer");
        (status, serde_json::from_slice(&body).expect("JSON"))
    }

    /// Asks the API.
    pub(crate) fn ask(&self, method: &str, path: &str, body: &str) -> (u16, Value) {
        let url = format!("{}{path}", self.api.as_ref().expect("a controller"));
        let (status, _, body) =
            http::ask(&url, method, "Content-Type: application/json\r\n", body.as_bytes())
                .expect("an answer");
        (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
    }

    /// Asks for a job, and returns its id.
    pub(crate) fn create(&self, op: &str) -> String {
        let (status, answer) = self.ask("POST", "/job", &json!({ "op": op }).to_string());
        assert_eq!(status, 201, "{answer}");
        answer["id"].as_str().expect("an id").to_owned()
    }

    /// Waits until a job is done: how it ended.
    pub(crate) fn done(&self, id: &str) -> Value {
        until(id, || {
            let (status, job) = self.ask("GET", &format!("/job/{id}"), "");
            assert_eq!(status, 200, "{job}");
            (job["status"] != "queued").then_some(job)
        })
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("sh").args(["-c", &format!("kill -{name} {}", self.child.id())]).status();
        assert!(sent.expect("sh runs").success());
    }

    /// Sends SIGTERM, and waits for the end: how it ended and how long that took.
    pub(crate) fn end(mut self) -> (ExitStatus, Duration) {
        let begun = Instant::now();
        self.signal("TERM");
        (self.child.wait().expect("it can be waited for"), begun.elapsed())
    }

    /// Ends it without a word.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("it runs");
    }
}

fn said(folder: &Folder) -> String {
    std::fs::read_to_string(folder.path().join("said")).expect("UTF-8")
}

/// Reads where a component is: its name, its API, its metrics server.
fn place(stdout: &mut BufReader<ChildStdout>) -> (String, Option<String>, Option<String>) {
    let mut line = String::new();
    stdout.read_line(&mut line).expect("it says where it is");
    let words: Vec<_> = line.trim_end().split(' ').collect();
    let ["osapi:", component, "api", api, "metrics", metrics] = words[..] else { panic!("{line}") };
    let said = |text: &str| (text != "none").then(|| text.to_owned());
    (component.to_owned(), said(api), said(metrics))
}

impl Drop for Osapi {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a component that does not get as far as saying where it is: how it ended, and what it said about it.
pub(crate) fn refused(component: &str, config: &str, variables: &[(&str, &str)]) -> (ExitStatus, String) {
    let (mut child, folder) = spawn(component, config, variables);
    (child.wait().expect("it ends"), said(&folder))
}

fn spawn(component: &str, config: &str, variables: &[(&str, &str)]) -> (Child, Folder) {
    let folder = Folder::new();
    let mut text = config.to_owned();
    writeln!(text, "# {component}").expect("a text");
    let path = folder.write("osapi.yaml", &text);
    let mut command = Command::new(env!("CARGO_BIN_EXE_osapi"));
    command.args(["--config", &path, component]);
    // Those that the tests run with do not count.
    for (name, _) in std::env::vars_os().filter(|(name, _)| {
        let name = name.to_string_lossy();
        name.starts_with("OTEL_") || name.starts_with("OSAPI_")
    }) {
        command.env_remove(name);
    }
    command.envs(variables.iter().copied());
    // Where NATS keeps what it stores, unless it is said.
    command.current_dir(folder.path());
    let said = File::create(folder.path().join("said")).expect("a file in a new folder");
    let piped = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(said);
    (piped.spawn().expect("the program starts"), folder)
}

/// The value of a series on a page.
pub(crate) fn value_in(page: &[String], series: &str) -> Option<f64> {
    let line = page.iter().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '))?;
    Some(line.parse().expect("a number"))
}
