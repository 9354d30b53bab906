//! Panels by kind and unit, and metrics of which little is known or whose names are hostile.

use serde_json::{Value, json};

use crate::catalogue::{catalogue, dashboard, metric, printed};
use crate::dashboard::{Panel, panels};
use crate::schema::troubles;

const SELECTOR: &str = "job=~\"$job\", instance=~\"$instance\"";

/// The panels of the rows behind the golden signals that are of one metric.
fn of(name: &str, kind: &str, more: &Value) -> Vec<Panel> {
    let dashboard = dashboard("one", &[metric(name, kind, more)]);
    assert_eq!(troubles(&dashboard), [""; 0], "{name}");
    let golden = ["Rate", "Errors", "Duration", "Failures", "Saturation", "Used"];
    panels(&dashboard).into_iter().filter(|panel| !golden.contains(&&*panel.title)).collect()
}

#[test]
fn a_panel_is_what_the_kind_of_its_metric_needs() {
    let label = json!({ "labels": [{ "prometheus": "side", "values": { "one_of": ["buy", "sell"], "fallback": null } }] });
    for (name, kind, title, view, query, legend) in [
        (
            "a_total",
            "counter",
            "a_total per second",
            "timeseries",
            "sum by (side) (rate(a_total{S}[$__rate_interval]))",
            "{{side}}",
        ),
        ("a", "up_down_counter", "a", "timeseries", "sum by (side) (a{S})", "{{side}}"),
        ("a", "gauge", "a", "timeseries", "a{S}", "{{instance}} {{side}}"),
        ("a", "unknown", "a", "timeseries", "a{S}", "{{instance}} {{side}}"),
        ("a_info", "gauge", "a_info", "table", "a_info{S}", ""),
        (
            "a",
            "summary",
            "a quantiles",
            "timeseries",
            "a{S, quantile=~\".+\"}",
            "{{instance}} {{side}} {{quantile}}",
        ),
        (
            "a_start_time_seconds",
            "gauge",
            "time since a_start_time_seconds",
            "timeseries",
            "time() - (a_start_time_seconds{S} > 0)",
            "{{instance}} {{side}}",
        ),
    ] {
        let [panel] = &of(name, kind, &label)[..] else { panic!("{name}") };
        assert_eq!((&*panel.title, &*panel.kind), (title, view));
        assert_eq!((&*panel.queries[0], &*panel.legends[0]), (&*query.replace('S', SELECTOR), legend));
        assert!(!panel.has_exemplars);
    }
    let [quantiles, heatmap] = &of("a", "histogram", &label)[..] else { panic!("two panels") };
    assert_eq!((&*quantiles.title, &*heatmap.title), ("a quantiles", "a heatmap"));
    assert_eq!((&*quantiles.kind, &*heatmap.kind), ("timeseries", "heatmap"));
    assert_eq!(quantiles.legends, ["p50", "p95", "p99"]);
    let expected = "histogram_quantile(0.95, sum by (le) (rate(a_bucket{S}[$__rate_interval])))";
    assert_eq!(quantiles.queries[1], expected.replace('S', SELECTOR));
    let expected = "sum by (le) (increase(a_bucket{S}[$__rate_interval]))";
    assert_eq!(heatmap.queries[0], expected.replace('S', SELECTOR));
    assert!(quantiles.has_exemplars && heatmap.has_exemplars);
}

#[test]
fn units_are_those_of_grafana() {
    for (name, kind, unit, expected) in [
        ("a", "gauge", "s", "s"),
        ("a", "gauge", "By", "bytes"),
        ("a", "gauge", "{thing}", "short"),
        ("a", "gauge", "parsec", "short"),
        ("a_ratio", "gauge", "1", "percentunit"),
        ("a_percent", "gauge", "", "percent"),
        ("a_bytes", "gauge", "", "bytes"),
        ("a_latency_ms", "histogram", "", "ms"),
        ("a_seconds_total", "counter", "", "percentunit"),
        ("a_total", "counter", "By", "binBps"),
        ("a_total", "counter", "{request}", "reqps"),
        ("a_total", "counter", "", "cps"),
    ] {
        for panel in of(name, kind, &json!({ "unit": unit })) {
            assert_eq!(panel.unit, expected, "{name} {kind} in {unit:?}");
        }
    }
}

#[test]
fn a_metric_whose_labels_nobody_knows_shows_what_tells_its_series_apart() {
    let [panel] = &of("a_total", "counter", &json!({ "open_labels": true, "places": [] }))[..] else {
        panic!()
    };
    let expected = "topk(20, sum without (instance) (rate(a_total{S}[$__rate_interval])))";
    assert_eq!((&panel.queries[0], &*panel.legends[0]), (&expected.replace('S', SELECTOR), "__auto"));
    let [panel] = &of("a", "gauge", &json!({ "open_labels": true, "places": [] }))[..] else { panic!() };
    assert_eq!((&panel.queries[0], &*panel.legends[0]), (&"a{S}".replace('S', SELECTOR), "__auto"));
}

#[test]
fn labels_with_few_values_come_first_and_the_others_are_summed_over() {
    let label = |name: &str, values: Value| json!({ "prometheus": name, "values": values });
    let labels = json!({ "description": "What.", "labels": [
        label("a", json!("text")), label("b", json!("whole")), label("c", json!("text")),
        label("d", json!({ "one_of": ["x"], "fallback": "y" })), label("server_address", json!("text")),
    ] });
    let all = dashboard("labels", &[metric("a_total", "counter", &labels)]);
    let panel = panels(&all).pop().unwrap();
    assert_eq!(panel.legends, ["{{a}} {{b}} {{d}}"]);
    let text = all.to_string();
    assert!(text.contains("What.\\n\\nSummed over c, server_address."), "{text}");
}

#[test]
fn names_of_any_letters_are_quoted() {
    let hostile = "a.b\"} or vector(1) #\\\n";
    let label = json!({ "labels": [{ "prometheus": "l.m\"", "values": "text" }], "places": [{ "package": hostile }] });
    let [panel] = &of(hostile, "counter", &label)[..] else { panic!() };
    let name = "\"a.b\\\"} or vector(1) #\\\\\\n\"";
    assert_eq!(
        panel.queries[0],
        format!("sum by (\"l.m\\\"\") (rate({{{name}, {SELECTOR}}}[$__rate_interval]))")
    );
    // And the rules are the YAML that they are meant to be.
    let metrics = [
        metric(hostile, "counter", &json!({})),
        metric("metercast.config.last_reload_successful", "gauge", &json!({})),
    ];
    let job = "a\": b'|\\ #  - {c}\n\u{85}";
    let text = printed(&["alerts", "--binary", &catalogue("hostile", &metrics), "--job", job]);
    let rules = crate::alerts::rules(&text);
    let quoted = "\"a\\\": b'|\\\\ #  - {c}\\n\\u0085\"";
    assert_eq!(rules[0]["expr"], format!("up{{job={quoted}}} == 0"));
}

#[test]
fn what_is_private_stands_on_no_page_and_in_no_panel() {
    let metrics =
        [metric("a", "gauge", &json!({})), metric("b", "gauge", &json!({ "visibility": "private" }))];
    let text = dashboard("private", &metrics).to_string();
    assert!(!text.contains("b{"), "{text}");
}

#[test]
fn golden_signals_are_found_by_names_and_labels() {
    let code = json!({ "labels": [{ "prometheus": "code", "values": "whole" }] });
    let status = json!({ "labels": [{ "prometheus": "status", "values": { "one_of": ["done", "failed", "error"], "fallback": null } }] });
    let metrics = [
        metric("http_requests_total", "counter", &code),
        metric("http_request_duration_seconds", "histogram", &json!({})),
        metric("http_client_requests_total", "counter", &code),
        metric("jobs_total", "counter", &status),
        metric("mails_rejected_total", "counter", &json!({})),
        metric("pool_active", "gauge", &json!({})),
        metric("pool_max", "gauge", &json!({})),
        metric("queue_depth", "gauge", &json!({})),
        metric("otel.sdk.exporter.operation.duration", "histogram", &json!({ "unit": "s" })),
    ];
    let all = panels(&dashboard("golden", &metrics));
    let of = |title: &str| all.iter().find(|panel| panel.title == title).unwrap();
    assert_eq!(of("Rate").legends, ["http requests", "jobs"]);
    assert_eq!(of("Errors").legends, ["http requests", "jobs"]);
    assert!(of("Errors").queries[0].contains("code=~\"5..\""), "{:?}", of("Errors"));
    assert!(of("Errors").queries[1].contains("status=~\"failed|error\""), "{:?}", of("Errors"));
    assert_eq!(of("Duration").legends, ["p50", "p95", "p99"]);
    assert!(of("Duration").queries[0].contains("http_request_duration_seconds_bucket"));
    assert_eq!(of("Failures").legends, ["mails_rejected_total"]);
    assert_eq!(of("Saturation").legends, ["pool_active", "queue_depth"]);
    assert_eq!(of("Used").queries, ["sum(pool_active{S}) / sum(pool_max{S})".replace('S', SELECTOR)]);
}

#[test]
fn a_title_makes_the_same_uid_each_time_and_another_one_another() {
    let catalogue = catalogue("uid", &[metric("a", "gauge", &json!({}))]);
    let uid = |title: &str| {
        let text = printed(&["grafana", "--binary", &catalogue, "--title", title]);
        let dashboard: Value = serde_json::from_str(&text).unwrap();
        assert_eq!((troubles(&dashboard), &dashboard["title"]), (vec![], &json!(title)));
        dashboard["uid"].as_str().unwrap().to_owned()
    };
    assert_eq!(uid("shop"), "metercast-shop");
    let long = "The shop, as it is in the city of \u{fc}ber";
    assert_eq!(uid(long), uid(long));
    assert_ne!(uid("a b"), uid("a-b"));
    assert_ne!(uid(&format!("{long}1")), uid(&format!("{long}2")));
}
