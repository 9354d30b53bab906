//! A test that needs a process of its own: this test binary, run again.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

/// Where the child pushes to; it is a child if this is set.
pub(crate) const ENDPOINT: &str = "METERCAST_TEST_ENDPOINT";

/// Runs this binary again as the child that `test` names. Its output is to be held until it has ended.
pub(crate) fn child(
    test: &str,
    endpoint: &str,
) -> (Child, impl Iterator<Item = std::io::Result<String>> + use<>) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(ENDPOINT, endpoint)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    while !lines.next().expect("the child says that it is ready").unwrap().ends_with("ready") {}
    (child, lines)
}

pub(crate) fn terminate(child: &Child) {
    send(child, "-TERM");
}

pub(crate) fn hang_up(child: &Child) {
    send(child, "-HUP");
}

fn send(child: &Child, signal: &str) {
    assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
}

/// In the child: tells the parent.
#[expect(clippy::print_stdout, reason = "the parent waits for this line")]
pub(crate) fn say(line: &str) {
    println!("{line}");
}
