//! A listener among hostile clients: one that runs out of file descriptors says so, and thousands of connections neither keep
//! a scraper out nor cost memory.
#![cfg(all(unix, feature = "serve"))]

use std::io::{BufRead, BufReader, Lines, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use metercast::config::{Config, Prometheus};
use metercast::{Log, Store, Telemetry, u64_counter};

/// Tells a child what it is: [`SERVER`], or one that connects to this address.
const CHILD: &str = "METERCAST_HOSTILE_CHILD";
const SERVER: &str = "server";

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

/// Connects so many times, and keeps all connections until standard input ends.
#[expect(clippy::print_stdout, reason = "the parent reads it")]
fn crowd(address: &str) {
    let mut open = Vec::new();
    for n in 0..CROWD {
        let mut stream = TcpStream::connect(address).unwrap();
        let accept = "text/plain;version=99;q=,".repeat(100);
        let said = match n % 5 {
            // Nothing at all.
            0 => String::new(),
            // The begin of a request.
            1 => "GET /metrics HTTP/1.1\r\nHost:".to_owned(),
            // Headers without end.
            2 => format!("GET /metrics HTTP/1.1\r\n{}", "x: y\r\n".repeat(10_000)),
            // Never reads the answer, and stays.
            3 => "GET /metrics HTTP/1.1\r\nHost: h\r\n\r\n".to_owned(),
            // The same with an Accept that says nothing.
            _ => format!("GET /metrics HTTP/1.1\r\nHost: h\r\nAccept: {accept}\r\n\r\n"),
        };
        // The listener may have had enough.
        let _ = stream.write_all(said.as_bytes());
        open.push(stream);
    }
    println!("connected {}", open.len());
    let _ = std::io::stdin().read(&mut [0]);
}

/// A process of its own; this binary, run again.
struct Process {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Process {
    /// A child of `test`, which may have so many descriptors, as only a process can be told.
    fn start(test: &str, role: &str, descriptors: usize) -> Process {
        let mut child = Command::new("sh")
            .args(["-c", "ulimit -S -n $2 && exec \"$0\" --exact --nocapture \"$1\""])
            .arg(std::env::current_exe().unwrap())
            .args([test, &descriptors.to_string()])
            .env(CHILD, role)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Process { child, lines }
    }

    /// The rest of the first line that has this word.
    fn says(&mut self, word: &str) -> String {
        let told =
            |line: std::io::Result<String>| line.unwrap().split_once(word).map(|(_, rest)| rest.to_owned());
        self.lines.find_map(told).unwrap_or_else(|| panic!("the child ends without \"{word}\""))
    }

    /// The KiB that it has in memory, where that is told.
    fn memory(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        line.trim().strip_suffix(" kB")?.parse().ok()
    }
}

/// Scrapes, and again if the listener says that there are too many requests just now, as a scraper does. Gives how often it was
/// sent away.
fn scrape(address: &str) -> u32 {
    for times in 0..1000 {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        write!(stream, "GET /metrics HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        if !answer.starts_with("HTTP/1.1 503") || !answer.contains("\r\nretry-after: 1\r\n") {
            assert!(answer.contains("\njobs_total 3\n"), "{answer}");
            return times;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("a scraper is never let in");
}

/// Whether this is a child, which has then done what it is for.
fn was_child() -> bool {
    let Ok(role) = std::env::var(CHILD) else { return false };
    if role == SERVER {
        serve();
    } else {
        crowd(&role);
    }
    true
}

#[test]
fn a_listener_without_descriptors_says_so_and_answers_all_the_same() {
    if was_child() {
        return;
    }
    let test = "a_listener_without_descriptors_says_so_and_answers_all_the_same";
    let mut server = Process::start(test, SERVER, 40);
    let address = server.says("listens ");
    let silent: Vec<_> = (0..100).map(|_| TcpStream::connect(&address).unwrap()).collect();
    let said = server.says("log error: ");
    assert!(said.contains("cannot accept connections"), "{said}");
    assert!(said.contains("check the limit of open files"), "{said}");
    assert_eq!((0..3).map(|_| scrape(&address)).sum::<u32>(), 0);
    drop(silent);
}

/// The connections of one child: what fits into the limit of descriptors that nearly every machine has.
const CROWD: usize = 900;

#[test]
fn thousands_of_connections_at_once_neither_keep_a_scraper_out_nor_cost_memory() {
    if was_child() {
        return;
    }
    let test = "thousands_of_connections_at_once_neither_keep_a_scraper_out_nor_cost_memory";
    let crowds = if std::env::var_os("METERCAST_LONG").is_some() { 12 } else { 2 };
    let mut server = Process::start(test, SERVER, 1024);
    let address = server.says("listens ");
    scrape(&address);
    let mut memory = vec![server.memory()];
    let mut all: Vec<_> = (0..crowds).map(|_| Process::start(test, &address, 1024)).collect();
    let mut sent_away = 0;
    for crowd in &mut all {
        // In the middle of it.
        sent_away += scrape(&address);
        assert_eq!(crowd.says("connected "), CROWD.to_string());
        memory.push(server.memory());
    }
    scrape(&address);
    memory.push(server.memory());
    drop(all);
    scrape(&address);
    memory.push(server.memory());
    println!(
        "{sent_away} scrapes were told to come again; KiB of memory before, while {crowds} times {CROWD} connect, with all, without: {memory:?}"
    );
    // 256 connections of 32 KiB each, and as much again for what is around them.
    let most = memory.iter().max().unwrap().unwrap_or_default();
    assert!(most - memory[0].unwrap_or_default() < 16 << 10, "{memory:?}");
}
