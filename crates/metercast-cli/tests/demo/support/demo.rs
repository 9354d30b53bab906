//! The demo as a running program.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};

use serde_json::Value;

use super::{DEADLINE, Series, until};

/// A running demo; killed if the test ends before it does.
pub(crate) struct Demo {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: Receiver<String>,
    stderr: Receiver<String>,
    said: Vec<String>,
}

/// How it ended, with all that it printed.
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: Vec<String>,
    pub(crate) stderr: Vec<String>,
}

/// The last line of `--json`, and the values that were sent, which `--hold` prints before it.
pub(crate) struct Result {
    pub(crate) summary: Value,
    pub(crate) sent: Series,
}

impl Demo {
    /// Runs `metercast demo` on free ports.
    pub(crate) fn start(arguments: &[&str]) -> Demo {
        Demo::start_with(arguments, &[])
    }

    /// The same with variables; those of OpenTelemetry that the tests run with do not count.
    pub(crate) fn start_with(arguments: &[&str], variables: &[(&str, &str)]) -> Demo {
        let mut command = Command::new(env!("CARGO_BIN_EXE_metercast"));
        command.arg("demo").args(arguments);
        for (option, free) in [("--listen", "127.0.0.1:0"), ("--admin", "127.0.0.1:0")] {
            if !arguments.contains(&option) && !arguments.contains(&"--config") {
                command.args([option, free]);
            }
        }
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("OTEL_")) {
            command.env_remove(name);
        }
        command.envs(variables.iter().copied());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program starts");
        Demo {
            stdin: child.stdin.take(),
            stdout: lines(child.stdout.take().expect("piped")),
            stderr: lines(child.stderr.take().expect("piped")),
            child,
            said: Vec::new(),
        }
    }

    /// What stands on standard error behind `label` where the demo says where things are; with `--json` it does.
    pub(crate) fn place(&mut self, label: &str) -> String {
        until(label, || {
            self.said.extend(self.stderr.try_iter());
            let line = self.said.iter().find_map(|line| line.strip_prefix(label))?;
            line.split_whitespace().next().map(str::to_owned)
        })
    }

    /// Waits until so many requests were sent, as the progress says.
    pub(crate) fn wait_for_progress(&mut self) {
        until("progress", || {
            self.said.extend(self.stderr.try_iter());
            self.said.iter().any(|line| line.contains(" requests ")).then_some(())
        });
    }

    /// Waits for the result of `--json --hold`.
    pub(crate) fn result(&mut self) -> Result {
        let mut sent = Series::new();
        loop {
            let Ok(line) = self.stdout.recv_timeout(DEADLINE) else {
                panic!("no result; {}", self.stderr.try_iter().collect::<Vec<_>>().join("\n"));
            };
            let value: Value = serde_json::from_str(&line).expect("a line of JSON");
            let Some(sample) = value["sample"].as_str() else { return Result { summary: value, sent } };
            let labels: BTreeMap<String, String> =
                serde_json::from_value(value["labels"].clone()).expect("texts");
            let known = sent.insert((sample.to_owned(), labels), value["value"].as_f64().expect("a number"));
            assert_eq!(known, None, "{line} was there before");
        }
    }

    /// The number of its process.
    #[cfg(target_os = "linux")]
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal, such as `TERM`.
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("sh").args(["-c", &format!("kill -{name} {}", self.child.id())]).status();
        assert!(sent.expect("sh runs").success());
    }

    /// Closes standard input, which ends `--hold`, and waits for the end.
    pub(crate) fn end(mut self) -> Ended {
        drop(self.stdin.take());
        let status = until("the end of the demo", || self.child.try_wait().expect("it can be waited for"));
        let mut stderr = std::mem::take(&mut self.said);
        stderr.extend(self.stderr.iter());
        Ended { status, stdout: self.stdout.iter().collect(), stderr }
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Ended {
    /// The one line on standard output.
    pub(crate) fn summary(&self) -> Value {
        assert_eq!(self.stdout.len(), 1, "{:?}", self.stdout);
        serde_json::from_str(&self.stdout[0]).expect("a line of JSON")
    }

    /// Standard error as one text.
    pub(crate) fn trouble(&self) -> String {
        self.stderr.join("\n")
    }
}

fn lines(output: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(std::result::Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
}
