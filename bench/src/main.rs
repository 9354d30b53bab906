//! metercast measured beside its peers, in one run, so that ratios hold on any machine.
//!
//! ```text
//! arguments -> groups (what is measured) -> subjects (who is measured) -> measure (how) -> report (tables, JSON, RESULTS.md)
//! ```

#![deny(unsafe_code)]

mod arguments;
mod child;

mod groups;

mod inputs;
mod page;
mod subjects;

mod measure;

#[allow(unsafe_code, reason = "a global allocator and the C library's own account of the heap")]
mod heap;

mod report;

use std::process::ExitCode;
use std::time::Instant;

use arguments::Arguments;
use report::Report;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if let [first, rest @ ..] = &words[..]
        && first == child::FLAG
    {
        return child::run(rest);
    }
    let arguments = match Arguments::parse(words) {
        Ok(arguments) => arguments,
        Err(trouble) => return fail(&trouble, 2),
    };
    if arguments.help {
        print!("{}", arguments::HELP);
        return ExitCode::SUCCESS;
    }
    let mut report = Report::default();
    for group in &arguments.groups {
        let begun = Instant::now();
        group.run(&arguments.effort, &mut report);
        eprintln!("-- {} took {:.0} s", group.name(), begun.elapsed().as_secs_f64());
        println!("{}", report::table(&report, *group));
    }
    if let Err(trouble) = report::write(&report, &arguments) {
        return fail(&trouble, 1);
    }
    if report.troubles.is_empty() {
        return ExitCode::SUCCESS;
    }
    for trouble in &report.troubles {
        eprintln!("wrong: {trouble}");
    }
    ExitCode::FAILURE
}

fn fail(trouble: &str, status: u8) -> ExitCode {
    eprintln!("bench: {trouble}");
    ExitCode::from(status)
}
