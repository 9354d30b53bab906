//! What is not there, not trusted or not said harms nobody who uses the mailroom, and is said to who runs it.

use std::net::TcpListener;
use std::time::Duration;

use conformance::program::{Folder, free_address};
use metercast_tower::snapshot::Point;
use metercast_tower::{InMemoryReader, Store};

use crate::support::{Authority, Collector, Got, Mailroom, run, settings, until};

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
    let pushed = run(&settings, &store, |url| {
        let failed = until("a push that failed", || {
            assert_eq!(conformance::http::ask(&format!("{url}/health"), "GET", "", b"").unwrap().0, 200);
            let snapshot = InMemoryReader::new(store.clone()).collect();
            let exported = snapshot.family("otel.sdk.exporter.metric_data_point.exported")?;
            let failed = exported.series.iter().find(|series| series.labels.get("error.type").is_some())?;
            Some(failed.point.clone())
        });
        assert!(matches!(failed, Point::U64(1..)), "{failed:?}");
    });
    let error = pushed.unwrap_err().to_string();
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

#[test]
fn a_token_that_is_not_taken_is_said_and_not_shown() {
    let collector = Collector::new(None);
    collector.answer(401);
    let mailroom = Mailroom::start(&telemetry(&collector.url, "interval_secs = 1\n"), &[]);
    let line = until("why nothing is taken", || {
        mailroom.said().lines().find(|line| line.contains("401")).map(str::to_owned)
    });
    assert!(line.contains(&collector.url), "{line}");
    assert_eq!(mailroom.ask("GET", "/health", "").0, 200);
    let (status, took, said) = mailroom.end();
    assert!(status.success() && took < Duration::from_secs(5), "{status} after {took:?}");
    assert!(!said.contains("s3cret"), "{said}");
}

#[test]
fn what_happens_while_the_collector_is_away_is_there_when_it_is_back() {
    let address = free_address();
    let config = telemetry(&format!("http://{address}"), "interval_secs = 1\n");
    let mailroom = Mailroom::start(&config, &[]);
    let requests =
        |count: u64| (0..count).for_each(|_| assert_eq!(mailroom.ask("GET", "/health", "").0, 200));
    let known = |collector: &Collector, count: u64| {
        let line =
            format!(r#"http_requests_total{{endpoint="/health",method="GET",status_code="200"}} {count}"#);
        until(&line, || collector.got().last().map(Got::lines)?.contains(&line).then_some(()));
    };
    requests(3);
    until("a push that found nobody", || mailroom.said().contains(&address).then_some(()));
    let collector = Collector::at(&address, None);
    known(&collector, 3);
    collector.answer(503);
    requests(4);
    let refused = collector.refused();
    until("a push that was refused", || (collector.refused() > refused).then_some(()));
    collector.answer(200);
    known(&collector, 7);
    requests(2);
    let (status, took, _) = mailroom.end();
    assert!(status.success() && took < Duration::from_secs(5), "{status} after {took:?}");
    known(&collector, 9);
}

#[test]
fn whatever_paths_and_methods_are_made_of_the_labels_are_those_of_the_list() {
    let collector = Collector::new(None);
    let mailroom = Mailroom::start(&telemetry(&collector.url, ""), &[]);
    let mut hostile: Vec<String> = [
        "/../../../etc/passwd",
        "/%2e%2e%2f%2e%2e%2fetc/passwd",
        "/qqqqqqqqqqqqq%00",
        "/..%2fqqqqqqqqqqq",
        "//",
        "/%ff%fe",
        "/{mailbox}",
        "/x\"y\\z",
        "/https://",
        "/https://169.254.169.254/latest",
        "/health/../health",
    ]
    .map(str::to_owned)
    .into();
    hostile.push(format!("/{}", "a".repeat(8_000)));
    hostile.extend((0..50).map(|n| format!("/someone/{n}")));
    for path in &hostile {
        for method in ["GET", "POST", "PROPFIND"] {
            let (status, _) = mailroom.ask(method, path, "x");
            assert!((400..500).contains(&status), "{method} {path}: {status}");
        }
    }
    assert_eq!(mailroom.files(), ["mailboxes", "periods.key", "periods.lock"]);
    let (status, _, said) = mailroom.end();
    assert!(status.success() && !said.contains("panicked"), "{said}");
    let last = collector.got().pop().expect("the last push");
    let endpoints = ["/{gateway}", "other"];
    let counted: Vec<String> =
        last.lines().into_iter().filter(|line| line.starts_with("http_requests_total{")).collect();
    for line in &counted {
        assert!(endpoints.iter().any(|known| line.contains(&format!("{{endpoint=\"{known}\""))), "{line}");
        assert!(["GET", "POST", "other"].iter().any(|known| line.contains(&format!("method=\"{known}\""))));
    }
    assert!(!counted.is_empty());
    let counted = counted.iter().map(|line| line.rsplit_once(' ').unwrap().1.parse::<usize>().unwrap());
    assert!(counted.sum::<usize>() <= 3 * hostile.len());
}

/// A configuration, variables, and what is said of them.
type Refused<'c> = (&'c str, &'c [(&'c str, &'c str)], &'c [&'c str]);

#[test]
fn settings_that_cannot_be_meant_are_refused_with_their_place() {
    let complete = telemetry("http://127.0.0.1:1", "");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().map(|address| (address.to_string(), taken)).unwrap();
    let cases: [Refused<'_>; 15] = [
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
        ("", &[("PJ_LISTENER", &taken.0)], &[&taken.0, "PJ_LISTENER"]),
        ("", &[("PJ_STORAGE", "/dev/null/x")], &["/dev/null/x", "PJ_STORAGE"]),
        (&complete, &[("PJ_STORAGE", "/dev/null/x")], &["/dev/null/x", "PJ_STORAGE"]),
        ("", &[("PJ_TLS__CERTIFICATE", "/nowhere.pem")], &["tls", "/nowhere.pem"]),
        ("", &[("PJ_LISTNER", &taken.0)], &["PJ_LISTNER", "listener"]),
        (&format!("{complete}interval_secs = 0\n"), &[], &["config.toml:5", "interval_secs"]),
        (&complete, &[("PJ_TELEMETRY__INTERVAL_SECS", "0")], &["PJ_TELEMETRY__INTERVAL_SECS"]),
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

#[test]
fn a_client_who_is_gone_before_his_request_is_looked_at_has_not_begun_one() {
    let collector = Collector::new(None);
    let mailroom = Mailroom::start(&telemetry(&collector.url, "interval_secs = 3600\n"), &[]);
    let mut client = mailroom.connect();
    client.send("GET", "/health", "", "");
    assert_eq!(client.answer().unwrap().0, 200);
    // So that it finds the request and the end of the connection at once.
    mailroom.signal("STOP");
    until("it stands still", || mailroom.stands_still().then_some(()));
    client.send("GET", "/qqqqqqqqqqqqq", "", "");
    drop(client);
    mailroom.signal("CONT");
    assert_eq!(mailroom.ask("GET", "/health", "").0, 200);
    let (status, ..) = mailroom.end();
    assert!(status.success(), "{status}");
    let lines = until("the last push", || collector.got().pop()).lines();
    for line in [
        // The server gives such a request to nobody, so no mailbox was asked for either.
        "http_requests_started_total 2",
        r#"http_requests_total{endpoint="/health",method="GET",status_code="200"} 2"#,
        "http_requests_in_flight 0",
        r#"unique_short_ids{interval="hourly"} 0"#,
    ] {
        assert!(lines.iter().any(|found| found == line), "{line}\nis not among\n{lines:#?}");
    }
}

#[test]
fn storage_that_goes_away_is_said_and_used_again_when_it_is_back() {
    let collector = Collector::new(None);
    let mailroom = Mailroom::start(&telemetry(&collector.url, "interval_secs = 3600\n"), &[]);
    let (here, away) = (mailroom.storage().join("mailboxes"), mailroom.storage().join("away"));
    assert_eq!(mailroom.ask("POST", "/qqqqqqqqqqqqq", "before").0, 200);
    std::fs::rename(&here, &away).unwrap();
    assert_eq!(mailroom.ask("POST", "/ppppppppppppp", "meanwhile").0, 500);
    assert!(mailroom.said().contains("a mailbox cannot be used"), "{}", mailroom.said());
    std::fs::rename(&away, &here).unwrap();
    assert_eq!(mailroom.ask("GET", "/qqqqqqqqqqqqq", ""), (200, "before".to_owned()));
    assert_eq!(mailroom.ask("POST", "/ppppppppppppp", "after").0, 200);
    let (status, _, said) = mailroom.end();
    assert!(status.success() && !said.contains("ppppppp"), "{said}");
    let lines = until("the last push", || collector.got().pop()).lines();
    for line in [
        r#"db_entries_total{version="2"} 2"#,
        r#"http_requests_total{endpoint="/{mailbox}",method="POST",status_code="500"} 1"#,
    ] {
        assert!(lines.iter().any(|found| found == line), "{line}\nis not among\n{lines:#?}");
    }
}
