//! The tests of all members: built, run side by side, watched and counted.
//!
//! Much of what tests do is to wait: for a program that starts, for an end that takes its time. So as many test programs run at once as
//! there are processors, which cargo does not do. Under `--long` one at a time does, since soaks measure what they take.

mod program;

use std::collections::VecDeque;
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use crate::arguments::TestOptions;
use crate::report::Outcome;
use crate::services;
use crate::skipped::{self, Skipped};
use crate::tally::Tally;
use crate::workspace::Workspace;

use program::Program;

/// Set for the tests under `--long`: run soaks in full.
const LONG: &str = "METERCAST_LONG";

/// What all members are built with, whatever is run of them: other features would build everything anew.
const ALL: [&str; 4] = ["test", "--workspace", "--all-features", "--locked"];

/// Builds all tests, runs them with the doctests, and counts.
pub(crate) fn run(workspace: &Workspace, options: &TestOptions) -> Outcome {
    let skipped = match Skipped::begin(workspace.target()) {
        Ok(skipped) => skipped,
        Err(trouble) => return Outcome::of(vec![trouble]),
    };
    let mut programs = match program::build(workspace, &ALL) {
        Ok(programs) => programs,
        Err(trouble) => return Outcome::of(vec![trouble]),
    };
    // First, since it keeps a processor busy for the longest time.
    programs.push_front(Program::doctests(workspace, &ALL));
    let at_once = if options.long { 1 } else { std::thread::available_parallelism().map_or(1, usize::from) };
    let prepare = |command: &mut Command| {
        command.env("PATH", services::path_for_tests()).env(skipped::FILE, skipped.path());
        // The options alone decide: a variable left in somebody's shell must not skip tests.
        for (name, on) in [(skipped::WITHOUT_SERVICES, options.without_services), (LONG, options.long)] {
            if on {
                command.env(name, "1")
            } else {
                command.env_remove(name)
            };
        }
    };
    let (tally, mut troubles) = side_by_side(programs, at_once, &prepare);
    let names = skipped.read().unwrap_or_else(|trouble| {
        troubles.push(trouble);
        Vec::new()
    });
    conclude(&tally, &names, options.without_services, troubles)
}

/// Runs all, prints what each says when it has ended, so that it stands together, and adds up.
fn side_by_side(
    programs: VecDeque<Program>,
    at_once: usize,
    prepare: &(impl Fn(&mut Command) + Sync),
) -> (Tally, Vec<String>) {
    let waiting = Mutex::new(programs);
    let sum = Mutex::new((Tally::default(), Vec::new()));
    let next = || waiting.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
    std::thread::scope(|scope| {
        for _ in 0..at_once {
            scope.spawn(|| {
                while let Some(mut program) = next() {
                    println!("running {}", program.name);
                    prepare(&mut program.command);
                    let begun = Instant::now();
                    let ended = program.run();
                    // One at a time, so that what two have said stays apart.
                    let mut sum = sum.lock().unwrap_or_else(PoisonError::into_inner);
                    println!("\n-- {}, in {:.1} s", program.name, begun.elapsed().as_secs_f64());
                    ended.lines.iter().for_each(|line| println!("{line}"));
                    sum.0.add(ended.tally);
                    sum.1.extend(ended.troubles);
                }
            });
        }
    });
    sum.into_inner().unwrap_or_else(PoisonError::into_inner)
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
            "{broken} test programs ended without a result line: a crash, an abort or a signal"
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
    fn what_programs_say_side_by_side_is_added_up() {
        let said = |text: &str| {
            let mut command = Command::new("sh");
            command.args(["-c", &format!("printf '{text}'")]);
            Program { name: "one".to_owned(), again: "cargo test -p one".to_owned(), command }
        };
        let good = "running 1 test\ntest a ... ok\ntest result: ok. 1 passed; 0 failed; 0 ignored\n";
        let bad = "running 1 test\ntest b ... FAILED\ntest result: FAILED. 0 passed; 1 failed; 0 ignored\n";
        let crashed = "running 9 tests\n";
        let programs = [said(good), said(bad), said(crashed), said(good)].into();
        let (tally, troubles) = side_by_side(programs, 3, &|_| ());
        assert_eq!((tally.passed, tally.failed, tally.broken), (2, 1, 1));
        assert_eq!(tally.failures, ["b"]);
        assert_eq!(troubles, [""; 0]);
    }

    #[test]
    fn a_program_that_ends_badly_is_named_with_how_to_run_it_again() {
        let mut command = Command::new("sh");
        command.args(["-c", "exit 3"]);
        let program =
            Program { name: "one tests/a.rs".to_owned(), again: "cargo test -p one".to_owned(), command };
        let (_, troubles) = side_by_side([program].into(), 1, &|_| ());
        assert_eq!(troubles, ["one tests/a.rs ended with exit status: 3; `cargo test -p one` runs it again"]);
    }
}
