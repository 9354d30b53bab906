//! Any text as a configuration: reading it never panics, and what it says of the text is where it says.
//!
//! Two things must hold of what is said. A line is one of the text's. And the same text below a comment says the same,
//! one line further down.

#![no_main]

use libfuzzer_sys::fuzz_target;
use metercast::config::{Config, ConfigError};

const FILE: &str = "fuzzed.toml";

/// A problem, or the warnings: the line, and everything else that is said.
type Said = Vec<(Option<usize>, String)>;

fn read(text: &str) -> Result<Config, ConfigError> {
    Config::builder().environment(false).text(FILE, text).build()
}

fn said(text: &str) -> Said {
    let lines = text.split('\n').count();
    match read(text) {
        Ok(config) => {
            // Printing shows no secret, which only has to be possible here.
            let _ = format!("{config:?}");
            let is_one =
                |warning: &&String| !(warning.starts_with("and ") && warning.ends_with(" more warnings"));
            config.warnings().iter().filter(is_one).map(|warning| split(warning)).collect()
        }
        Err(error) => {
            let problems = error.problems();
            assert!(!problems.is_empty(), "an error without a problem");
            let said = error.to_string();
            // Of many the first are told, and how many more there are.
            let told =
                said.lines().filter(|line| !(line.starts_with("and ") && line.ends_with(" more"))).count();
            assert_eq!(told, problems.len(), "one line each: {error}");
            for problem in problems {
                match (problem.file(), problem.line()) {
                    (Some(FILE), Some(line)) => {
                        assert!((1..=lines).contains(&line), "line {line} of {lines}: {problem}");
                    }
                    (None, None) => {}
                    // The parser does not say where it gave up.
                    (Some(FILE), None) if problem.message() == "is not TOML: recursion limit" => {}
                    other => panic!("neither in the file nor outside of it: {other:?}: {problem}"),
                }
                assert!(!problem.message().is_empty(), "nothing is said: {problem}");
            }
            problems
                .iter()
                .map(|problem| (problem.line(), format!("{} {}", problem.key(), problem.message())))
                .collect()
        }
    }
}

/// `fuzzed.toml:3: telemetry.x: ...` as the line and the rest.
fn split(warning: &str) -> (Option<usize>, String) {
    let placed = warning.strip_prefix(FILE).and_then(|rest| rest.strip_prefix(':'));
    let line = placed
        .and_then(|rest| rest.split_once(':'))
        .and_then(|(line, rest)| Some((line.parse().ok()?, rest)));
    match line {
        Some((line, rest)) => (Some(line), rest.to_owned()),
        None => (None, warning.to_owned()),
    }
}

fuzz_target!(|text: &str| {
    let here = said(text);
    assert_eq!(here, said(text), "the same text says the same");
    // A byte order mark may only stand at the very beginning.
    if !text.starts_with('\u{feff}') {
        let below: Said = here.into_iter().map(|(line, text)| (line.map(|line| line + 1), text)).collect();
        assert_eq!(said(&format!("# a comment\n{text}")), below, "a comment above moves every line by one");
    }
});
