//! What was run stands on the page, for whom it is.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use conformance::http;
use conformance::oracle::prometheus::Prometheus;
use conformance::use_programs;

use crate::support::{Executor, tools, tools_but};

/// Two executions, of which one fails since its tool answers with 502.
fn run_two() -> Executor {
    let executor = Executor::start(&tools_but("slack.post"), "", &[]);
    let report = executor.execute("", "manual", &["github.repos.get"]).unwrap();
    assert_eq!(report["status"], "completed");
    assert_eq!(report["calls"][0]["bytes"], 10);
    let report = executor.execute("", "manual", &["github.repos.get", "slack.post", "never.called"]).unwrap();
    assert_eq!(report["status"], "failed");
    assert_eq!(report["calls"].as_array().unwrap().len(), 2, "nothing is called after a failure");
    executor
}

fn assert_lines(page: &str, lines: &[&str]) {
    for line in lines {
        assert!(page.lines().any(|found| found == *line), "{line}\nis not on\n{page}");
    }
}

#[test]
fn what_was_run_is_on_the_page_in_every_kind_of_metric() {
    let executor = run_two();
    let (head, page) = executor.page("");
    assert!(head.contains("content-type: text/plain; version=0.0.4"), "{head}");
    assert!(page.ends_with('\n') && !page.ends_with("\n\n"));
    assert_lines(
        &page,
        &[
            "# HELP executor_tool_calls Number of tool invocations",
            "# TYPE executor_tool_calls counter",
            "executor_tool_calls{tool_path=\"github.repos.get\",namespace=\"github\"} 2",
            "executor_tool_calls{tool_path=\"slack.post\",namespace=\"slack\"} 1",
            "executor_execution_outcomes{status=\"completed\"} 1",
            "executor_execution_outcomes{status=\"failed\"} 1",
            "# TYPE executor_execution_duration_ms histogram",
            "executor_execution_duration_ms_count 2",
            "executor_execution_duration_ms_bucket{le=\"+Inf\"} 2",
            "executor_tool_call_duration_ms_count 3",
            "# TYPE executor_executions_active gauge",
            "executor_executions_active 0",
            "# TYPE executor_trigger counter",
            "executor_trigger{bucket=\"manual\"} 2",
            "# TYPE executor_result_bytes summary",
            "executor_result_bytes_count 3",
            "executor_result_bytes_sum 20",
        ],
    );
    let count = |start: &str| page.lines().filter(|line| line.starts_with(start)).count();
    assert_eq!(count("executor_execution_duration_ms_bucket{"), 15, "14 bounds, and one for the rest");
    assert_eq!(count("executor_tool_call_duration_ms_bucket{"), 12, "11 bounds, and one for the rest");
    assert_eq!(count("executor_execution_duration_ms_bucket{le=\"+Inf\"}"), 1);
    assert_eq!(count("executor_result_bytes{quantile="), 3);
    assert!(!page.contains("NaN"), "{page}");
    assert!(!page.contains("tenant"), "{page}");
}

#[test]
fn a_name_that_somebody_gives_a_tool_cannot_break_the_page() {
    let executor = Executor::start(&tools(), "", &[]);
    executor.execute("", "' or 1=1", &["a\"b\\c\n"]).unwrap();
    let (_, page) = executor.page("");
    assert_lines(
        &page,
        &[
            r#"executor_tool_calls{tool_path="a\"b\\c\n",namespace="a\"b\\c\n"} 1"#,
            r#"executor_trigger{bucket="other"} 1"#,
        ],
    );
}

#[test]
fn who_calls_ever_new_tools_gets_no_series_for_each_and_takes_none_from_others() {
    let tenants = "[executor.tenants]\nT1 = \"one-secret\"\nT2 = \"two-secret\"\n";
    let executor = Executor::start(&tools(), tenants, &[]);
    let calls: Vec<String> = (0..300).map(|n| format!("tool.{n}")).collect();
    let calls: Vec<&str> = calls.iter().map(String::as_str).collect();
    executor.execute("one-secret", "manual", &calls).unwrap();
    executor.execute("two-secret", "manual", &["slack.post"]).unwrap();
    let (_, one) = executor.page("Authorization: Bearer one-secret\r\n");
    assert_eq!(one.lines().filter(|line| line.starts_with("executor_tool_calls{")).count(), 101);
    assert_lines(&one, &["executor_tool_calls{tool_path=\"other\",namespace=\"other\"} 200"]);
    let (_, two) = executor.page("Authorization: Bearer two-secret\r\n");
    assert_lines(&two, &["executor_tool_calls{tool_path=\"slack.post\",namespace=\"slack\"} 1"]);
}

#[test]
fn the_page_is_given_to_whoever_asks_for_it_as_scrapers_do() {
    let executor = run_two();
    let (head, page) = executor.page("Accept: application/openmetrics-text;version=1.0.0\r\n");
    assert!(head.contains("content-type: application/openmetrics-text; version=1.0.0"), "{head}");
    assert!(page.ends_with("\n# EOF\n"));
    let (status, head, body) = executor.ask("POST", "");
    assert!(
        status == 405 && head.contains("allow: get, head") && !body.contains("executor_"),
        "{head}{body}"
    );
}

#[test]
fn a_prometheus_takes_every_sample_once() {
    if !use_programs("a_prometheus_takes_every_sample_once", "prometheus") {
        return;
    }
    let executor = run_two();
    let address = executor.url.strip_prefix("http://").unwrap();
    let mut prometheus = Prometheus::start(address, &[("executor".to_owned(), "/api/metrics".to_owned())]);
    let scraped = prometheus.read_back(1);
    assert!(scraped["executor"].is_ok(), "{scraped:?}");
    assert_eq!(prometheus.own("prometheus_target_scrapes_sample_duplicate_timestamp_total"), Some(0.0));
    let value = |query: &str| match &prometheus.series(query)[..] {
        [(_, value)] => *value,
        other => panic!("{query}: {other:?}"),
    };
    assert_eq!(value("up"), 1.0);
    assert_eq!(value("executor_execution_duration_ms_count"), 2.0);
    assert_eq!(value("executor_trigger{bucket=\"manual\"}"), 2.0);
    assert_eq!(value("sum(executor_tool_calls)"), 3.0);
    assert_eq!(value("executor_execution_duration_ms_bucket{le=\"+Inf\"}"), 2.0);
}

#[test]
fn a_tenant_sees_what_is_his_and_nothing_else() {
    let tenants = "[executor.tenants]\nT1 = \"one-secret\"\nT2 = \"two-secret\"\n";
    let executor = Executor::start(&tools(), tenants, &[]);
    executor.execute("one-secret", "manual", &["github.repos.get"]).unwrap();
    for _ in 0..5 {
        executor.execute("two-secret", "webhook", &["of-the-second.tool"]).unwrap();
    }
    let (_, one) = executor.page("Authorization: Bearer one-secret\r\n");
    assert_lines(
        &one,
        &[
            "executor_execution_outcomes{status=\"completed\"} 1",
            "executor_execution_duration_ms_count 1",
            "executor_trigger{bucket=\"manual\"} 1",
        ],
    );
    let calls: Vec<&str> = one.lines().filter(|line| line.starts_with("executor_tool_calls{")).collect();
    assert!(
        matches!(calls[..], [line] if line.contains("github.repos.get") && line.ends_with("} 1")),
        "{calls:?}"
    );
    for foreign in ["second", "webhook", "T1", "T2", "tenant", "metercast"] {
        assert!(!one.contains(foreign), "{foreign} is on\n{one}");
    }
    assert!(one.lines().all(|line| line.contains("executor_")), "nothing of the whole process is on\n{one}");
    let (_, two) = executor.page("authorization: bearer two-secret\r\n");
    assert_lines(&two, &["executor_execution_outcomes{status=\"completed\"} 5"]);

    for stranger in ["", "Authorization: Bearer three\r\n", "Authorization: Basic one-secret\r\n"] {
        let (status, head, body) = executor.ask("GET", stranger);
        assert!(status == 401 && head.contains("www-authenticate: bearer"), "{head}");
        assert!(!body.contains("executor_"), "{body}");
    }
    assert_eq!(executor.execute("three", "manual", &[]), Err(401));
}

#[test]
fn a_stranger_is_turned_away_before_what_he_sends_is_read() {
    let executor = Executor::start(&tools(), "[executor.tenants]\nT1 = \"one-secret\"\n", &[]);
    let url = format!("{}/api/executions", executor.url);
    let json = "Content-Type: application/json\r\n";
    let ask = |headers: &str, body: &[u8]| http::ask(&url, "POST", headers, body).expect("an answer").0;
    for body in ["{", "", r#"{"trigger":"manual"}"#, r#"{"trigger":"manual","calls":[]}"#] {
        for stranger in ["", "Authorization: Bearer three\r\n"] {
            assert_eq!(ask(&format!("{json}{stranger}"), body.as_bytes()), 401, "{body}");
        }
    }
    assert_eq!(ask("", b"not JSON at all"), 401);
    assert_eq!(ask(&format!("{json}Authorization: Bearer one-secret\r\n"), b"{"), 400);

    // A body that never comes is not waited for.
    let mut stream = TcpStream::connect(executor.url.strip_prefix("http://").unwrap()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    write!(stream, "POST /api/executions HTTP/1.1\r\nHost: x\r\n{json}Content-Length: 1000\r\n\r\n").unwrap();
    let mut status = [0; 12];
    stream.read_exact(&mut status).unwrap();
    assert_eq!(&status, b"HTTP/1.1 401");
}
