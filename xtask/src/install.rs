//! Installing Debian packages, where that is allowed without asking anybody.

use std::process::{Command, Stdio};

/// Runs as root; it keeps the packages' own services from starting and cleans up behind itself.
const SCRIPT: &str = include_str!("install.sh");

/// Installs the packages and keeps their units from starting, now and at boot. The error says why it could not.
pub(crate) fn install(packages: &[&str], units: &[&str]) -> Result<(), String> {
    let Some(mut command) = shell_of_root()? else {
        return Err("this user is not root, and sudo is absent or wants a password".to_owned());
    };
    println!("installing with apt-get: {}", packages.join(" "));
    command.args(["-c", SCRIPT, "install.sh", &units.join(" ")]).args(packages);
    match command.stdin(Stdio::null()).status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => {
            Err(format!("apt-get could not install {} ({status}, its words are above)", packages.join(" ")))
        }
        Err(error) => Err(format!("the shell that runs apt-get cannot be started: {error}")),
    }
}

/// A shell with root's rights, `None` if there is no way to them; an error if there is nothing to do with them.
fn shell_of_root() -> Result<Option<Command>, String> {
    if !answers("apt-get", &["--version"]) {
        return Err("there is no apt-get here".to_owned());
    }
    if is_root() {
        return Ok(Some(Command::new("sh")));
    }
    if !answers("sudo", &["-n", "true"]) {
        return Ok(None);
    }
    let mut command = Command::new("sudo");
    command.args(["-n", "sh"]);
    Ok(Some(command))
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

/// Whether a program is there and succeeds, without a word to the terminal.
fn answers(program: &str, arguments: &[&str]) -> bool {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_is_not_there_does_not_answer() {
        assert!(!answers("no-such-program-anywhere", &[]));
    }

    #[test]
    fn the_script_updates_once_and_cleans_up() {
        assert_eq!(SCRIPT.matches("$apt update").count(), 1);
        assert!(SCRIPT.contains("trap 'rm -f \"$policy\"' EXIT"));
    }
}
