//! What two pages differ in.

use std::io::Write;
use std::process::{Command, Stdio};

/// The samples of a page, as the script that the document gives to its readers has them.
pub(crate) fn samples(page: &str) -> String {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/lines.sh");
    let mut shell = Command::new("sh");
    let mut shell =
        shell.arg(script).env("LC_ALL", "C").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    shell.stdin.take().unwrap().write_all(page.as_bytes()).unwrap();
    let output = shell.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The lines that only the one or the other has, in no order but that of the text: with `-` the first's, with `+` the second's.
pub(crate) fn difference(before: &str, after: &str) -> String {
    let sorted = |page: &str| {
        let mut lines: Vec<String> =
            page.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect();
        lines.sort();
        lines
    };
    let (before, mut after) = (sorted(before), sorted(after));
    let mut gone = Vec::new();
    for line in before {
        match after.iter().position(|there| *there == line) {
            Some(at) => drop(after.remove(at)),
            None => gone.push(line),
        }
    }
    let gone = gone.iter().map(|line| format!("-{line}\n"));
    gone.chain(after.iter().map(|line| format!("+{line}\n"))).collect()
}

#[test]
fn lines_that_both_have_are_no_difference_in_any_order() {
    assert_eq!(difference("a 1\nb 2\n\n", "b 2\na 1\n"), "");
    assert_eq!(difference("a 1\na 1\nb 2", "a 1\nb 3"), "-a 1\n-b 2\n+b 3\n");
}

#[test]
fn samples_are_equal_whatever_the_order_of_labels_and_the_spelling_of_bounds() {
    let one = samples("# HELP a A\n\na_bucket{le=\"1.0\",x=\"b, c\"} 1\nup 1\n");
    assert_eq!(one, "a_bucket{le=\"1\",x=\"b, c\"} 1\nup 1\n");
    assert_eq!(one, samples("up 1\na_bucket{x=\"b, c\",le=\"1\"} 1\n"));
}
