//! What is wrong with metrics is found as promlint finds it, by the semantic conventions, and by rules of one's own.

mod support;

use std::io::Write;
use std::process::{Command, Stdio};

use metercast::lint::{Finding, Linter, Metric, RuleSet, prometheus};
use metercast::testing::isolated;
use metercast::{
    Kind, Store, assert_lint_clean, f64_histogram_with_unit, metrics, u64_counter, u64_counter_with_unit,
    u64_gauge, u64_gauge_with_unit,
};

/// What promtool says, and the rule of ours that it is.
const RULES: &[(&str, &str)] = &[
    ("no help text", "help"),
    ("use base unit", "base-unit"),
    ("counter metrics should have \"_total\" suffix", "total"),
    ("non-counter metrics should not have \"_total\" suffix", "total"),
    ("non-histogram metrics should not have \"_bucket\" suffix", "reserved-suffix"),
    ("non-histogram and non-summary metrics should not have", "reserved-suffix"),
    ("non-histogram metrics should not have \"le\" label", "reserved-label"),
    ("non-summary metrics should not have \"quantile\" label", "reserved-label"),
    ("metric name should not include type", "kind-in-name"),
    ("metric names should not contain ':'", "colon"),
    ("metric names should be written in 'snake_case'", "camel-case"),
    ("label names should be written in 'snake_case'", "label-camel-case"),
    ("metric names should not contain abbreviated units", "abbreviated-unit"),
    ("metric not unique", "repeated"),
];

/// Runs `promtool check metrics`: each metric with the rule of ours that it broke, sorted.
fn promtool(page: &str) -> Vec<(String, &'static str)> {
    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    promtool.stdin.take().unwrap().write_all(page.as_bytes()).unwrap();
    let output = promtool.wait_with_output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
    assert!(matches!(output.status.code(), Some(0 | 3)), "{said}{page}");
    let problems = said.lines().map(|line| {
        let (metric, text) = line.split_once(' ').unwrap();
        let rule =
            RULES.iter().find(|(begin, _)| text.starts_with(begin)).unwrap_or_else(|| panic!("{line}"));
        (metric.to_owned(), rule.1)
    });
    let mut problems: Vec<_> = problems.collect();
    problems.sort_unstable();
    // It says of each series what is wrong with a label; we say it once.
    problems.dedup();
    problems
}

fn ours(page: &str) -> Vec<(String, &'static str)> {
    let rule = |finding: &Finding| RULES.iter().find(|(_, rule)| *rule == finding.rule).unwrap().1;
    // Not every version of promtool looks for series that are there twice.
    let findings = prometheus::check(page).into_iter().filter(|finding| finding.rule != "repeated");
    let mut findings: Vec<_> = findings.map(|finding| (finding.metric.clone(), rule(&finding))).collect();
    findings.sort_unstable();
    findings.dedup();
    findings
}

/// A metric of each kind with this name and these labels.
fn page(name: &str, kind: &str, labels: &str, help: bool) -> String {
    let mut page = if help { format!("# HELP {name} Help\n") } else { String::new() };
    if !kind.is_empty() {
        page += &format!("# TYPE {name} {kind}\n");
    }
    let and = if labels.is_empty() { "" } else { "," };
    page + &match kind {
        "histogram" => format!(
            "{name}_bucket{{{labels}{and}le=\"1\"}} 1\n{name}_bucket{{{labels}{and}le=\"+Inf\"}} 1\n\
             {name}_sum{{{labels}}} 1\n{name}_count{{{labels}}} 1\n"
        ),
        "summary" => format!(
            "{name}{{{labels}{and}quantile=\"0.5\"}} 1\n{name}_sum{{{labels}}} 1\n{name}_count{{{labels}}} 1\n"
        ),
        _ => format!("{name}{{{labels}}} 1\n"),
    }
}

#[test]
fn every_odd_page_has_the_findings_of_promtool() {
    if !conformance::use_programs("every_odd_page_has_the_findings_of_promtool", "promtool") {
        return;
    }
    let mut parts = vec![
        "total",
        "bucket",
        "count",
        "sum",
        "gauge",
        "counter_x",
        "histogram",
        "summary",
        "x_summary_y",
        "ms",
        "s",
        "x_b_y",
        "KB",
        "d",
        "sec",
        "fooBar",
        "seconds",
        "milliseconds",
        "microseconds_total",
        "hours",
        "days",
        "weeks",
        "bits",
        "kilobytes",
        "mebibytes",
        "mibibytes",
        "gigabytes",
        "bytes_total",
        "celsius",
        "kelvins",
        "fahrenheit",
        "metres",
        "kilometers",
        "inches",
        "ounces",
        "volts",
        "x:y",
        "untyped",
        "decagrams",
        "info",
    ];
    parts.push("plain");
    let mut compared = 0;
    for kind in ["counter", "gauge", "histogram", "summary", "untyped", ""] {
        let mut whole = String::new();
        for (n, part) in parts.iter().enumerate() {
            for (m, labels) in
                ["", "a=\"1\"", "le=\"1\"", "quantile=\"1\"", "userId=\"a\\\"b,c=\\\"\"", "a=\"1\",bC=\"2\""]
                    .iter()
                    .enumerate()
            {
                let reserved = if kind == "histogram" { "le=" } else { "quantile=" };
                if matches!(kind, "histogram" | "summary") && labels.starts_with(reserved) {
                    continue;
                }
                let name = format!("x{n}y{m}_{part}");
                whole += &page(&name, kind, labels, (n + m) % 3 != 0);
            }
        }
        let (expected, found) = (promtool(&whole), ours(&whole));
        for (theirs, mine) in expected.iter().zip(&found) {
            assert_eq!(theirs, mine, "{kind}");
        }
        assert_eq!(expected.len(), found.len(), "{kind}");
        compared += found.len();
    }
    assert!(compared > 1_000, "{compared}");
}

#[test]
fn pages_of_ours_have_the_findings_of_promtool_too() {
    if !conformance::use_programs("pages_of_ours_have_the_findings_of_promtool_too", "promtool") {
        return;
    }
    isolated(|store| {
        u64_counter_with_unit!("page.clean", "Clean", "{order}", 1);
        f64_histogram_with_unit!("page.wait_ms", "", "ms", 3.0, "userId" => "a");
        u64_gauge!("page.requests.count", "Requests", 1);
        let page = metercast::PrometheusPage::new("own", metercast::Log::default()).render(store);
        let expected = promtool(&page);
        assert_eq!(ours(&page), expected);
        assert!(expected.len() >= 4, "{expected:?}");
    });
}

metrics! {
    /// Time to answer.
    static DURATION: Histogram<f64> = "http.server.request.duration" { unit: "ms" };
    /// The same name but for its case.
    static CASE: Counter<u64> = "Lint.Orders" { unit: "{order}" };
    /// The same name but for its case.
    static LOWER: Counter<u64> = "lint.orders" { unit: "{order}" };
    /// The same name on a page.
    static SPELLED: Counter<u64> = "lint_orders" { unit: "{order}" };
}

fn findings(linter: &Linter) -> Vec<(String, String)> {
    let found = linter.check(&Store::current());
    found.into_iter().map(|finding| (finding.metric, finding.rule.into_owned())).collect()
}

/// Only the semantic conventions.
fn conventions() -> Linter {
    Linter::new().rules(metercast::lint::conventions::check)
}

#[test]
fn the_semantic_conventions_hold_names_units_and_help() {
    isolated(|_| {
        DURATION.record(3.0);
        CASE.add(1);
        LOWER.add(1);
        SPELLED.add(1);
        u64_counter!("clean.of_unit", "No unit", 1);
        u64_counter_with_unit!("clean.packets", "Packets", "packets", 1);
        u64_counter_with_unit!("clean.bytes_total", "Bytes", "bytes", 1);
        u64_gauge_with_unit!("clean.size.bytes", "Size", "By", 1, "userId" => 1);
        f64_histogram_with_unit!("clean.job.duration", "", "min", 1.0);
        let found = findings(&conventions());
        let expected = [
            ("Lint.Orders", "name"),
            ("clean.bytes_total", "total-in-name"),
            ("clean.bytes_total", "unit"),
            ("clean.job.duration", "duration"),
            ("clean.job.duration", "help"),
            ("clean.of_unit", "no-unit"),
            ("clean.packets", "unit"),
            ("clean.size.bytes", "label"),
            ("clean.size.bytes", "unit-in-name"),
            ("http.server.request.duration", "known"),
            ("http.server.request.duration", "unit-prefix"),
            ("lint.orders", "same-but-case"),
            ("lint_orders", "same-on-page"),
        ];
        let mut found: Vec<_> = found.iter().map(|(metric, rule)| (metric.as_str(), rule.as_str())).collect();
        found.sort_unstable();
        assert_eq!(found, expected);
        let said = conventions()
            .check(&Store::current())
            .into_iter()
            .find(|finding| finding.metric == "clean.packets");
        let said = said.unwrap().to_string();
        assert!(
            said.starts_with(
                "clean.packets: \"packets\" is no unit of UCUM; write {packet} (unit, defined at "
            ),
            "{said}"
        );
    });
}

#[test]
fn what_is_allowed_is_not_found_and_the_rest_fails_with_all_findings() {
    isolated(|_| {
        u64_counter!("legacy.orders", "Orders", 1);
        assert_lint_clean!(Linter::standard().allow("no-unit", "legacy.*"));
        u64_counter!("legacy.refused", "", 1);
        let panic = std::panic::catch_unwind(|| assert_lint_clean!()).unwrap_err();
        let said = panic.downcast_ref::<String>().unwrap();
        assert!(
            said.starts_with("the metrics of this store are not clean:\n  legacy.orders: there is no unit"),
            "{said}"
        );
        assert_eq!(said.matches("legacy").count(), 3, "what promlint finds too is said once: {said}");
    });
}

/// The rules of a gateway for the metrics of its features: each has a counter `<prefix>.operations.<feature>` and a gauge
/// `<prefix>.config.<feature>`, whose attributes begin with `opt.`; other attributes begin with the feature, and none is the
/// operation's name; that a feature is experimental does not show in a name.
struct Features {
    prefix: &'static str,
}

impl RuleSet for Features {
    fn check(&self, metrics: &[Metric], findings: &mut Vec<Finding>) {
        let feature = |metric: &Metric, of: &str| {
            let rest = metric
                .name()
                .strip_prefix(self.prefix)?
                .strip_prefix('.')?
                .strip_prefix(of)?
                .strip_prefix('.')?;
            Some(rest.to_owned())
        };
        let features = |of: &str| metrics.iter().filter_map(|metric| feature(metric, of)).collect::<Vec<_>>();
        let (operations, configs) = (features("operations"), features("config"));
        for metric in metrics {
            let mut find = |rule: &'static str, text: String, mend: &str| {
                findings.push(Finding::new(metric, rule, text, mend));
            };
            if !metric.name().starts_with(&format!("{}.", self.prefix)) {
                find(
                    "feature-prefix",
                    format!("the name does not begin with {}", self.prefix),
                    "put it before",
                );
            }
            if metric.name().contains("experimental") {
                find(
                    "feature-experimental",
                    "the name says that it is experimental".into(),
                    "leave that out",
                );
            }
            if let Some(feature) = feature(metric, "operations") {
                if metric.kind() != Kind::Counter {
                    find("feature-kind", "operations are counted".into(), "make it a counter");
                }
                if !configs.contains(&feature) {
                    find(
                        "feature-config",
                        format!("{feature} has no config metric"),
                        "add the gauge of its configuration",
                    );
                }
                let own = feature.split('.').next().unwrap_or_default();
                for label in metric.labels().filter(|label| !label.starts_with(&format!("{own}."))) {
                    find(
                        "feature-attribute",
                        format!("the attribute {label} does not begin with {own}"),
                        "put it before",
                    );
                }
            }
            if let Some(feature) = feature(metric, "config") {
                if metric.kind() != Kind::Gauge {
                    find("feature-kind", "a configuration is a gauge".into(), "make it a gauge");
                }
                if !operations.contains(&feature) {
                    find(
                        "feature-operations",
                        format!("{feature} has no operations metric"),
                        "count its operations",
                    );
                }
                for label in metric.labels().filter(|label| !label.starts_with("opt.")) {
                    find(
                        "feature-attribute",
                        format!("the attribute {label} does not begin with opt"),
                        "put it before",
                    );
                }
            }
            if metric.labels().any(|label| label.ends_with("operation.name")) {
                find(
                    "feature-cardinality",
                    "the operation's name is an attribute".into(),
                    "remove it: it is not bounded",
                );
            }
        }
    }
}

#[test]
fn the_rules_of_a_gateway_are_a_rule_set_of_its_own() {
    let linter = || Linter::new().rules(Features { prefix: "acme.gateway" });
    isolated(|_| {
        u64_counter!("acme.gateway.operations.jwt", "Tokens checked", 1, "jwt.failed" => true);
        u64_gauge!("acme.gateway.config.jwt", "Whether tokens are checked", 1, "opt.keys" => 2);
        assert_lint_clean!(linter());
    });
    isolated(|_| {
        u64_counter!("acme.gateway.operations.batching", "Batches", 1, "size" => 3, "graphql.operation.name" => "Q");
        u64_gauge!("acme.gateway.config.experimental_cache", "Whether there is a cache", 1, "keys" => 2);
        u64_gauge!("acme.gateway.operations.cache", "Lookups", 1);
        u64_counter!("router.other", "Other", 1);
        let mut found = findings(&linter());
        found.sort_unstable();
        let found: Vec<_> = found.iter().map(|(metric, rule)| (metric.as_str(), rule.as_str())).collect();
        let expected = [
            ("acme.gateway.config.experimental_cache", "feature-attribute"),
            ("acme.gateway.config.experimental_cache", "feature-experimental"),
            ("acme.gateway.config.experimental_cache", "feature-operations"),
            ("acme.gateway.operations.batching", "feature-attribute"),
            ("acme.gateway.operations.batching", "feature-attribute"),
            ("acme.gateway.operations.batching", "feature-cardinality"),
            ("acme.gateway.operations.batching", "feature-config"),
            ("acme.gateway.operations.cache", "feature-config"),
            ("acme.gateway.operations.cache", "feature-kind"),
            ("router.other", "feature-prefix"),
        ];
        assert_eq!(found, expected);
    });
}
