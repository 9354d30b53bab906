//! What is not there, not trusted or not said harms nobody who uses the mailroom, and is said to who runs it.

use std::time::Duration;

use conformance::program::Folder;
use metercast_tower::snapshot::Point;
use metercast_tower::{InMemoryReader, Store};

use crate::support::{Authority, Collector, Mailroom, settings, until};

fn telemetry(endpoint: &str, more: &str) -> String {
    format!(
        "[telemetry]\nendpoint = '{endpoint}'\nauth_token = 's3cret'\noperator_domain = 'example.org'\n{more}"
    )
}

#[test]
fn without_the_table_nobody_is_connected_to_and_there_is_no_thread_more() {
    let collector = Collector::new(None);
    // What is meant for other programs asks for nothing.
    let variables = [("OTEL_EXPORTER_OTLP_ENDPOINT", &*collector.url), ("OTEL_METRICS_EXPORTER", "otlp")];
    let mailroom = Mailroom::start("", &variables);
    assert_eq!(mailroom.ask("GET", "/health", "").0, 200);
    assert_eq!(mailroom.ask("POST", "/qqqqqqqqqqqqq", "x").0, 200);
    assert_eq!(mailroom.ask("GET", "/metrics", "").0, 404);
    let threads = mailroom.threads();
    assert!(!threads.iter().any(|name| name.starts_with("metercast")), "{threads:?}");
    assert_eq!(mailroom.files(), ["mailboxes"]);
    let (status, took, said) = mailroom.end();
    assert!(status.success() && took < Duration::from_secs(5), "{status} after {took:?}");
    assert_eq!((said, collector.connections()), (String::new(), 0));
}

#[test]
fn a_collector_that_is_not_there_is_a_figure_and_a_line_and_nothing_to_clients() {
    let folder = Folder::new();
    let settings = settings(&folder, &telemetry("http://127.0.0.1:1", "interval_secs = 1\n"));
    let store = Store::new();
    let measuring = mailroom::Measuring::start(&settings, store.clone()).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let (said_where, is_at) = std::sync::mpsc::channel();
    let (end, ended) = tokio::sync::oneshot::channel::<()>();
    std::thread::scope(|scope| {
        let (settings, measuring) = (&settings, &measuring);
        let serving = scope.spawn(move || {
            let ready = |url: &str| said_where.send(url.to_owned()).unwrap();
            runtime.block_on(mailroom::serve(settings, measuring, ready, async { _ = ended.await }))
        });
        let url = is_at.recv().unwrap();
        let ask = || conformance::http::ask(&format!("{url}/health"), "GET", "", b"").unwrap().0;
        let failed = until("a push that failed", || {
            assert_eq!(ask(), 200);
            let snapshot = InMemoryReader::new(store.clone()).collect();
            let exported = snapshot.family("otel.sdk.exporter.metric_data_point.exported")?;
            let failed = exported.series.iter().find(|series| series.labels.get("error.type").is_some())?;
            Some(failed.point.clone())
        });
        assert!(matches!(failed, Point::U64(1..)), "{failed:?}");
        end.send(()).unwrap();
        serving.join().unwrap().unwrap();
    });
    let error = measuring.shutdown().unwrap_err().to_string();
    assert!(error.contains("127.0.0.1:1") && !error.contains("s3cret"), "{error}");
}

#[test]
fn a_collector_that_nobody_trusted_has_signed_gets_nothing_and_the_line_says_why() {
    let (collector, folder) = (Collector::new(Some(&Authority::new())), Folder::new());
    let ca = folder.write("other.pem", &Authority::new().authority);
    let mailroom =
        Mailroom::start(&telemetry(&collector.url, &format!("interval_secs = 1\nca_file = '{ca}'\n")), &[]);
    let line = until("why nothing is pushed", || {
        mailroom.said().lines().find(|line| line.contains("is not signed by one of")).map(str::to_owned)
    });
    assert!(line.contains(&ca) && line.contains(&collector.url) && !line.contains("s3cret"), "{line}");
    assert_eq!(mailroom.ask("GET", "/health", "").0, 200);
    assert!(collector.got().is_empty());
}

#[test]
fn encryption_that_the_collector_does_not_speak_is_said() {
    let collector = Collector::new(None);
    let endpoint = collector.url.replace("http:", "https:");
    let mailroom = Mailroom::start(&telemetry(&endpoint, "interval_secs = 1\n"), &[]);
    let line = until("why nothing is pushed", || {
        mailroom
            .said()
            .lines()
            .find(|line| line.contains(&endpoint) && line.contains("error"))
            .map(str::to_owned)
    });
    assert!(line.to_ascii_lowercase().contains("tls"), "{line}");
    assert!(collector.got().is_empty());
}

/// A configuration, variables, and what is said of them.
type Refused<'c> = (&'c str, &'c [(&'c str, &'c str)], &'c [&'c str]);

#[test]
fn settings_that_cannot_be_meant_are_refused_with_their_place() {
    let complete = telemetry("http://127.0.0.1:1", "");
    let cases: [Refused<'_>; 8] = [
        ("", &[("PJ_TELEMETRY__ENDPOINT", "http://127.0.0.1:1")], &["PJ_TELEMETRY__", "is missing"]),
        ("[telemetry]\nendpoint = 'http://c:1'\n", &[], &["config.toml:1", "auth_token", "is missing"]),
        (
            &format!("{complete}intervall_secs = 1\n"),
            &[],
            &["config.toml:5", "did you mean \"interval_secs\"?"],
        ),
        (&format!("{complete}profile = 'monthly'\n"), &[], &["config.toml:5", "settled"]),
        (&telemetry("https://127.0.0.1:1", "ca_file = '/nowhere.pem'\n"), &[], &["/nowhere.pem"]),
        (&complete, &[("PJ_TELEMETRY__ENDPOINT", "ftp://c")], &["ftp://c"]),
        ("listner = 'x'\n", &[], &["config.toml:1", "listner", "listener"]),
        ("", &[("PJ_LISTENER", "nowhere")], &["nowhere", "PJ_LISTENER"]),
    ];
    for (config, variables, expected) in cases {
        let (status, said) = Mailroom::refused(config, variables);
        assert!(
            !status.success() && expected.iter().all(|text| said.contains(text)),
            "{config}\n{said}\n{expected:?}"
        );
        assert!(!said.contains("s3cret") && !said.contains("panicked"), "{said}");
    }
}
