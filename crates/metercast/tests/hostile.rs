//! A listener that runs out of file descriptors: it says so, sends silent clients away, and goes on answering.
#![cfg(all(unix, feature = "serve"))]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use metercast::config::{Config, Prometheus};
use metercast::{Log, Store, Telemetry, u64_counter};

/// Tells the child that it is one.
const CHILD: &str = "METERCAST_HOSTILE_CHILD";

/// Serves until standard input ends.
#[expect(clippy::print_stdout, reason = "the parent reads it")]
fn serve() {
    let store = Store::new();
    store.scope(|| u64_counter!("jobs", "Jobs", 3));
    let config = Config::builder()
        .environment(false)
        .exporter("scrape", Prometheus::listen("127.0.0.1:0"))
        .build()
        .unwrap();
    let log = Log::to(|level, line| println!("log {level}: {line}"));
    let telemetry = Telemetry::builder(config).store(store).log(log).start().unwrap();
    println!("listens {}", telemetry.scrape_address().unwrap());
    let _ = std::io::stdin().read(&mut [0]);
}

struct Served(Child);

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_listener_without_descriptors_says_so_and_answers_all_the_same() {
    if std::env::var_os(CHILD).is_some() {
        return serve();
    }
    // A limit of its own for descriptors, which only a process can have.
    let mut child = Command::new("sh")
        .args(["-c", "ulimit -n 40 && exec \"$0\" --exact --nocapture \"$1\""])
        .arg(std::env::current_exe().unwrap())
        .arg("a_listener_without_descriptors_says_so_and_answers_all_the_same")
        .env(CHILD, "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map(Served)
        .unwrap();
    let mut lines = BufReader::new(child.0.stdout.take().unwrap()).lines().map(Result::unwrap);
    let address: SocketAddr = lines
        .find_map(|line| line.split_once("listens ").map(|(_, address)| address.parse().unwrap()))
        .unwrap();

    let silent: Vec<TcpStream> = (0..100).map(|_| TcpStream::connect(address).unwrap()).collect();
    let said = lines.find(|line| line.contains("cannot accept connections")).unwrap();
    assert!(said.contains("log error: ") && said.contains("check the limit of open files"), "{said}");
    for _ in 0..3 {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        write!(stream, "GET /metrics HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.contains("\njobs_total 3\n"), "{answer}");
    }
    drop(silent);
}
