//! The verdicts are those of `promtool check metrics`; ours stand beside them.

use std::collections::BTreeMap;
use std::fs::File;
use std::process::Command;

use conformance::use_programs;
use metercast_tower::lint::prometheus;
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

/// The line at which promtool refuses a page; 0 if it does not.
fn refused_by_promtool(path: &str) -> u64 {
    let output =
        Command::new("promtool").args(["check", "metrics"]).stdin(File::open(path).unwrap()).output();
    let said = String::from_utf8(output.unwrap().stderr).unwrap();
    let Some((_, line)) = said.split_once("text format parsing error in line ") else { return 0 };
    line.split_once(':').unwrap().0.parse().unwrap()
}

#[test]
fn what_promtool_refuses_is_no_valid_line() {
    let has_promtool = use_programs("what_promtool_refuses_is_no_valid_line", "promtool");
    let cases: Value =
        serde_json::from_str(&std::fs::read_to_string(page("judged/lines.json")).unwrap()).unwrap();
    for case in cases.as_array().unwrap() {
        let (text, refused) = (case["page"].as_str().unwrap(), case["refused"].as_u64().unwrap());
        let path = file("line.txt", text);
        // What newer scrapers take is fine, though an old promtool does not.
        if has_promtool && case["newer"].is_null() {
            assert_eq!(refused_by_promtool(&path), refused, "promtool: {text:?}");
        }
        let ran = run(&["lint", "--json", &path]);
        let json: Value = serde_json::from_str(&ran.stdout).unwrap_or_default();
        let findings = json["findings"].as_array().map(Vec::as_slice).unwrap_or_default();
        let invalid = findings.iter().find(|finding| finding["rule"] == "invalid-line");
        // A page on which nothing can be read is none at all.
        let said = invalid.map_or(ran.stderr.clone(), |finding| finding["text"].as_str().unwrap().to_owned());
        match refused {
            0 => assert_eq!(said, "", "{text:?}"),
            line => assert!(said.contains(&format!("line {line} ")), "{text:?}: {said}"),
        }
    }
}

#[test]
fn what_is_said_of_a_line_helps_to_mend_it() {
    for (text, said) in [
        ("y\"} 3\n", "line 1 has a value that is no number"),
        ("1a 1\n", "line 1 has no name that a metric may have"),
        ("a{b-c=\"c\"} 1\n", "line 1 has a name that no label may have"),
        ("a{b=\"\\q\"} 1\n", "line 1 has an escape other than \\\\, \\\" and \\n"),
        ("a -1e400\n", "line 1 has a value that no double can hold"),
        ("# TYPE a wrong\na 1\n", "line 1 has a type that there is not"),
        (
            "# TYPE a gauge\n# TYPE a gauge\na 1\n",
            "line 2 is a second TYPE of its metric, or stands behind samples",
        ),
        ("# HELP a x\n# HELP a y\na 1\n", "line 2 is a second HELP of its metric"),
        ("a 1", "line 1 has no newline at its end"),
        ("a-b 1\n1c 1\nd 1\n", "2 lines are not valid, first line 1, which has a value that is no number"),
    ] {
        let ran = run(&["lint", &file("said.txt", text)]);
        let line = ran.stdout.lines().find(|line| line.ends_with("(invalid-line)")).unwrap_or_default();
        assert_eq!(line, format!("the page: {said}; scrapers may refuse the whole page (invalid-line)"));
    }
}

#[test]
fn what_was_left_out_is_said() {
    let many: String = (0..1200).map(|path| format!("b{{path=\"/{path}\"}} 1\n")).collect();
    let path = file("many.txt", &format!("# HELP b What.\n# TYPE b gauge\n{many}"));
    let ran = run(&["lint", &path, "--max-series", "1100"]);
    let expected = "the page: 100 lines are left out beyond 1100 series; --max-series takes more (left-out)\n\
         b: the label path has at least 1100 values; give it fewer, such as a route for a path, or a limit (unbounded-label)\n";
    assert_eq!((ran.status, ran.stdout.as_str()), (1, expected));
    let ran = run(&["lint", &path]);
    assert!(ran.stdout.starts_with("b: the label path has 1200 values; "), "{}", ran.stdout);
    let names: String = (0..20).map(|name| format!("# HELP n{name} What.\nn{name} 1\n")).collect();
    let ran = run(&["lint", &file("names.txt", &names), "--max-series", "5"]);
    assert!(ran.stdout.starts_with("the page: 30 lines are left out beyond 5 series; "), "{}", ran.stdout);
}

#[test]
fn an_empty_page_is_no_clean_page() {
    for text in ["", "\n", "# EOF\n", "# HELP a What.\n"] {
        let path = file("empty.txt", text);
        let ran = run(&["lint", &path]);
        let said = format!("error: {path} has no metrics at all; is that where the page is?\n");
        assert_eq!(
            (ran.status, ran.stdout.as_str(), ran.stderr.as_str()),
            (1, "", said.as_str()),
            "{text:?}"
        );
        let ran = run(&["compare", &path, &path]);
        assert_eq!((ran.status, ran.stdout.as_str()), (1, ""));
        assert!(ran.stderr.contains(" have no metrics at all; "), "{}", ran.stderr);
    }
}

#[test]
fn a_rule_that_there_is_not_cannot_be_broken() {
    let path = file("allow.txt", "a 1\n");
    for rule in ["nosuchrule", "nosuchrule=a*", ""] {
        let ran = run(&["lint", &path, "--allow", rule]);
        assert_eq!((ran.status, ran.stdout.as_str()), (2, ""));
        assert!(ran.stderr.contains("the rules are help, base-unit, "), "{}", ran.stderr);
    }
    let help = run(&["lint", "--help"]).stdout;
    let rules = prometheus::RULES.iter().chain(&["identity-label", "invalid-line", "left-out", "no-buckets"]);
    for rule in rules {
        assert!(help.contains(rule), "{rule}: {help}");
        assert_eq!(run(&["lint", &path, "--allow", "help", "--allow", rule]).status, 0);
    }
}

#[test]
fn a_place_that_is_none_is_said() {
    let ran = run(&["lint", "99999"]);
    assert_eq!(ran.stderr, "error: 99999 is no port: they are numbers from 1 to 65535\n");
    // A name that by RFC 2606 nobody has.
    for command in [vec!["lint", "nosuch.invalid"], vec!["compare", &page("demo/1.txt"), "nosuch.invalid"]] {
        let ran = run(&command);
        assert_eq!(ran.status, 1);
        assert_eq!(ran.stderr, "error: there is neither a file nor a host of the name nosuch.invalid\n");
    }
}

#[test]
fn the_time_limit_holds_for_all_of_it() {
    // Of what never ends there is a piece at each moment.
    let path = file("endless", "");
    std::fs::remove_file(&path).unwrap();
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    let ran = run(&["lint", &path, "--timeout", "0.2"]);
    let said = format!("error: {path} is not read and looked at within 0.2 s; --timeout waits longer\n");
    assert_eq!((ran.status, ran.stderr), (1, said));
}

#[test]
fn what_is_wrong_is_said_with_its_mend_and_may_be_allowed() {
    let path = file("lint.txt", "# HELP a What.\n# TYPE a counter\na{user_id=\"7\"} 1\nb{ 1\n");
    let ran = run(&["lint", &path]);
    assert_eq!((ran.status, ran.stderr.as_str()), (1, ""));
    assert_eq!(
        ran.stdout,
        "the page: line 4 has a name that no label may have; scrapers may refuse the whole page (invalid-line)\n\
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
        ran.stderr.contains("is no metrics page (a file): line 1 has no name that a metric may have"),
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
