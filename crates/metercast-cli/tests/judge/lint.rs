//! The verdicts are those of `promtool check metrics`; ours stand beside them.

use std::collections::BTreeMap;
use std::fs::File;
use std::process::Command;

use conformance::use_programs;
use serde_json::Value;

use crate::support::{file, page, run};

/// How many things promtool finds wrong with each metric.
fn promtool(path: &str) -> BTreeMap<String, usize> {
    let output = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(File::open(path).unwrap())
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
    assert!(matches!(output.status.code(), Some(0 | 3)), "{said}");
    let mut lines: Vec<_> = said.lines().collect();
    lines.sort_unstable();
    // It says of each series what is wrong with a label.
    lines.dedup();
    count(lines.into_iter().map(|line| line.split(' ').next().unwrap().to_owned()))
}

fn count(metrics: impl Iterator<Item = String>) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for metric in metrics {
        *counts.entry(metric).or_default() += 1;
    }
    counts
}

#[test]
fn the_verdicts_are_those_of_promtool() {
    if !use_programs("the_verdicts_are_those_of_promtool", "promtool") {
        return;
    }
    let pages = ["demo/1.txt", "node-exporter/1.txt", "prometheus/1.txt", "judged/faults.txt"].map(page);
    for path in pages {
        let ran = run(&["lint", "--json", &path]);
        let json: Value = serde_json::from_str(&ran.stdout).unwrap();
        let findings = json["findings"].as_array().unwrap();
        let ours = count(findings.iter().map(|finding| finding["metric"].as_str().unwrap().to_owned()));
        assert_eq!(ours, promtool(&path), "{path}: {}", ran.stdout);
        assert_eq!(ran.status, i32::from(!findings.is_empty()));
    }
}

#[test]
fn what_is_wrong_is_said_with_its_mend_and_may_be_allowed() {
    let path = file("lint.txt", "# HELP a What.\n# TYPE a counter\na{user_id=\"7\"} 1\nb{ 1\n");
    let ran = run(&["lint", &path]);
    assert_eq!((ran.status, ran.stderr.as_str()), (1, ""));
    assert_eq!(
        ran.stdout,
        "the page: line 4 has labels that do not end; scrapers may refuse the whole page (invalid-line)\n\
         a: the label user_id tells one from another; leave it to logs and traces, or to exemplars (identity-label)\n\
         a: a counter ends in _total; append _total to its name (total)\n"
    );
    let ran = run(&[
        "lint",
        &path,
        "--allow",
        "invalid-line",
        "--allow",
        "identity-label=a*",
        "--allow",
        "total=a",
    ]);
    assert_eq!((ran.status, ran.stdout), (0, format!("{path}: nothing to mend in 1 metrics\n")));
    assert_eq!(run(&["lint", &path, "--allow", "total=b*"]).status, 1);
}

#[test]
fn both_formats_of_a_page_are_judged_alike() {
    let found = |path: &str| {
        let json: Value = serde_json::from_str(&run(&["lint", "--json", path]).stdout).unwrap();
        json["findings"].clone()
    };
    assert_eq!(found(&page("demo/2.openmetrics.txt")), found(&page("demo/2.txt")));
    let text = "# HELP a_total What.\n# TYPE a_total counter\na_total 1\n# HELP b_info What.\n# TYPE b_info gauge\nb_info{v=\"1\"} 1\nc_ms 1\n";
    let open = "# HELP a What.\n# TYPE a counter\na_total 1 # {x=\"1\"} 1\na_created 1\n# HELP b What.\n# TYPE b info\nb_info{v=\"1\"} 1\n# TYPE c_ms unknown\nc_ms 1\n# EOF\n";
    let findings = found(&file("text.txt", text));
    assert_eq!(findings, found(&file("open.txt", open)));
    assert_eq!(findings.as_array().unwrap().len(), 2, "{findings}");
}

#[test]
fn what_is_no_page_is_no_clean_page() {
    let ran = run(&["lint", &file("lint.html", "<!DOCTYPE html>\n")]);
    assert_eq!((ran.status, ran.stdout.as_str()), (1, ""));
    assert!(
        ran.stderr.contains("is no metrics page (a file): line 1 has a value that is no number"),
        "{}",
        ran.stderr
    );
    let ran = run(&["lint", "./there-is-none.txt"]);
    assert!(ran.stderr.starts_with("error: cannot read ./there-is-none.txt: No such file"), "{}", ran.stderr);
    assert_eq!(run(&["lint"]).status, 2);
}

#[test]
fn names_in_quotes_are_judged_as_others_and_no_terminal_obeys_them() {
    let text = "# HELP \"a.b c\" What.\n# TYPE \"a.b c\" counter\n{\"a.b c\",\"k l\"=\"1\"} 1\n{\"x\u{1b}[31m\"} 1\n";
    let ran = run(&["lint", &file("quoted.txt", text)]);
    assert_eq!(
        ran.stdout,
        "a.b c: a counter ends in _total; append _total to its name (total)\n\
         x\\u{1b}[31m: there is no help; say what it measures (help)\n"
    );
}
