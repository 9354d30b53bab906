//! Measurements that need a process of their own: an untouched heap, nothing else that runs.

use std::process::{Command, ExitCode, Stdio};

use crate::groups;
use crate::subjects::{self, Subject};

/// The first argument of a child.
pub(crate) const FLAG: &str = "--child";

/// What a child answers.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Answer {
    Values(Vec<f64>),
    No,
    NotYet(String),
}

/// Asks a child of this program; its words are those that [`run`] takes.
pub(crate) fn ask(words: &[&str]) -> Result<Answer, String> {
    let program = std::env::current_exe().map_err(|error| format!("this program is not found: {error}"))?;
    let mut command = Command::new(program);
    command.arg(FLAG).args(words).stdin(Stdio::null()).stderr(Stdio::inherit());
    let output = command.output().map_err(|error| format!("a child cannot be started: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let (head, tail) = text.trim_end().split_once(' ').unwrap_or((text.trim_end(), ""));
    match head {
        _ if !output.status.success() => {
            Err(format!("{}: the child ended with {}", words.join(" "), output.status))
        }
        "values" => tail
            .split(' ')
            .map(str::parse)
            .collect::<Result<_, _>>()
            .map(Answer::Values)
            .map_err(|error| format!("{}: {tail}: {error}", words.join(" "))),
        "not-yet" => Ok(Answer::NotYet(tail.to_owned())),
        "wrong" => Err(format!("{}: {tail}", words.join(" "))),
        _ => Ok(Answer::No),
    }
}

/// One measurement: `memory CASE SUBJECT`, `stall MILLISECONDS SUBJECT`, or `record CASE SUBJECT TIMES`, which
/// records so often and says nothing, for counting instructions.
pub(crate) fn run(words: &[String]) -> ExitCode {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let answer = match words[..] {
        ["memory", case, name] => subject(name).and_then(|subject| groups::memory_in_child(case, subject)),
        ["stall", time, name] => subject(name).and_then(|subject| groups::stall_in_child(time, subject)),
        ["record", case, name, times] => {
            subject(name).and_then(|subject| groups::repeat_record(case, subject, times))
        }
        _ => Err(format!("{words:?}: not a measurement")),
    };
    match answer {
        Ok(Answer::Values(values)) => {
            println!("values {}", values.iter().map(f64::to_string).collect::<Vec<_>>().join(" "));
        }
        Ok(Answer::No) => println!("no"),
        Ok(Answer::NotYet(why)) => println!("not-yet {why}"),
        Err(trouble) => println!("wrong {trouble}"),
    }
    ExitCode::SUCCESS
}

fn subject(name: &str) -> Result<&'static dyn Subject, String> {
    subjects::ALL
        .iter()
        .find(|subject| subject.name() == name)
        .copied()
        .ok_or_else(|| format!("no subject {name}"))
}
