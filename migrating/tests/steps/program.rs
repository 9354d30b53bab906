//! A step, run as the program that it is.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::collector::Collector;

/// What is seen of a program from outside.
#[derive(Debug)]
pub(crate) struct Seen {
    /// What it answers to a scrape.
    pub(crate) page: String,
    /// The points of its last push, one a line; none if it has no push.
    pub(crate) pushed: String,
}

/// Runs a step to its end, with a collector beside it.
#[track_caller]
pub(crate) fn run(step: &str) -> Seen {
    let (peer, _) = step.split_once('/').expect("peer/step");
    let collector = Collector::start();
    let mut command = Command::new(env!("CARGO_BIN_EXE_migrating"));
    command.arg(step).current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(peer));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("OTEL_") {
            command.env_remove(name);
        }
    }
    if peer == "opentelemetry" {
        command.env("OTEL_SERVICE_NAME", "shop").env("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url());
        command.env("OTEL_EXPORTER_PROMETHEUS_PORT", "0");
    } else if step == "metrics/settings" {
        command.env("SHOP__EXPORTERS__CENTRAL__URL", collector.url());
    } else {
        command.env("SHOP__EXPORTERS__CENTRAL__ENDPOINT", collector.url());
    }
    command.env("SHOP__EXPORTERS__PROMETHEUS__LISTEN", "127.0.0.1:0");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();

    // A program that listens says where, and runs on until its input ends; the others print their page.
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut page = String::new();
    stdout.read_line(&mut page).unwrap();
    if let Some(address) = page.strip_prefix("http://") {
        page = scrape(address.trim_end());
    }
    drop(child.stdin.take());
    let mut rest = String::new();
    stdout.read_to_string(&mut rest).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{step}: {page}{rest}{}", String::from_utf8_lossy(&output.stderr));
    Seen { page: without_the_process(&(page + &rest)), pushed: without_the_process(&collector.stop()) }
}

/// The same without what the process collector of `prometheus` reads: it is there if any other package that is built at the same time
/// asks for it, and each process has other values.
fn without_the_process(lines: &str) -> String {
    let of_process = |line: &&str| {
        let name = line.trim_start_matches("# HELP ").trim_start_matches("# TYPE ");
        name.starts_with("process_") || name.contains(": process_")
    };
    lines.split_inclusive('\n').filter(|line| !of_process(line)).collect()
}

/// The page at an address such as `127.0.0.1:9102/metrics`.
fn scrape(address: &str) -> String {
    let (host, path) = address.split_once('/').expect("a path");
    let mut connection = TcpStream::connect(host).unwrap();
    write!(connection, "GET /{path} HTTP/1.0\r\nHost: {host}\r\n\r\n").unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.contains(" 200 "), "{head}");
    body.to_owned()
}
