//! The executor pushes as JSON where the standard variables say, loses nothing, and says its last word on SIGTERM.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use conformance::http::{self, Answer, Request};
use serde_json::Value;

use crate::support::{Executor, tools};

/// A request that the receiver got, and when.
struct Got {
    at: Instant,
    head: String,
    path: String,
    body: Value,
}

type Received = Arc<Mutex<Vec<Got>>>;

/// A receiver that answers the first request with 429 and `Retry-After: 2`.
fn receiver() -> (String, Received) {
    let received = Received::default();
    let all = Arc::clone(&received);
    let url = http::serve(move |Request { head, path, body }| {
        let body = serde_json::from_slice(&body).expect("JSON");
        let mut all = all.lock().expect("no panic");
        all.push(Got { at: Instant::now(), head, path, body });
        if all.len() == 1 {
            Answer::status(429, "Retry-After: 2\r\n")
        } else {
            Answer::ok("application/json", "{}")
        }
    });
    (url, received)
}

/// The sum of a counter's points in a message.
fn sum(body: &Value, metric: &str) -> u64 {
    let of = |value: &Value, key: &str| value[key].as_array().cloned().unwrap_or_default();
    let resources = of(body, "resourceMetrics").into_iter();
    let scopes = resources.flat_map(|resource| of(&resource, "scopeMetrics"));
    let metrics = scopes.flat_map(|scope| of(&scope, "metrics"));
    let points =
        metrics.filter(|found| found["name"] == metric).flat_map(|found| of(&found["sum"], "dataPoints"));
    points.map(|point| point["asInt"].as_str().unwrap().parse::<u64>().unwrap()).sum()
}

#[test]
fn a_push_that_is_refused_comes_again_and_the_last_one_has_it_all() {
    let (receiver, received) = receiver();
    let variables = [
        ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", &*format!("{receiver}/v1/metrics")),
        ("OTEL_EXPORTER_OTLP_METRICS_HEADERS", "Authorization=Bearer a=b,X-Axiom-Dataset=d"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "200"),
    ];
    let executor = Executor::start(&tools(), "", &variables);
    executor.execute("", "manual", &["github.repos.get"]).unwrap();

    let until = Instant::now() + Duration::from_secs(20);
    while received.lock().unwrap().len() < 2 {
        assert!(Instant::now() < until, "no second push");
        std::thread::sleep(Duration::from_millis(20));
    }
    executor.execute("", "manual", &["github.repos.get", "slack.post"]).unwrap();
    let (status, took) = executor.end();
    assert!(status.success() && took < Duration::from_secs(5), "{status} after {took:?}");

    let received = received.lock().unwrap();
    assert!(received[1].at - received[0].at >= Duration::from_secs(2), "Retry-After is kept to");
    for Got { head, path, body, .. } in &*received {
        assert_eq!(path, "/v1/metrics");
        for header in ["content-type: application/json", "authorization: bearer a=b", "x-axiom-dataset: d"] {
            assert!(head.contains(header), "{header} is not in {head}");
        }
        let resource = body["resourceMetrics"][0]["resource"]["attributes"].to_string();
        assert!(resource.contains("executor-local"), "{resource}");
    }
    assert_eq!(sum(&received[1].body, "executor.tool_calls"), 1, "what was refused is not lost");
    let last = &received[received.len() - 1].body;
    assert_eq!(sum(last, "executor.tool_calls"), 3);
    assert_eq!(sum(last, "executor.execution.outcomes"), 2);
    assert_eq!(sum(last, "executor.trigger"), 2);
}

#[test]
fn an_interval_of_nothing_is_the_usual_one_and_the_last_push_has_all() {
    let bodies = Arc::<Mutex<Vec<Value>>>::default();
    let all = Arc::clone(&bodies);
    let receiver = http::serve(move |Request { body, .. }| {
        all.lock().expect("no panic").push(serde_json::from_slice(&body).expect("JSON"));
        Answer::ok("application/json", "{}")
    });
    let variables = [
        ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", &*format!("{receiver}/v1/metrics")),
        ("OTEL_METRIC_EXPORT_INTERVAL", "0"),
    ];
    let executor = Executor::start(&tools(), "", &variables);
    executor.execute("", "manual", &["github.repos.get"]).unwrap();
    let (status, took) = executor.end();
    assert!(status.success() && took < Duration::from_secs(5), "{status} after {took:?}");
    let bodies = bodies.lock().unwrap();
    assert!(bodies.len() <= 2, "pushed {} times", bodies.len());
    assert_eq!(sum(bodies.last().expect("the last push"), "executor.tool_calls"), 1);
}

#[test]
fn a_receiver_that_is_not_there_delays_neither_the_page_nor_the_end() {
    let variables = [("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "http://127.0.0.1:1/v1/metrics")];
    let executor = Executor::start(&tools(), "", &variables);
    executor.execute("", "manual", &["github.repos.get"]).unwrap();
    let with_push = own_lines(&executor.page("").1);
    let (status, took) = executor.end();
    assert!(status.success() && took < Duration::from_secs(5), "{status} after {took:?}");

    let executor = Executor::start(&tools(), "", &[]);
    executor.execute("", "manual", &["github.repos.get"]).unwrap();
    assert_eq!(own_lines(&executor.page("").1), with_push, "the page is the same without a push");
}

/// The lines of the service's own metrics, but for values that differ from run to run.
fn own_lines(page: &str) -> Vec<String> {
    let names = page.lines().filter(|line| line.contains("executor_"));
    let mut lines: Vec<_> =
        names.map(|line| line.rsplit_once(' ').map_or(line, |(name, _)| name).to_owned()).collect();
    lines.sort();
    lines
}

#[test]
fn a_token_that_is_not_taken_is_said_and_not_shown_and_nothing_is_lost_by_it() {
    let bodies = Arc::<Mutex<Vec<Value>>>::default();
    let all = Arc::clone(&bodies);
    let receiver = http::serve(move |Request { head, body, .. }| {
        let mut all = all.lock().expect("no panic");
        all.push(serde_json::from_slice(&body).expect("JSON"));
        // The right token comes late.
        assert!(head.contains("authorization: bearer s3cret"), "{head}");
        if all.len() == 1 { Answer::status(401, "") } else { Answer::ok("application/json", "{}") }
    });
    let variables = [
        ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", &*format!("{receiver}/v1/metrics")),
        ("OTEL_EXPORTER_OTLP_METRICS_HEADERS", "Authorization=Bearer s3cret"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "200"),
    ];
    let executor = Executor::start(&tools(), "", &variables);
    executor.execute("", "manual", &["github.repos.get"]).unwrap();
    let line = executor.line("401");
    assert!(line.contains(&receiver), "{line}");
    assert!(!executor.said().contains("s3cret"), "{}", executor.said());
    let (status, _) = executor.end();
    assert!(status.success(), "{status}");
    let bodies = bodies.lock().unwrap();
    assert_eq!(sum(bodies.last().expect("the last push"), "executor.tool_calls"), 1);
}
