//! Objectives of a file become rules, which fire when a budget burns too fast; and what they ask for has to be there.

use conformance::oracle::grafana::{Batch, Query};
use conformance::use_programs;
use serde_json::json;

use crate::alerts::assert_fired;
use crate::catalogue::{catalogue, metric, printed};
use crate::support::{file, run};

/// Queries of all kinds, with a window.
const QUERIES: [&str; 9] = [
    "sum by (le, code) (rate(a_bucket{job=~\"x|y\"}[{{.window}}])) / b",
    "sum without(a) (rate(b[{{.window}}])) and on (c) d unless ignoring(e) (g + on (h) group_left(i) j)",
    "sum(rate(a[{{.window}}])) by (b) > bool 0x1F or vector(1e5)",
    "Sum(rate(a[{{.window}}] offset 5m)) AND b OR topk(3, c) ^ NaN + Inf",
    "max_over_time(rate(a[5m])[{{.window}}:1m] offset 1d) + b @ end()",
    "rate({__name__=\"d\", f=\"g}\"}[{{.window}}]) * {__name__=\"e\"}",
    "rate(a{b=\"}c{\", d='\\'', e=`\"`}[{{.window}}]) # f\n+ g:h",
    "label_replace(rate(a[{{.window}}]), \"b\", \"c\", \"d\", \"e\")",
    "count_values(\"v\", rate(a[{{.window}}])) * -1.5e3 ^ -b",
];

/// Those of the page on dashboards, so that what it shows is read.
fn objectives() -> &'static str {
    let page = include_str!("../../../../docs/dashboards.md");
    page.split("```yaml\n").nth(1).and_then(|rest| rest.split("```").next()).expect("objectives in YAML")
}

fn shop() -> String {
    catalogue("objectives", &[metric("orders_total", "counter", &json!({}))])
}

fn rules(objectives: &str) -> String {
    let slo = file("objectives.yaml", objectives);
    printed(&["alerts", "--binary", &shop(), "--job", "shop", "--slo", &slo])
}

#[test]
fn an_alert_fires_when_the_budget_burns_too_fast_and_only_then() {
    if !use_programs("an_alert_fires_when_the_budget_burns_too_fast_and_only_then", "promtool") {
        return;
    }
    let rules = rules(objectives());
    let all = |fine: &'static str, failed: &'static str| {
        [
            ("orders_total{job=\"shop\", outcome=\"done\"}", fine),
            ("orders_total{job=\"shop\", outcome=\"failed\"}", failed),
        ]
    };
    // One in 20, of one in 1,000 that may fail: a page and a ticket.
    assert_fired("burns", &rules, "OrdersBudget", &all("0+950x120", "0+50x120"), "2h", 2);
    // One in 2,000.
    assert_fired("does-not-burn", &rules, "OrdersBudget", &all("0+1999x120", "0+1x120"), "2h", 0);
    // Much a while ago, and nothing since: the short window says that it is over before the long one is full.
    assert_fired("is-over", &rules, "OrdersBudget", &all("0+1000x240", "0x120 0+4x1 4x119"), "4h", 0);
}

#[test]
fn what_objectives_ask_for_has_to_be_there_or_to_be_allowed() {
    let slo = file(
        "typo.yaml",
        &objectives().replace("total_query: sum(rate(orders_total", "total_query: sum(rate(order_total"),
    );
    let shop = shop();
    let arguments = ["alerts", "--binary", &shop, "--slo", &slo];
    let ran = run(&arguments);
    assert_eq!((ran.status, &*ran.stdout), (1, ""));
    let expected = format!(
        "error: {slo}: the program has no metric order_total; `metercast docs` says what it has, and --allow order_total that it is of another\n"
    );
    assert_eq!(ran.stderr, expected);
    let ran = run(&[&arguments[..], &["--allow", "order_total"]].concat());
    assert_eq!((ran.status, &*ran.stderr), (0, ""));
}

#[test]
fn a_file_that_has_no_objectives_is_called_so() {
    for (text, expected) in [
        ("", "it is to be a file of sloth"),
        ("slos: 3", "it is to be a file of sloth"),
        (&*objectives().replace("99.9", "100.5"), "100.5"),
        (&objectives().replace("{{.window}}", "5m"), "window"),
        ("&a [*a, *a]", "it is to be a file of sloth"),
    ] {
        let slo = file("wrong.yaml", text);
        let ran = run(&["alerts", "--binary", &shop(), "--slo", &slo]);
        assert_eq!((ran.status, &*ran.stdout), (1, ""), "{text}");
        assert!(ran.stderr.contains(expected) && ran.stderr.contains("wrong.yaml"), "{text}: {}", ran.stderr);
    }
}

/// What it refuses, again and again, until all of that is allowed.
fn asked_for(query: &str) -> Vec<String> {
    let objective = json!({ "name": "a", "objective": 99, "sli": { "raw": { "error_ratio_query": query } }, "alerting": { "name": "A" } });
    let objectives = json!({ "version": "prometheus/v1", "service": "a", "slos": [objective] });
    let (slo, shop) = (file("queries.yaml", &objectives.to_string()), shop());
    let mut found: Vec<String> = Vec::new();
    loop {
        let allowed: Vec<String> = found.iter().map(|name| format!("--allow={name}")).collect();
        let mut arguments = vec!["alerts", "--binary", &*shop, "--slo", &*slo];
        arguments.extend(allowed.iter().map(String::as_str));
        let ran = run(&arguments);
        if ran.status == 0 {
            found.sort();
            return found;
        }
        let name = ran.stderr.split("has no metric ").nth(1).and_then(|rest| rest.split(';').next());
        found.push(name.unwrap_or_else(|| panic!("{query}: {}", ran.stderr)).to_owned());
    }
}

#[test]
fn a_query_asks_for_the_metrics_that_another_parser_finds_in_it() {
    if !use_programs("a_query_asks_for_the_metrics_that_another_parser_finds_in_it", "python3") {
        return;
    }
    let queries: Vec<String> = QUERIES.iter().map(|query| query.replace("{{.window}}", "5m")).collect();
    let answers = Batch { queries, ..Batch::default() }.ask(env!("CARGO_TARGET_TMPDIR"));
    for (query, answer) in QUERIES.iter().zip(answers.queries) {
        let Query::Names(mut names) = answer else { panic!("{query}: {answer:?}") };
        // What is recorded by rules need not be the program's.
        names.retain(|name| !name.contains(':'));
        assert_eq!(asked_for(query), names, "{query}");
    }
}
