//! One test program: how cargo says that it has built it, and its run.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::Duration;

use crate::cargo;
use crate::tally::Tally;
use crate::workspace::Workspace;
use serde_json::Value;

/// How long the output may be silent before we look whether the run is over.
const PAUSE: Duration = Duration::from_secs(1);

/// A test program that waits to be run.
pub(super) struct Program {
    /// Its package and its file.
    pub(super) name: String,
    /// What a person types to run it alone.
    pub(super) again: String,
    pub(super) command: Command,
}

/// What a run came to.
pub(super) struct Ended {
    pub(super) lines: Vec<String>,
    pub(super) tally: Tally,
    pub(super) troubles: Vec<String>,
}

/// Builds the tests of all members, and asks cargo where they are.
pub(super) fn build(workspace: &Workspace, all: &[&str]) -> Result<VecDeque<Program>, String> {
    let mut command = cargo::command(workspace, all);
    command.args(["--no-run", "--message-format=json-render-diagnostics"]);
    let line = cargo::line_of(&command);
    let output =
        command.stderr(Stdio::inherit()).output().map_err(|error| cargo::cannot_start(&line, &error))?;
    if !output.status.success() {
        return Err(format!("`{line}` ended with {}; mend what it names above", output.status));
    }
    let mut built = Vec::new();
    for message in String::from_utf8_lossy(&output.stdout).lines().filter(|line| line.starts_with('{')) {
        let message =
            serde_json::from_str::<Value>(message).map_err(|trouble| format!("`{line}`: {trouble}"))?;
        built.extend(Built::of(&message));
    }
    // Cargo says them in the order in which they became ready.
    built.sort();
    Ok(built.into_iter().map(|built| built.program(workspace)).collect())
}

/// What cargo says of a test program.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Built {
    manifest: PathBuf,
    source: PathBuf,
    /// As cargo names it on its command line: `--lib`, `--bin NAME` or `--test NAME`.
    option: String,
    executable: PathBuf,
}

impl Built {
    /// Nothing where the message is of something else, such as a program that tests start.
    fn of(message: &Value) -> Option<Built> {
        let text = |json: &Value, key| json.get(key).and_then(Value::as_str).map(str::to_owned);
        if message.get("profile")?.get("test")? != &Value::Bool(true) {
            return None;
        }
        let target = message.get("target")?;
        let option = match target.get("kind")?.as_array()?.first()?.as_str()? {
            kind @ ("bin" | "test" | "example" | "bench") => format!("--{kind} {}", text(target, "name")?),
            _ => "--lib".to_owned(),
        };
        Some(Built {
            manifest: text(message, "manifest_path")?.into(),
            source: text(target, "src_path")?.into(),
            option,
            executable: text(message, "executable")?.into(),
        })
    }

    fn program(self, workspace: &Workspace) -> Program {
        let folder = self.manifest.parent().unwrap_or(Path::new("."));
        let package = workspace.packages().iter().find(|package| package.manifest == self.manifest);
        let package = package.map_or("", |package| &package.name);
        let file = self.source.strip_prefix(folder).unwrap_or(&self.source);
        let mut command = Command::new(&self.executable);
        // As cargo starts it.
        command.current_dir(folder).env("CARGO_MANIFEST_DIR", folder);
        Program {
            name: format!("{package} {}", file.display()),
            again: format!("cargo test -p {package} --all-features {}", self.option),
            command,
        }
    }
}

impl Program {
    /// Those of all members, which cargo runs.
    pub(super) fn doctests(workspace: &Workspace, all: &[&str]) -> Program {
        let mut command = cargo::command(workspace, all);
        command.args(["--doc", "--no-fail-fast"]);
        Program { name: "doctests".to_owned(), again: cargo::line_of(&command), command }
    }

    /// Runs it to its end; what it says on standard error passes through.
    pub(super) fn run(&mut self) -> Ended {
        let mut ended = Ended { lines: Vec::new(), tally: Tally::default(), troubles: Vec::new() };
        let Program { name, again, command } = self;
        let mut child = match command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn() {
            Ok(child) => child,
            Err(error) => {
                ended.troubles.push(format!("{name} cannot be started: {error}"));
                return ended;
            }
        };
        if let Some(output) = child.stdout.take() {
            let said = |line: String| {
                // The harness names a test that hangs, which nobody would see at the end.
                if line.contains(" has been running for over ") {
                    println!("{name}: {line}");
                }
                ended.tally.read(&line);
                ended.lines.push(line);
            };
            if !watch(&read_lines(output), PAUSE, said, || matches!(child.try_wait(), Ok(None))) {
                ended.troubles.push(format!(
                    "{name}: a program that a test started still runs and holds the tests' output open; stop it in the test"
                ));
            }
        }
        ended.tally.end();
        match child.wait() {
            Ok(status) if status.success() => {}
            Ok(status) => ended.troubles.push(format!("{name} ended with {status}; `{again}` runs it again")),
            Err(error) => ended.troubles.push(format!("{name} could not be waited for: {error}")),
        }
        ended
    }
}

/// Reads lines on a thread of its own, so that the end of the run does not depend on who else holds the pipe.
fn read_lines(output: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(output).split(b'\n') {
            let Ok(line) = line else { return };
            if sender.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                return;
            }
        }
    });
    receiver
}

/// Hands lines over until the output ends, and says whether it did end with the program.
fn watch(
    lines: &Receiver<String>,
    pause: Duration,
    mut said: impl FnMut(String),
    mut runs: impl FnMut() -> bool,
) -> bool {
    loop {
        match lines.recv_timeout(pause) {
            Ok(line) => said(line),
            Err(RecvTimeoutError::Disconnected) => return true,
            Err(RecvTimeoutError::Timeout) if runs() => {}
            Err(RecvTimeoutError::Timeout) => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: &str, test: bool) -> Value {
        let text = format!(
            r#"{{"reason": "compiler-artifact", "manifest_path": "/w/crates/a/Cargo.toml", "profile": {{"test": {test}}},
                "target": {{"kind": ["{kind}"], "name": "b", "src_path": "/w/crates/a/tests/b.rs"}}, "executable": "/w/t/b-1"}}"#
        );
        serde_json::from_str::<Value>(&text).unwrap()
    }

    #[test]
    fn a_test_program_is_found_among_what_cargo_says_and_run_where_cargo_would() {
        let program = Built::of(&message("test", true)).unwrap().program(&Workspace::at("/w", "/w/t"));
        assert!(program.name.ends_with(" tests/b.rs") && program.again.ends_with(" --all-features --test b"));
        assert_eq!(program.command.get_program(), "/w/t/b-1");
        assert_eq!(program.command.get_current_dir(), Some(Path::new("/w/crates/a")));
        assert_eq!(Built::of(&message("lib", true)).unwrap().option, "--lib");
    }

    #[test]
    fn what_is_no_test_program_is_left_alone() {
        assert_eq!(Built::of(&message("bin", false)), None);
        assert_eq!(
            Built::of(
                &serde_json::from_str::<Value>(r#"{"reason": "build-finished", "success": true}"#).unwrap()
            ),
            None
        );
    }

    #[test]
    fn output_is_read_to_its_end() {
        let text = "running 1 test\ntest a ... ok\ntest result: ok. 1 passed; 0 failed; 0 ignored";
        let mut found = Vec::new();
        assert!(watch(&read_lines(text.as_bytes()), PAUSE, |line| found.push(line), || true));
        assert_eq!(found.join("\n"), text);
    }

    #[test]
    fn an_output_that_outlives_the_program_does_not_hang_the_run() {
        let (_held_open, lines) = mpsc::channel();
        assert!(!watch(&lines, Duration::ZERO, |_| (), || false));
    }
}
