//! What cannot be made into a dashboard or rules is named, with what to do.

use serde_json::json;

use crate::catalogue::{catalogue, metric};
use crate::support::{file, run};

#[test]
fn what_cannot_be_read_is_called_what_it_is() {
    let script = file("script.sh", "#!/bin/sh\n");
    let none = catalogue("none", &[]);
    let private = catalogue("all-private", &[metric("a", "gauge", &json!({ "visibility": "private" }))]);
    let other = file("other.json", "{\"a\": 1}");
    for (path, expected) in [
        ("target/debug/there-is-none", "cannot read target/debug/there-is-none: No such file"),
        (&*script, "script.sh is a script, not a program"),
        (&none, "none.json has no metrics; `metercast docs --binary"),
        (&private, "all-private.json has private metrics only, which no page has"),
        (&other, "other.json is no catalogue: missing field `metrics`"),
    ] {
        for command in ["grafana", "alerts"] {
            let ran = run(&[command, "--binary", path]);
            assert_eq!((ran.status, &*ran.stdout), (1, ""), "{path}");
            assert!(ran.stderr.starts_with("error: ") && ran.stderr.contains(expected), "{}", ran.stderr);
        }
    }
}

#[test]
fn names_of_a_catalogue_are_not_spelled_again() {
    let catalogue = catalogue("spelled", &[metric("a", "gauge", &json!({}))]);
    let ran = run(&["grafana", "--binary", &catalogue, "--profile", "metrics-rs"]);
    assert_eq!(ran.status, 1);
    assert!(ran.stderr.contains("is a catalogue, which has its names already"), "{}", ran.stderr);
}

#[test]
fn a_program_may_be_asked_for_one_crate_and_under_the_names_of_its_exporter() {
    let program = env!("CARGO_BIN_EXE_metercast");
    let ran =
        run(&["grafana", "--binary", program, "--crate", "metercast_cli", "--strategy", "NoTranslation"]);
    assert_eq!((ran.status, &*ran.stderr), (0, ""));
    assert!(ran.stdout.contains("{\\\"order.settle.duration_bucket\\\", job="), "{}", ran.stdout);
    assert!(!ran.stdout.contains("http_server"), "{}", ran.stdout);
    let ran = run(&["grafana", "--binary", program, "--crate", "shoop"]);
    assert_eq!(ran.status, 1);
    assert!(
        ran.stderr.contains("has no metrics of the crate shoop; it has those of metercast, "),
        "{}",
        ran.stderr
    );
}

#[test]
fn limits_are_numbers_that_can_be() {
    for (option, value) in
        [("--errors", "100"), ("--errors", "-1"), ("--slow", "0"), ("--slow", "inf"), ("--slow", "NaN")]
    {
        let argument = format!("{option}={value}");
        let ran = run(&["alerts", "--binary", "a", &argument]);
        assert_eq!(ran.status, 2, "{argument}: {}", ran.stderr);
    }
    let ran = run(&["grafana", "--binary", env!("CARGO_BIN_EXE_metercast"), "--title", " "]);
    assert_eq!((ran.status, &*ran.stderr), (1, "error: a dashboard needs a title; give it by --title\n"));
}
