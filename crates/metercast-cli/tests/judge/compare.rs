//! Two pages, by names and by values.

use serde_json::Value;

use crate::support::{file, page, run, serve};

#[test]
fn both_formats_of_a_page_have_the_same_names() {
    let (text, open) = (page("demo/2.txt"), page("demo/2.openmetrics.txt"));
    let ran = run(&["compare", "--names", &text, &open]);
    assert_eq!((ran.status, ran.stderr.as_str()), (0, ""), "{}", ran.stdout);
    assert!(ran.stdout.ends_with(" say the same in 16 metrics\n"), "{}", ran.stdout);
}

#[test]
fn both_pages_are_asked_for_in_one_format() {
    let open = "# TYPE bytes_sent unknown\nbytes_sent 1\n# EOF\n";
    let text = "# TYPE bytes_sent counter\nbytes_sent 1\n";
    // One serves what is asked for, the other only text, as old exporters do.
    let negotiates = serve(move |head| match head.contains("openmetrics") {
        true => ("application/openmetrics-text; version=1.0.0", open),
        false => ("text/plain; version=0.0.4", text),
    });
    let serves_text = serve(move |_| ("text/plain; version=0.0.4", text));
    let ran = run(&["compare", &serves_text, &negotiates]);
    assert_eq!((ran.status, ran.stderr.as_str()), (0, ""), "{}", ran.stdout);
}

#[test]
fn values_that_are_apart_are_differences() {
    let (first, second) = (page("node-exporter/1.txt"), page("node-exporter/2.txt"));
    assert_eq!(run(&["compare", &first, &first]).status, 0);
    assert_eq!(run(&["compare", "--names", &first, &second]).status, 0);
    let ran = run(&["compare", "--json", &first, &second]);
    let json: Value = serde_json::from_str(&ran.stdout).unwrap();
    let differences = json["differences"].as_array().unwrap();
    let load = differences.iter().find(|difference| difference["metric"] == "node_forks_total").unwrap();
    assert_eq!((ran.status, &load["what"], &load["of"]), (1, &"differs".into(), &"value".into()));
    let near = run(&["compare", "--json", "--tolerance", "100", &first, &second]);
    assert_eq!(near.status, 0, "{}", near.stdout);
}

#[test]
fn what_is_missing_or_called_otherwise_is_told() {
    let old = file("old.txt", "# TYPE a counter\na{x=\"1\"} 1\nb 1\n");
    let new = file("new.txt", "# TYPE a counter\na{x=\"2\"} 1\nc 1\n");
    let ran = run(&["compare", &old, &new]);
    let expected = "missing  a{x=\"1\"}\nadded    a{x=\"2\"}\nmissing  b\nadded    c\n";
    assert_eq!((ran.status, ran.stdout.as_str()), (1, expected));
}

#[test]
fn a_page_that_cannot_be_read_as_a_whole_is_not_compared() {
    let good = file("good.txt", "a 1\n");
    let bad = file("bad.txt", "a 1\nb{ 1\n");
    let ran = run(&["compare", &good, &bad]);
    assert_eq!((ran.status, ran.stdout.as_str()), (1, ""));
    assert!(
        ran.stderr.contains("cannot be compared as a whole: a line is not valid and left out; line 2"),
        "{}",
        ran.stderr
    );
    let many = page("node-exporter/1.txt");
    let ran = run(&["compare", &good, &many, "--max-series", "5"]);
    assert!(ran.stderr.contains("lines are left out beyond 5 series"), "{}", ran.stderr);
    for wrong in [["--tolerance", "-1"], ["--tolerance", "NaN"]] {
        assert_eq!(run(&[&["compare", &good, &good], &wrong[..]].concat()).status, 2);
    }
    assert_eq!(run(&["compare", &good, &good, "--names", "--tolerance", "1"]).status, 2);
}
