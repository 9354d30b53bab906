//! The relay as a running program.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use conformance::http;

use super::{Page, Services};

/// A running relay; killed if the test ends before it does.
pub(crate) struct Relay {
    child: Child,
    pub(crate) clients: String,
    pub(crate) health: String,
    pub(crate) metrics: String,
    /// What it has logged.
    logged: Arc<Mutex<Vec<String>>>,
}

impl Relay {
    /// Runs on free ports, without a time of grace, unless the variables say otherwise.
    pub(crate) fn start(services: &Services, variables: &[(&str, &str)]) -> Relay {
        let mut command = command(services, variables);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
        let (logged, stderr) = (Arc::<Mutex<Vec<_>>>::default(), child.stderr.take().expect("piped"));
        thread::spawn({
            let logged = Arc::clone(&logged);
            move || {
                BufReader::new(stderr)
                    .lines()
                    .map_while(Result::ok)
                    .for_each(|line| logged.lock().expect("a log").push(line));
            }
        });
        let mut line = String::new();
        let mut stdout = BufReader::new(child.stdout.take().expect("piped"));
        stdout.read_line(&mut line).expect("it says where it is");
        let words: Vec<&str> = line.split_whitespace().collect();
        let ["relay:", clients, "health", health, "metrics", metrics] = words[..] else { panic!("{line:?}") };
        let [clients, health, metrics] = [clients, health, metrics].map(str::to_owned);
        Relay { child, clients, health, metrics, logged }
    }

    /// Runs one that cannot start: how it ended, and what it said.
    pub(crate) fn refused(services: &Services, variables: &[(&str, &str)]) -> (ExitStatus, String) {
        let mut child = command(services, variables).stderr(Stdio::piped()).spawn().expect("it starts");
        let mut said = String::new();
        child.stderr.take().expect("piped").read_to_string(&mut said).expect("UTF-8");
        (child.wait().expect("it can be waited for"), said)
    }

    /// Sends a request to where clients are, and returns the status of the answer.
    pub(crate) fn ask(&self, method: &str, path: &str, headers: &str) -> u16 {
        let url = format!("{}{path}", self.clients);
        http::ask(&url, method, headers, b"").expect("an answer").0
    }

    /// The status of its health.
    pub(crate) fn healthy(&self, path: &str) -> u16 {
        http::ask(&format!("{}{path}", self.health), "GET", "", b"").expect("an answer").0
    }

    /// What it serves to scrapers.
    pub(crate) fn page(&self) -> Page {
        Page(String::from_utf8(http::get(&self.metrics)).expect("UTF-8"))
    }

    /// The lines that it has logged so far.
    pub(crate) fn logged(&self) -> Vec<String> {
        self.logged.lock().expect("a log").clone()
    }

    pub(crate) fn signal(&self, signal: &str) {
        let sent = Command::new("sh").args(["-c", &format!("kill -{signal} {}", self.child.id())]).status();
        assert!(sent.expect("sh runs").success());
    }

    /// Waits for the end: how it ended, and how long that took.
    pub(crate) fn ended(mut self) -> (ExitStatus, Duration) {
        let begun = Instant::now();
        let status = self.child.wait().expect("it can be waited for");
        (status, begun.elapsed())
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn command(services: &Services, variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_relay"));
    // Those that the tests run with do not count.
    let is_ours = |name: &str| name.starts_with("OTEL_") || name.starts_with("BUZZ_");
    for (name, _) in std::env::vars_os().filter(|(name, _)| is_ours(&name.to_string_lossy())) {
        command.env_remove(name);
    }
    command.env("BUZZ_HOST", "127.0.0.1").env("BUZZ_SHUTDOWN_GRACE_SECS", "0");
    command.envs(["BUZZ_PORT", "BUZZ_HEALTH_PORT", "BUZZ_METRICS_PORT"].map(|port| (port, "0")));
    command.envs(services.variables()).envs(variables.iter().copied()).stdin(Stdio::null());
    command
}
