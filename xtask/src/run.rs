//! One run of `cargo xtask test`: each step in turn, timed, and the report at the end.

use std::time::Instant;

use crate::arguments::TestOptions;
use crate::cargo;
use crate::report::{Outcome, Report};
use crate::step::Step;
use crate::workspace::Workspace;
use crate::{
    api, dependencies, features, fuzz, miri, node, package, python, sanitizers, services, signatures, suite,
    tidy,
};

/// Runs the chosen steps, all of them even if one fails, and says whether everything holds.
pub(crate) fn test(workspace: &Workspace, options: &TestOptions) -> bool {
    let mut report = Report::default();
    for &step in &options.steps {
        println!("== {step}");
        let begun = Instant::now();
        let outcome = take(step, workspace, options);
        let took = begun.elapsed();
        let result = if outcome.failed == 0 { "ok" } else { "FAILED" };
        println!("== {step}: {result} in {:.1} s\n", took.as_secs_f64());
        report.add(step, took, outcome);
    }
    println!("{report}");
    report.holds()
}

fn take(step: Step, workspace: &Workspace, options: &TestOptions) -> Outcome {
    match step {
        Step::Services => {
            let mut troubles = services::get(options.without_services);
            troubles.extend(python::get(workspace.target(), options.without_services));
            troubles.extend(node::get(workspace.target(), options.without_services));
            Outcome::of(troubles)
        }
        Step::Format => format(workspace).into(),
        Step::Lint => lint(workspace).into(),
        Step::Tidy => Outcome::of(tidy::check(workspace)),
        Step::Test => suite::run(workspace, options),
        Step::Docs => docs(workspace).into(),
        Step::Features => Outcome::of(features::check(workspace)),
        Step::Signatures => Outcome::of(signatures::check(workspace)),
        Step::Api => Outcome::of(api::check(workspace)),
        Step::Package => package::check(workspace),
        Step::Minimal => Outcome::of(package::minimal::check(workspace, options.long)),
        Step::Dependencies => dependencies::check(workspace),
        Step::Sanitizers => sanitizers::run(workspace),
        Step::Miri => miri::run(workspace),
        Step::Fuzz => fuzz::run(workspace, options),
    }
}

fn format(workspace: &Workspace) -> Result<(), String> {
    let command = cargo::command(workspace, &["fmt", "--all", "--check"]);
    cargo::run(command, "cargo fmt --all mends it")
}

fn lint(workspace: &Workspace) -> Result<(), String> {
    let command = cargo::command(
        workspace,
        &["clippy", "--workspace", "--all-targets", "--all-features", "--locked", "--", "-D", "warnings"],
    );
    cargo::run(command, "mend what it names above")
}

fn docs(workspace: &Workspace) -> Result<(), String> {
    let mut command =
        cargo::command(workspace, &["doc", "--workspace", "--no-deps", "--all-features", "--locked"]);
    command.env("RUSTDOCFLAGS", "-D warnings");
    cargo::run(command, "mend what it names above")
}
