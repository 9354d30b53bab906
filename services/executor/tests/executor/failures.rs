//! What is not there, taken or not meant: said to who runs it, with its place, and nothing that was counted is lost.

use std::net::TcpListener;
use std::time::Duration;

use conformance::Unasked;
use conformance::authority::Authority;
use conformance::program::{Folder, free_address};

use crate::support::{Executor, tools};

/// Where to listen, a configuration, variables, and what is said of them.
type Refused<'c> = (&'c str, &'c str, &'c [(&'c str, &'c str)], &'c [&'c str]);

#[test]
fn settings_that_cannot_be_meant_are_refused_with_their_place() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = listener.local_addr().unwrap().to_string();
    let free = "127.0.0.1:0";
    let push = "[telemetry.exporters.central]\ntype = 'otlp'\nendpoint = 'http://127.0.0.1:1'\n";
    let cases: [Refused<'_>; 9] = [
        (&taken, "", &[], &["--listen", &taken]),
        ("nowhere", "", &[], &["--listen", "nowhere"]),
        (free, "[executor]\ntenents = {}\n", &[], &["executor.toml:2", "tenents", "tenants"]),
        (free, "[executor.tenants]\nT1 = 's3cret'\nT2 = 's3cret'\n", &[], &["T1", "T2", "same token"]),
        (free, "[executor.tenants]\nT1 = 4711\n", &[], &["executor.toml:2: expected a string"]),
        (free, "[executor.tenants]\nT1 = ''\n", &[], &["executor.tenants", "empty"]),
        (free, &format!("{push}intervall = '1s'\n"), &[], &["executor.toml:4", "did you mean \"interval\"?"]),
        (free, &format!("{push}interval = '0s'\n"), &[], &["executor.toml:4", "interval"]),
        (
            free,
            "",
            &[("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "ftp://c")],
            &["OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "ftp://c"],
        ),
    ];
    for (listen, config, variables, expected) in cases {
        let (status, said) = Executor::refused(listen, config, variables);
        assert!(!status.success(), "{config}{variables:?}\n{said}");
        assert!(expected.iter().all(|text| said.contains(text)), "{config}\n{said}\n{expected:?}");
        assert!(!said.contains("s3cret") && !said.contains("4711") && !said.contains("panicked"), "{said}");
    }
}

#[test]
fn tools_that_are_not_there_fail_what_asks_for_them_and_nothing_else() {
    let executor = Executor::start(&format!("http://{}/", free_address()), "", &[]);
    for _ in 0..3 {
        let report = executor.execute("", "manual", &["github.repos.get"]).unwrap();
        assert_eq!(report["status"], "failed");
        assert!(report["calls"][0]["error"].is_string(), "{report}");
    }
    let (_, page) = executor.page("");
    for line in [
        "executor_execution_outcomes{status=\"failed\"} 3",
        "executor_execution_duration_ms_count 3",
        "executor_executions_active 0",
        "executor_tool_calls{tool_path=\"github.repos.get\",namespace=\"github\"} 3",
        "executor_tool_call_duration_ms_count 3",
    ] {
        assert!(page.lines().any(|found| found == line), "{line}\nis not on\n{page}");
    }
    assert!(!page.contains("executor_result_bytes_count"), "nobody answered\n{page}");
}

#[test]
fn who_is_not_asked_to_push_connects_to_nobody() {
    let unasked = Unasked::listen();
    for variables in [&[][..], &[("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "")]] {
        let executor = Executor::start(&tools(), "", variables);
        executor.execute("", "manual", &["github.repos.get"]).unwrap();
        assert!(executor.page("").1.contains("executor_execution_outcomes{status=\"completed\"} 1"));
        let threads = executor.threads();
        assert!(!threads.iter().any(|name| name.starts_with("metercast")), "{threads:?}");
        let (status, took) = executor.end();
        assert!(status.success() && took < Duration::from_secs(5), "{status} after {took:?}");
    }
    unasked.nobody_came();
}

#[test]
fn a_receiver_that_nobody_trusted_has_signed_gets_nothing_and_the_line_says_why() {
    let (receiver, folder) = (Authority::new().show(&[]), Folder::new());
    let ca = folder.write("other.pem", &Authority::new().authority);
    let variables = [
        ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", &*format!("{}/v1/metrics", receiver.url)),
        ("OTEL_EXPORTER_OTLP_METRICS_HEADERS", "authorization=Bearer%20s3cret"),
        ("OTEL_EXPORTER_OTLP_METRICS_CERTIFICATE", &ca),
        ("OTEL_METRIC_EXPORT_INTERVAL", "200"),
    ];
    let executor = Executor::start(&tools(), "", &variables);
    executor.execute("", "manual", &["github.repos.get"]).unwrap();
    let line = executor.line("is not signed by one of");
    assert!(line.contains(&ca) && line.contains(&receiver.url), "{line}");
    assert!(executor.page("").1.contains("executor_execution_outcomes{status=\"completed\"} 1"));
    assert!(!executor.said().contains("s3cret"), "{}", executor.said());
    assert_eq!(receiver.trusting(), 0);

    let variables =
        variables.map(|(name, value)| (name, if value == ca { "/nowhere/ca.pem" } else { value }));
    let (status, said) = Executor::refused("127.0.0.1:0", "", &variables);
    assert!(!status.success());
    let expected = ["OTEL_EXPORTER_OTLP_METRICS_CERTIFICATE", "/nowhere/ca.pem", "No such file"];
    assert!(expected.iter().all(|part| said.contains(part)) && !said.contains("s3cret"), "{said}");
}
