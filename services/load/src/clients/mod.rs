//! Clients of all services, each on a thread of its own, at a rate that is bounded; they count what they are answered.

mod executor;
mod mailroom;
mod osapi;
mod relay;
mod router;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use conformance::http;

use crate::stage::{Addresses, Stage};
use crate::tally::Tally;
use crate::upstream::Upstream;

/// How long anybody may take to answer.
const LIMIT: Duration = Duration::from_secs(20);

/// What a client does until it is told to stop.
type Client = fn(&Worker, &mut Pace) -> Result<(), String>;

/// How many there are of each.
const CLIENTS: [(&str, usize, Client); 6] = [
    ("mailroom", 2, mailroom::run),
    ("relay", 3, relay::talk),
    ("relay over HTTP", 1, relay::ask),
    ("executor", 2, executor::run),
    ("job server", 2, osapi::run),
    ("router", 2, router::run),
];

/// Clients at work.
#[derive(Debug)]
pub struct Load {
    stop: Arc<Stop>,
    threads: Vec<(&'static str, JoinHandle<Result<(), String>>)>,
}

/// What a client knows.
struct Worker {
    /// It is the only one of its service with this number.
    number: usize,
    addresses: Addresses,
    upstream: Upstream,
    tally: Arc<Tally>,
}

#[derive(Debug, Default)]
struct Stop {
    is_asked: Mutex<bool>,
    changed: Condvar,
}

/// When a client has its next turn.
struct Pace {
    stop: Arc<Stop>,
    every: Duration,
    next: Instant,
}

impl Load {
    /// Starts all clients; each has so many turns in a second, and fewer if it waits for answers.
    pub fn start(stage: &Stage, tally: &Arc<Tally>, turns_per_second: u32) -> Load {
        let stop = Arc::<Stop>::default();
        let every = Duration::from_secs(1) / turns_per_second.max(1);
        let each = CLIENTS
            .into_iter()
            .flat_map(|(name, number, client)| (0..number).map(move |n| (name, n, client)));
        let threads = each.map(|(name, number, client)| {
            let worker = Worker {
                number,
                addresses: stage.addresses.clone(),
                upstream: stage.upstream.clone(),
                tally: Arc::clone(tally),
            };
            let mut pace = Pace { stop: Arc::clone(&stop), every, next: Instant::now() };
            (name, thread::spawn(move || client(&worker, &mut pace)))
        });
        Load { threads: threads.collect(), stop }
    }

    /// Whether a client has given up, since what it was answered was not true.
    pub fn is_broken(&self) -> bool {
        self.threads.iter().any(|(_, thread)| thread.is_finished())
    }

    /// Stops all clients after what they are at, and waits for them.
    ///
    /// # Errors
    ///
    /// What clients saw that was not true, a line for each.
    pub fn end(self) -> Result<(), String> {
        *self.stop.is_asked.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.stop.changed.notify_all();
        let ended = self.threads.into_iter().map(|(name, thread)| {
            thread
                .join()
                .unwrap_or_else(|_| Err("it panicked".to_owned()))
                .map_err(|error| format!("{name}: {error}"))
        });
        let faults: Vec<String> = ended.filter_map(Result::err).collect();
        if faults.is_empty() { Ok(()) } else { Err(faults.join("\n")) }
    }
}

impl Pace {
    /// Waits for the next turn; `false` if there is none, since it is time to stop.
    fn turn(&mut self) -> bool {
        // Who is late does not hurry: the rate has a bound.
        self.next = (self.next + self.every).max(Instant::now());
        let wait = self.next.saturating_duration_since(Instant::now());
        let is_asked = self.stop.is_asked.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.stop.changed.wait_timeout_while(is_asked, wait, |is_asked| !*is_asked);
        !*waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

/// Asks, and returns the status and the body of the answer. No answer at all is an error: a service answers whatever is behind it.
fn ask(method: &str, url: &str, headers: &str, body: &[u8]) -> Result<(u16, Vec<u8>), String> {
    let answer = http::ask(url, method, headers, body);
    answer
        .map(|(status, _, body)| (status, body))
        .map_err(|error| format!("no answer to {method} {url}: {error}"))
}

/// Sends a request with a body of JSON, and returns the connection before there is an answer.
fn begin(method: &str, url: &str, headers: &str, body: &str) -> Result<TcpStream, String> {
    let (host, path) = url.trim_start_matches("http://").split_once('/').ok_or("a URL has a path")?;
    let trouble = |error: std::io::Error| format!("{method} {url}: {error}");
    let mut stream = TcpStream::connect(host).map_err(trouble)?;
    stream.set_read_timeout(Some(LIMIT)).map_err(trouble)?;
    let length = body.len();
    let head = format!(
        "{method} /{path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n{headers}\r\n"
    );
    stream.write_all(format!("{head}{body}").as_bytes()).map_err(trouble)?;
    Ok(stream)
}

/// Reads the head of an answer, and returns its status.
fn status(stream: &mut TcpStream) -> Result<u16, String> {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).map_err(|error| format!("no answer: {error}"))?;
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head);
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    status.ok_or_else(|| format!("no status in {head}"))
}

/// An error unless this is as it must be.
fn expect<T: PartialEq + std::fmt::Debug>(what: &str, found: &T, expected: &T) -> Result<(), String> {
    if found == expected { Ok(()) } else { Err(format!("{what}: {found:?}, and it must be {expected:?}")) }
}
