//! Whether the README of a service names what there is, and all of it.

use std::process::Command;

use crate::service::Service;
use crate::sources::{Sources, is_variable};

/// What a README links to.
const LINKS: [&str; 3] = ["](docs/metrics.md)", "](Dockerfile)", "](kubernetes.yaml)"];

/// What is wrong with a README; one entry for each thing to mend.
pub fn troubles(service: Service, text: &str, sources: &Sources) -> Vec<String> {
    let mut troubles = Vec::new();
    let mut say = |is_wrong: bool, what: String| troubles.extend(is_wrong.then_some(what));
    for link in LINKS {
        say(!text.contains(link), format!("there is no link {link}"));
    }
    let command = command(text).unwrap_or_default();
    let run = format!("cargo run -p {}", service.name);
    say(
        !format!("{command} ").contains(&format!("{run} ")),
        format!("the first command is {command:?}, not {run}"),
    );
    let named = variables(text);
    for name in &named {
        say(!sources.has_variable(name), format!("{name}: the service reads no such variable"));
    }
    for missing in sources.variables_but(&named) {
        say(true, format!("{missing} is not named"));
    }
    for path in paths(text) {
        say(!sources.has_path(path), format!("{path}: there is nothing"));
    }
    for port in ports(text) {
        say(!sources.has_port(port), format!("{port}: the service has no such default"));
    }
    troubles
}

/// Whether the program takes the command of its README, and has every option that stands there.
///
/// # Panics
///
/// If it does not.
pub fn command_is_taken(service: Service, program: &str) {
    let text = service.text("README.md");
    let command = command(&text).expect("a command");
    let arguments = command.split_once(" -- ").map_or("", |(_, arguments)| arguments);
    let mut asked = Command::new(program);
    // What it cannot take is said before the help that is asked for last.
    asked.args(arguments.split_whitespace()).arg("--help").env_clear();
    let answer = asked.output().expect("it runs");
    let said = String::from_utf8_lossy(&answer.stdout);
    assert!(answer.status.success(), "{command}: {}", String::from_utf8_lossy(&answer.stderr));
    for option in text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-') {
        let is_option = option.len() > 2 && option.starts_with("--") && !option.starts_with("---");
        assert!(!is_option || said.contains(option), "README.md: {option} is no option of {}", service.name);
    }
    for file in arguments.split_whitespace().filter(|argument| argument.starts_with("services/")) {
        let is_there = service.path("../..").join(file).is_file();
        assert!(is_there, "README.md: {file} is not there");
    }
}

/// The first line of the first block of commands.
fn command(text: &str) -> Option<&str> {
    text.split("```sh\n").nth(1)?.lines().next()
}

fn variables(text: &str) -> Vec<String> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words = text.split(|c| !is_part(c)).filter(|word| is_variable(word));
    words.map(str::to_owned).collect()
}

/// What stands in code as a path, alone or after a method.
fn paths(text: &str) -> impl Iterator<Item = &str> {
    let spans = text.split("\n```").step_by(2).flat_map(|prose| prose.split('`').skip(1).step_by(2));
    spans.filter_map(|span| {
        let path = span.split_once(' ').map_or(span, |(method, path)| {
            if method.chars().all(|c| c.is_ascii_uppercase()) { path } else { "" }
        });
        path.starts_with('/').then_some(path)
    })
}

fn ports(text: &str) -> impl Iterator<Item = u16> {
    let after = |address: &'static str| text.split(address).skip(1);
    after("127.0.0.1:")
        .chain(after("[::]:"))
        .chain(after("0.0.0.0:"))
        .filter_map(|rest| rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok())
}
