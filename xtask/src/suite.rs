//! The tests of all members: run, watched and counted.

use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::Duration;

use crate::arguments::TestOptions;
use crate::cargo;
use crate::report::Outcome;
use crate::services;
use crate::skipped::{self, Skipped};
use crate::tally::Tally;
use crate::workspace::Workspace;

/// Set for the tests under `--long`: run soaks in full.
const LONG: &str = "METERCAST_LONG";

/// How long the output may be silent before we look whether the run is over.
const PAUSE: Duration = Duration::from_secs(1);

/// Runs `cargo test` and counts; its output passes through as it comes.
pub(crate) fn run(workspace: &Workspace, options: &TestOptions) -> Outcome {
    let skipped = match Skipped::begin(workspace.target()) {
        Ok(skipped) => skipped,
        Err(trouble) => return Outcome::of(vec![trouble]),
    };
    let mut command =
        cargo::command(workspace, &["test", "--workspace", "--all-features", "--locked", "--no-fail-fast"]);
    command.env("PATH", services::path_for_tests()).env(skipped::FILE, skipped.path());
    // The options alone decide: a variable left in somebody's shell must not skip tests.
    for (name, on) in [(skipped::WITHOUT_SERVICES, options.without_services), (LONG, options.long)] {
        if on {
            command.env(name, "1")
        } else {
            command.env_remove(name)
        };
    }
    let line = cargo::line_of(&command);
    let mut child = match command.stdout(Stdio::piped()).spawn() {
        Ok(child) => child,
        Err(error) => return Outcome::of(vec![cargo::cannot_start(&line, &error)]),
    };
    let mut tally = Tally::default();
    let mut troubles = Vec::new();
    let lines = child.stdout.take().map(read_lines);
    if let Some(lines) = lines
        && !watch(&lines, PAUSE, &mut tally, || matches!(child.try_wait(), Ok(None)))
    {
        troubles.push(
            "a program that a test started still runs and holds the tests' output open; stop it in the test"
                .to_owned(),
        );
    }
    tally.end();
    match child.wait() {
        Ok(status) if status.success() => {}
        Ok(status) => troubles.push(format!("`{line}` ended with {status}")),
        Err(error) => troubles.push(format!("`{line}` could not be waited for: {error}")),
    }
    let names = skipped.read().unwrap_or_else(|trouble| {
        troubles.push(trouble);
        Vec::new()
    });
    conclude(&tally, &names, options.without_services, troubles)
}

/// Counts one run: a skipped test came back as passed, since the harness knows no third result.
fn conclude(tally: &Tally, skipped: &[String], may_skip: bool, mut troubles: Vec<String>) -> Outcome {
    for name in skipped {
        println!("skipped: {name}");
    }
    for name in &tally.ignores {
        println!("ignored: {name}");
    }
    if !skipped.is_empty() && !may_skip {
        let names = skipped.join(", ");
        troubles.push(format!("skipped without being asked to by --without-services: {names}"));
    }
    if tally.broken > 0 {
        let broken = tally.broken;
        troubles.push(format!(
            "{broken} test binaries ended without a result line: a crash, an abort or a signal"
        ));
    }
    if tally.passed + tally.failed == 0 {
        troubles.push("no test ran".to_owned());
    }
    troubles.extend(tally.failures.iter().map(|name| format!("{name} failed")));
    let failed = tally.failed + tally.broken;
    Outcome {
        passed: tally.passed.saturating_sub(skipped.len()),
        // Whatever else is wrong, such as code that does not compile, is one failure.
        failed: if troubles.is_empty() { failed } else { failed.max(1) },
        skipped: skipped.len() + tally.ignored,
        troubles,
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

/// Prints and tallies lines until the output ends, and says whether it did end with the program.
fn watch(
    lines: &Receiver<String>,
    pause: Duration,
    tally: &mut Tally,
    mut runs: impl FnMut() -> bool,
) -> bool {
    loop {
        match lines.recv_timeout(pause) {
            Ok(line) => {
                println!("{line}");
                tally.read(&line);
            }
            Err(RecvTimeoutError::Disconnected) => return true,
            Err(RecvTimeoutError::Timeout) if runs() => {}
            Err(RecvTimeoutError::Timeout) => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(passed: usize, failed: usize) -> Tally {
        let mut tally = Tally::default();
        tally.read("running 9 tests");
        tally.read(&format!("test result: done. {passed} passed; {failed} failed; 0 ignored"));
        tally
    }

    #[test]
    fn skipped_tests_are_taken_from_the_passed_ones() {
        let names = ["scrapes: prometheus".to_owned()];
        let outcome = conclude(&tally(10, 0), &names, true, Vec::new());
        assert_eq!(outcome, Outcome { passed: 9, failed: 0, skipped: 1, troubles: Vec::new() });
    }

    #[test]
    fn a_test_may_not_skip_itself_unasked() {
        let names = ["scrapes: prometheus".to_owned()];
        let outcome = conclude(&tally(10, 0), &names, false, Vec::new());
        assert_eq!(outcome.failed, 1);
        assert!(outcome.troubles[0].ends_with("scrapes: prometheus"), "{:?}", outcome.troubles);
    }

    #[test]
    fn failures_crashes_and_empty_runs_never_pass() {
        assert_eq!(conclude(&tally(1, 2), &[], false, Vec::new()).failed, 2);
        assert_eq!(conclude(&tally(0, 0), &[], false, Vec::new()).failed, 1);
        let mut crashed = tally(1, 2);
        crashed.read("running 1 test");
        crashed.end();
        assert_eq!(conclude(&crashed, &[], false, vec!["cargo ended with 101".to_owned()]).failed, 3);
        assert_eq!(conclude(&tally(1, 0), &[], false, vec!["cargo ended with 101".to_owned()]).failed, 1);
    }

    #[test]
    fn output_is_read_to_its_end() {
        let text = "running 1 test\ntest a ... ok\ntest result: ok. 1 passed; 0 failed; 0 ignored";
        let mut tally = Tally::default();
        assert!(watch(&read_lines(text.as_bytes()), PAUSE, &mut tally, || true));
        assert_eq!(tally.passed, 1);
    }

    #[test]
    fn an_output_that_outlives_the_program_does_not_hang_the_run() {
        let (_held_open, lines) = mpsc::channel();
        assert!(!watch(&lines, Duration::ZERO, &mut Tally::default(), || false));
    }
}
