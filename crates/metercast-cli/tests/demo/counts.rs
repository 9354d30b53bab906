//! What was sent is what is scraped and received.

use serde_json::{Value, json};

use crate::support::{Demo, Folder};

#[test]
fn everything_that_was_sent_is_scraped_and_received() {
    let seconds = if std::env::var_os("METERCAST_LONG").is_some() { "10" } else { "3" };
    let ended = Demo::start(&["--seconds", seconds, "--json"]).end();
    assert!(ended.status.success(), "{}", ended.trouble());
    let summary = ended.summary();
    let sent = summary["requests_sent"].as_u64().unwrap();
    assert!(sent > 0);
    let expected = format!(r#"{{"requests_sent":{sent},"scraped":{sent},"pushed":{sent},"equal":true}}"#);
    assert_eq!(ended.stdout, [expected]);
}

#[test]
fn as_fast_as_possible_is_as_exact() {
    let ended = Demo::start(&["--seconds", "1", "--rate", "0", "--json"]).end();
    assert!(ended.status.success(), "{}", ended.trouble());
    assert_eq!(ended.summary()["equal"], json!(true));
}

#[test]
fn the_table_shows_every_kind_of_request_and_every_metric() {
    let ended = Demo::start(&["--seconds", "1"]).end();
    assert!(ended.status.success(), "{}", ended.trouble());
    let starts = |start: &str| ended.stdout.iter().any(|line| line.starts_with(start));
    for start in [
        "orders   http://127.0.0.1:",
        "live     http://127.0.0.1:",
        "metrics  http://127.0.0.1:",
        "push     to the receiver in this program",
        "http.server.request.duration, in s",
        "  /orders                POST    201 ",
        "  /orders                POST    409 ",
        "  /orders                POST    422 ",
        "  /orders                _OTHER  405 ",
        "  /orders/{id}           GET     200 ",
        "  /orders/{id}           GET     404 ",
        "  /orders/{id}/settle    POST    202 ",
        "  /orders/{id}/wait      GET     200 ",
        "  /orders/{id}/wait      GET     cancelled ",
        "  (no route)             GET     404 ",
        "  (no route)             _OTHER  404 ",
        "  all, up to ",
        "http.server.active_requests",
        "orders.placed",
        "orders.refused",
        "  reason=credit_limit ",
        "  reason=market_closed ",
        "orders.settled",
        "order.amount, in cent",
        "order.settle.duration, in s",
        "order.settle.queue ",
        "orders.open.amount, in cent",
        "account.credit.limit, in cent ",
    ] {
        assert!(starts(start), "no line starts with {start:?}: {:#?}", ended.stdout);
    }
    assert!(ended.stdout.last().unwrap().starts_with("equal: all "), "{:#?}", ended.stdout);
    assert!(ended.stdout.iter().all(|line| line.chars().count() <= 100 && !line.contains('\x1b')));
    assert!(
        ended.stderr.iter().all(|line| line.contains(" requests ")),
        "only progress: {:#?}",
        ended.stderr
    );
}

#[test]
fn a_file_may_change_the_exporters_that_the_demo_brings() {
    let folder = Folder::new();
    let file = folder.write(
        "demo.toml",
        "[telemetry.exporters.prometheus]\nlisten = '127.0.0.1:0'\npath = '/internal/metrics'\n\n\
         [telemetry.exporters.otlp]\ninterval = '200ms'\ncompression = 'none'\n",
    );
    let mut demo = Demo::start(&["--seconds", "1", "--json", "--listen", "127.0.0.1:0", "--config", &file]);
    let page = demo.place("metrics  ");
    assert!(page.ends_with("/internal/metrics"), "{page}");
    let ended = demo.end();
    assert!(ended.status.success(), "{}", ended.trouble());
    assert_eq!(ended.summary()["equal"], json!(true));
}

#[test]
fn without_a_push_only_the_scrape_is_compared() {
    let ended =
        Demo::start_with(&["--seconds", "1", "--json"], &[("OTEL_METRICS_EXPORTER", "prometheus")]).end();
    assert!(ended.status.success(), "{}", ended.trouble());
    let summary = ended.summary();
    assert_eq!((&summary["pushed"], &summary["equal"]), (&Value::Null, &json!(true)));
    assert_eq!(summary["requests_sent"], summary["scraped"]);
    let note = "note: nothing is pushed, as there is no exporter of the type otlp";
    assert!(ended.stderr.iter().any(|line| line == note), "{}", ended.trouble());
}
