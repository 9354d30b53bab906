//! What cannot work is said at the start: what, where and how to mend it.

use std::net::TcpListener;

use crate::support::{Demo, Ended, Folder};

fn fails(arguments: &[&str], status: i32) -> Ended {
    let ended = Demo::start(arguments).end();
    assert_eq!(ended.status.code(), Some(status), "{arguments:?}: {}", ended.trouble());
    assert_eq!(ended.stdout, [""; 0]);
    ended
}

fn taken() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    (listener, address)
}

#[test]
fn an_address_of_the_service_that_is_taken_is_named() {
    let (_listener, address) = taken();
    let cause = std::io::Error::from_raw_os_error(98);
    let expected = format!(
        "error: cannot listen on {address}: {cause}; free the address, or choose another with --listen"
    );
    assert_eq!(fails(&["--listen", &address], 1).stderr, [expected]);
}

#[test]
fn an_address_of_the_page_that_is_taken_is_named() {
    let (_listener, address) = taken();
    let cause = std::io::Error::from_raw_os_error(98);
    let first = format!(
        "error: exporter \"prometheus\" cannot listen on {address}: {cause}; free the address, or let \
         the program listen on another"
    );
    let second = "for the demo, --admin HOST:PORT is telemetry.exporters.prometheus.listen, and --otlp URL is \
                  telemetry.exporters.otlp.endpoint";
    assert_eq!(fails(&["--admin", &address], 1).stderr, [first.as_str(), second]);
}

#[test]
fn an_endpoint_that_is_none_is_an_error() {
    for (url, fault) in [
        (
            "grafana:4318",
            "error: telemetry.exporters.otlp.endpoint: \"grafana:4318\" has no scheme; write http://grafana:4318 or \
             https://grafana:4318",
        ),
        ("ftp://grafana:4318", "error: telemetry.exporters.otlp.endpoint: "),
    ] {
        let trouble = fails(&["--otlp", url], 1).trouble();
        assert!(trouble.starts_with(fault), "{trouble}");
    }
}

#[test]
fn a_file_that_is_missing_or_wrong_is_named_with_line_and_key() {
    let folder = Folder::new();
    let missing = folder.path().join("missing.toml");
    let missing = missing.to_str().unwrap();
    let trouble = fails(&["--listen", "127.0.0.1:0", "--config", missing], 1).trouble();
    let start = format!("error: {missing}");
    assert!(trouble.starts_with(&start) && trouble.contains("No such file or directory"), "{trouble}");

    let wrong = folder.write("wrong.toml", "[telemetry.exporters.otlp]\nintervall = '10s'\n");
    let trouble = fails(&["--listen", "127.0.0.1:0", "--config", &wrong], 1).trouble();
    let start = format!("error: {wrong}:2");
    assert!(trouble.starts_with(&start), "{trouble}");
    assert!(trouble.contains("intervall") && trouble.ends_with("; did you mean \"interval\"?"), "{trouble}");
}

#[test]
fn telemetry_that_is_disabled_leaves_nothing_to_compare() {
    let ended = Demo::start_with(&["--json"], &[("OTEL_SDK_DISABLED", "true")]).end();
    assert_eq!(ended.status.code(), Some(1));
    let expected = "error: telemetry is disabled, so there is nothing to compare; unset OTEL_SDK_DISABLED, or enable \
                    it in the file";
    assert_eq!(ended.stderr, [expected]);
}

#[test]
fn wrong_options_are_told_from_failures_by_the_status() {
    for (arguments, fault) in [
        (
            &["--rate", "many"][..],
            "error: invalid value 'many' for '--rate <N>': invalid digit found in string",
        ),
        (&["--seconds", "-1"], "error: unexpected argument '-1' found"),
        (
            &["--listen", "3000"],
            "error: invalid value '3000' for '--listen <HOST:PORT>': write host:port, such as 127.0.0.1:0 for any free \
             port",
        ),
        (&["--fast"], "error: unexpected argument '--fast' found"),
    ] {
        assert_eq!(fails(arguments, 2).stderr[0], fault, "{arguments:?}");
    }
}
