//! A day of a mailroom, told step by step, and what the collector knows of it in the end.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::Duration;

use conformance::program::Folder;

use crate::support::{Authority, Collector, Got, Mailroom, until};

/// A gateway that says what it is told.
fn gateway() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            std::thread::spawn(move || {
                let mut bytes = [0; 64];
                while let Ok(length @ 1..) = stream.read(&mut bytes) {
                    let _ = stream.write_all(&bytes[..length]);
                }
            });
        }
    });
    address
}

/// Waits until the collector has been told this.
fn until_known(collector: &Collector, line: &str) {
    until(line, || collector.got().last()?.lines().iter().any(|known| known == line).then_some(()));
}

/// Steps 1 to 9; what was sent last, and all.
fn run(config: &str, collector: &Collector, ca: &str) -> (Got, Vec<Got>) {
    let in_flight = if config.contains("seed") { "active_connections" } else { "http_requests_in_flight" };
    let gateway = gateway();
    let config = format!(
        "timeout = 60\ntunnels = 1\npanic = true\ngateways = ['{gateway}']\n[telemetry]\nendpoint = '{}'\n\
         auth_token = 'ignored'\noperator_domain = 'example.org'\nca_file = '{ca}'\ninterval_secs = 1\n{config}",
        collector.url
    );
    let mailroom = Mailroom::start(&config, &[("PJ_TELEMETRY__AUTH_TOKEN", "b3A6dG9rZW4=")]);
    assert_eq!(mailroom.ask("GET", "/health", ""), (200, r#"{"versions":[1,2]}"#.to_owned()));
    assert_eq!(mailroom.ask("GET", "/wp-login.php", "").0, 404);
    assert_eq!(mailroom.ask("FROBNICATE", "/", "").0, 404);
    assert_eq!(mailroom.ask("POST", "/qqqqqqqqqqqqq", "something").0, 200);
    assert_eq!(mailroom.ask("GET", "/qqqqqqqqqqqqq", ""), (200, "something".to_owned()));
    let mut client = mailroom.connect();
    client.send("GET", "/ppppppppppppp", "", "");
    until_known(collector, r#"unique_short_ids{interval="hourly"} 2"#);
    drop(client);
    until_known(collector, &format!("{in_flight} 0"));
    let mut client = mailroom.connect();
    client.send("GET", "/panic", "", "");
    assert_eq!(client.answer(), None);
    let tunnel = |client: &mut crate::support::Client| {
        client.send("GET", &format!("/https://{gateway}"), "Connection: upgrade\r\nUpgrade: tunnel\r\n", "");
        client.answer().unwrap().0
    };
    let (mut one, mut other) = (mailroom.connect(), mailroom.connect());
    assert_eq!((tunnel(&mut one), tunnel(&mut other)), (101, 503));
    one.write(b"hello");
    assert_eq!(one.read(5), b"hello");

    assert_eq!(mailroom.files(), ["mailboxes", "periods.key", "periods.lock"]);
    let (status, took, said) = mailroom.end();
    assert!(status.success() && took < Duration::from_secs(5), "{status} after {took:?}: {said}");
    assert!(
        !said.contains("qqqqqqq") && !said.contains("ppppppp") && !said.contains("b3A6dG9rZW4"),
        "{said}"
    );
    let got = collector.got();
    (got.last().expect("a push").clone(), got)
}

fn collector() -> (Collector, Folder, String) {
    let (authority, folder) = (Authority::new(), Folder::new());
    let ca = folder.write("ca.pem", &authority.authority);
    (Collector::new(Some(&authority)), folder, ca)
}

#[test]
fn what_happened_is_at_the_collector_and_nobody_is_named() {
    let (collector, _folder, ca) = collector();
    let (last, all) = run("", &collector, &ca);
    assert!(last.head.starts_with("post /v1/metrics "), "{}", last.head);
    for header in ["authorization: basic b3a6dg9rzw4=\r\n", "content-type: application/x-protobuf\r\n"] {
        assert!(last.head.contains(header), "{}", last.head);
    }
    let lines = last.lines();
    for line in [
        "http_requests_started_total 9",
        "http_requests_in_flight 0",
        r#"http_requests_total{endpoint="/health",method="GET",status_code="200"} 1"#,
        r#"http_requests_total{endpoint="other",method="GET",status_code="404"} 1"#,
        r#"http_requests_total{endpoint="/",method="other",status_code="404"} 1"#,
        r#"http_requests_total{endpoint="/{mailbox}",method="POST",status_code="200"} 1"#,
        r#"http_requests_total{endpoint="/{mailbox}",method="GET",status_code="200"} 1"#,
        r#"http_requests_total{endpoint="/{gateway}",method="GET",status_code="101"} 1"#,
        r#"http_requests_total{endpoint="/{gateway}",method="GET",status_code="503"} 1"#,
        r#"db_entries_total{version="2"} 1"#,
        "bootstrap_tunnel_shed_total 1",
        "bootstrap_active_tunnels 0",
        r#"unique_short_ids{interval="hourly"} 2"#,
        r#"unique_short_ids{interval="daily"} 2"#,
        r#"unique_short_ids{interval="weekly"} 2"#,
        r#"unique_short_ids{interval="monthly"} 2"#,
    ] {
        assert!(lines.iter().any(|found| found == line), "{line}\nis not among\n{lines:#?}");
    }
    // Steps 6 and 7 began and were never answered; that panics do not count says step 7.
    let answered = lines.iter().filter(|line| line.starts_with("http_requests_total{"));
    let answered = answered.map(|line| line.rsplit_once(' ').unwrap().1.parse::<u64>().unwrap());
    assert_eq!(answered.sum::<u64>(), 7, "{lines:#?}");

    for counter in ["http_requests_started_total", "http_requests_total", "db_entries_total"] {
        assert_eq!(last.kind(counter), "monotonic cumulative", "{counter}");
    }
    for gauge in ["http_requests_in_flight", "bootstrap_active_tunnels"] {
        assert_eq!(last.kind(gauge), "up and down cumulative", "{gauge}");
    }
    assert_eq!(last.kind("unique_short_ids"), "gauge");
    let resource = last.resource();
    let keys: Vec<&str> = resource.keys().map(String::as_str).collect();
    assert_eq!(keys, ["operator.domain", "service.instance.id", "service.name"]);
    assert_eq!(
        (&*resource["service.name"], &*resource["operator.domain"]),
        ("payjoin-mailroom", "example.org")
    );
    // Beside what the exporter says of itself nothing leaves but the seven.
    let is_own = |name: &str| name.starts_with("otel.sdk.") || name.starts_with("metercast.");
    let names: BTreeSet<String> =
        all.iter().flat_map(Got::metrics).map(|metric| metric.name.clone()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).filter(|name| !is_own(name)).collect();
    assert_eq!(
        names,
        [
            "bootstrap_active_tunnels",
            "bootstrap_tunnel_shed_total",
            "db_entries_total",
            "http_requests_in_flight",
            "http_requests_started_total",
            "http_requests_total",
            "unique_short_ids",
        ]
    );
    for got in &all {
        for id in ["qqqqqqqqqqqqq", "ppppppppppppp"] {
            assert!(!got.body.windows(id.len()).any(|part| part == id.as_bytes()), "an id left");
        }
        assert!(
            !got.lines().iter().any(|line| line.contains("weekly ")),
            "what is not settled is for others"
        );
    }
}

#[test]
fn under_the_first_names_the_values_are_the_same_and_each_start_is_an_instance() {
    let (collector, _folder, ca) = collector();
    let (first, _) = run("names = 'seed'\n", &collector, &ca);
    let lines = first.lines();
    for line in [
        "total_connections 9",
        "active_connections 0",
        r#"http_request_total{endpoint="/health",method="GET",status_code="200"} 1"#,
    ] {
        assert!(lines.iter().any(|found| found == line), "{line}\nis not among\n{lines:#?}");
    }
    assert!(!lines.iter().any(|line| line.starts_with("http_requests_")), "{lines:#?}");
    let (second, _) = run("names = 'seed'\n", &collector, &ca);
    let instance = |got: &Got| got.resource()["service.instance.id"].clone();
    assert_ne!(instance(&first), instance(&second));
    let (unnamed, _) = run("instance_id = false\n", &collector, &ca);
    assert!(!unnamed.resource().contains_key("service.instance.id"));
}

#[test]
fn whoever_waits_gets_what_comes_and_is_told_to_come_again_if_nothing_does() {
    let (collector, _folder, ca) = collector();
    let config = format!(
        "timeout = 1\n[telemetry]\nendpoint = '{}'\nauth_token = 't'\noperator_domain = 'o'\nca_file = '{ca}'\n",
        collector.url
    );
    let mailroom = Mailroom::start(&config, &[("PJ_TIMEOUT", "20")]);
    let mut reader = mailroom.connect();
    reader.send("GET", "/qqqqqqqqqqqqq", "", "");
    let mut late = mailroom.connect();
    late.send("GET", "/zzzzzzzzzzzzz", "", "");
    assert_eq!(mailroom.ask("POST", "/QQQQQQQQQQQQQ?v=1", "for you").0, 200);
    assert_eq!(reader.answer(), Some((200, "for you".to_owned())));
    assert_eq!(mailroom.ask("POST", "/qqqqqqqqqqqqb", "").0, 404, "no mailbox has that name");
    assert_eq!(mailroom.ask("POST", "/qqqqqqqqqqqqp", &"x".repeat(70_000)).0, 413);
    assert_eq!(mailroom.ask("GET", "/panic", "").0, 404, "only tests may ask for that");
    assert_eq!(mailroom.ask("GET", "/https://127.0.0.1:1", "").0, 426);
    let (status, took, said) = mailroom.end();
    assert!(status.success() && took < Duration::from_secs(5), "{status} after {took:?}: {said}");
    assert_eq!(late.answer(), Some((202, String::new())), "the end does not wait for who waits");
    let last = until("the last push", || collector.got().pop());
    let lines = last.lines();
    assert!(lines.contains(&r#"db_entries_total{version="1"} 1"#.to_owned()), "{lines:#?}");
    assert!(lines.contains(&"http_requests_in_flight 0".to_owned()), "{lines:#?}");
}
