//! Prometheus' own tool takes the rules, and each alert fires when it is to, and not when it is not.

use std::process::Command;

use conformance::use_programs;
use serde_json::{Value, json};

use crate::catalogue::{SERVICES, catalogue, metric, printed};
use crate::support::file;

/// Series and their values, a minute apart, as `promtool` writes them.
pub(crate) type Series<'a> = &'a [(&'a str, &'a str)];

/// Whose rules, which alert, with which series it fires, and with which it does not.
const CASES: &[(&str, &str, Series<'_>, Series<'_>)] = &[
    (
        "relay",
        "TargetDown",
        &[("up{job=\"relay\"}", "1x2 0x20")],
        &[("up{job=\"relay\"}", "1x2 0x4 1x9 0x4 1x9")],
    ),
    // By the time of the start.
    (
        "osapi",
        "RestartLoop",
        &[("process_start_time_seconds{job=\"agent\"}", "100x3 200x3 300x3 400x3 400x3")],
        &[("process_start_time_seconds{job=\"agent\"}", "100x9 200x9 300x9")],
    ),
    // By what begins at zero again.
    (
        "relay",
        "RestartLoop",
        &[("http_requests_total{job=\"relay\", code=\"200\"}", "9 1 9 1 9 1 9 1 9 1 9")],
        &[("http_requests_total{job=\"relay\", code=\"200\"}", "0+9x9 0+9x9 0+9x9")],
    ),
    (
        "router",
        "MetricsExporterFailing",
        &[("metercast_exporter_failures_total{job=\"router\", otel_component_name=\"central\"}", "0+1x40")],
        &[("metercast_exporter_failures_total{job=\"router\", otel_component_name=\"central\"}", "0x5 1x40")],
    ),
    (
        "router",
        "MetricsSeriesOverflow",
        &[("metercast_exporter_series_overflowed{job=\"router\", metric=\"a\"}", "3x20")],
        &[("metercast_exporter_series_overflowed{job=\"router\", metric=\"a\"}", "0x9 3x3 0x9")],
    ),
    (
        "router",
        "MetricsSeriesLimit",
        &[("metercast_series_limits_reached_total{job=\"router\", metric=\"a\"}", "1x20")],
        &[("metercast_series_limits_reached_total{job=\"router\", metric=\"a\"}", "0x20")],
    ),
    (
        "router",
        "MetricsRecordingsDropped",
        &[("metercast_recordings_dropped_total{job=\"router\", reason=\"not_finite\"}", "0+1x40")],
        &[("metercast_recordings_dropped_total{job=\"router\", reason=\"not_finite\"}", "7x40")],
    ),
    (
        "router",
        "ConfigurationReloadRefused",
        &[("metercast_config_last_reload_successful{job=\"router\"}", "1x5 0x20")],
        &[("metercast_config_last_reload_successful{job=\"router\"}", "1x5 0x3 1x20")],
    ),
    (
        "router",
        "HttpServerRequestErrors",
        &[
            (
                "http_server_request_duration_seconds_count{job=\"router\", http_response_status_code=\"200\"}",
                "0+90x60",
            ),
            (
                "http_server_request_duration_seconds_count{job=\"router\", http_response_status_code=\"500\"}",
                "0+10x60",
            ),
        ],
        &[
            (
                "http_server_request_duration_seconds_count{job=\"router\", http_response_status_code=\"200\"}",
                "0+99x60",
            ),
            (
                "http_server_request_duration_seconds_count{job=\"router\", http_response_status_code=\"404\"}",
                "0+90x60",
            ),
            (
                "http_server_request_duration_seconds_count{job=\"router\", http_response_status_code=\"500\"}",
                "0+2x60",
            ),
        ],
    ),
    (
        "router",
        "HttpServerRequestSlow",
        &[
            ("http_server_request_duration_seconds_bucket{job=\"router\", le=\"1\"}", "0+10x60"),
            ("http_server_request_duration_seconds_bucket{job=\"router\", le=\"2.5\"}", "0+11x60"),
            ("http_server_request_duration_seconds_bucket{job=\"router\", le=\"+Inf\"}", "0+11x60"),
        ],
        &[
            ("http_server_request_duration_seconds_bucket{job=\"router\", le=\"1\"}", "0+1000x60"),
            ("http_server_request_duration_seconds_bucket{job=\"router\", le=\"+Inf\"}", "0+1001x60"),
        ],
    ),
    (
        "relay",
        "HttpRequestsErrors",
        &[
            ("http_requests_total{job=\"relay\", code=\"200\"}", "0+90x60"),
            ("http_requests_total{job=\"relay\", code=\"502\"}", "0+10x60"),
        ],
        // Nobody asks for anything.
        &[
            ("http_requests_total{job=\"relay\", code=\"200\"}", "90x60"),
            ("http_requests_total{job=\"relay\", code=\"502\"}", "10x60"),
        ],
    ),
    // In milliseconds.
    (
        "relay",
        "HttpRequestSlow",
        &[
            ("http_request_latency_ms_bucket{job=\"relay\", le=\"1000\"}", "0+10x60"),
            ("http_request_latency_ms_bucket{job=\"relay\", le=\"2500\"}", "0+11x60"),
            ("http_request_latency_ms_bucket{job=\"relay\", le=\"+Inf\"}", "0+11x60"),
        ],
        &[
            ("http_request_latency_ms_bucket{job=\"relay\", le=\"1000\"}", "0+11x60"),
            ("http_request_latency_ms_bucket{job=\"relay\", le=\"+Inf\"}", "0+11x60"),
        ],
    ),
    (
        "osapi",
        "HttpServerRequestErrors",
        &[
            ("http_server_request_total{job=\"controller\", status=\"201\"}", "0+90x60"),
            ("http_server_request_total{job=\"controller\", status=\"503\"}", "0+10x60"),
        ],
        &[("http_server_request_total{job=\"controller\", status=\"201\"}", "0+90x60")],
    ),
];

/// All rules of a file.
pub(crate) fn rules(text: &str) -> Vec<Value> {
    let file: Value = serde_saphyr::from_str(text).unwrap();
    let groups = file["groups"].as_array().unwrap();
    groups.iter().flat_map(|group| group["rules"].as_array().unwrap().clone()).collect()
}

/// Has `promtool` check the rules, then work them out with these series: how many alerts of this name have fired by then.
#[track_caller]
pub(crate) fn assert_fired(
    name: &str,
    rules: &str,
    alert: &str,
    series: Series<'_>,
    until: &str,
    fired: usize,
) {
    let rules = file(&format!("{name}.yaml"), rules);
    promtool(&["check", "rules", &rules]);
    let input: Vec<Value> =
        series.iter().map(|(series, values)| json!({ "series": series, "values": values })).collect();
    let query = format!("count(max_over_time(ALERTS{{alertname=\"{alert}\", alertstate=\"firing\"}}[30d]))");
    let samples = if fired == 0 { json!([]) } else { json!([{ "value": fired }]) };
    let test = json!({
        "rule_files": [rules],
        "evaluation_interval": "1m",
        "tests": [{
            "interval": "1m",
            "input_series": input,
            "promql_expr_test": [{ "expr": query, "eval_time": until, "exp_samples": samples }],
        }],
    });
    promtool(&["test", "rules", &file(&format!("{name}-test.yaml"), &test.to_string())]);
}

#[track_caller]
fn promtool(arguments: &[&str]) {
    let output = Command::new("promtool")
        .args(arguments)
        .output()
        .expect("promtool runs; `cargo xtask test --only services` installs it");
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&said));
}

#[test]
fn each_alert_fires_for_its_job_when_it_is_to_and_only_then() {
    if !use_programs("each_alert_fires_for_its_job_when_it_is_to_and_only_then", "promtool") {
        return;
    }
    for (name, alert, fires, does_not) in CASES {
        let service = SERVICES.iter().find(|service| service.name == *name).unwrap();
        let rules = service.rules();
        assert_fired("fires", &rules, alert, fires, "1h", 1);
        assert_fired("does-not", &rules, alert, does_not, "1h", 0);
        let of_others: Vec<(String, &str)> = fires
            .iter()
            .map(|(series, values)| (series.replace("job=\"", "job=\"other-"), *values))
            .collect();
        let of_others: Vec<(&str, &str)> =
            of_others.iter().map(|(series, values)| (&**series, *values)).collect();
        assert_fired("of-others", &rules, alert, &of_others, "1h", 0);
    }
}

#[test]
fn the_rules_of_a_program_that_has_all_that_metercast_has_are_taken() {
    if !use_programs("the_rules_of_a_program_that_has_all_that_metercast_has_are_taken", "promtool") {
        return;
    }
    let rules =
        printed(&["alerts", "--binary", env!("CARGO_BIN_EXE_metercast"), "--errors", "1", "--slow", "0.25"]);
    promtool(&["check", "rules", &file("all.yaml", &rules)]);
    for limit in [
        "errors:ratio_rate5m{job=\"metercast\"} > 0.01",
        "duration:p99_rate5m{job=\"metercast\"} > 0.25",
        "> 250",
    ] {
        assert!(rules.contains(limit), "{limit}: {rules}");
    }
}

#[test]
fn what_is_slow_is_said_in_the_unit_of_the_metric() {
    for (unit, limit) in [("s", "> 1"), ("ms", "> 1000"), ("us", "> 1000000"), ("ns", "> 1000000000")] {
        let timed = metric("http.server.request.duration", "histogram", &json!({ "unit": unit }));
        let all = rules(&printed(&["alerts", "--binary", &catalogue("slow", &[timed])]));
        let slow = all.iter().find(|rule| rule["alert"] == "HttpServerRequestSlow").unwrap();
        assert!(slow["expr"].as_str().unwrap().ends_with(limit), "{unit}: {slow}");
    }
}

#[test]
fn every_alert_of_a_service_has_its_case() {
    for service in &SERVICES {
        for rule in rules(&service.rules()) {
            let Some(alert) = rule["alert"].as_str() else { continue };
            assert!(CASES.iter().any(|(_, name, ..)| *name == alert), "{}: {alert}", service.name);
        }
    }
}
