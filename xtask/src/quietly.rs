//! Running a command that people need to hear of only if it fails.

use std::process::{Command, Stdio};

/// Runs a command to its end; an error holds the last line of what it said.
pub(crate) fn run(command: &mut Command) -> Result<(), String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("{program} cannot be started: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    let last = said.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or("it said nothing");
    Err(format!("{program} ended with {}: {last}", output.status))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_that_fails_is_told_with_its_last_words() {
        let trouble =
            run(Command::new("sh").args(["-c", "echo first; echo No matching distribution >&2; exit 3"]));
        let trouble = trouble.unwrap_err();
        assert!(
            trouble.starts_with("sh ended with ") && trouble.ends_with(": No matching distribution"),
            "{trouble}"
        );
    }
}
