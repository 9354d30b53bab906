//! A scraper that knows when the page may change, and that counters never go down.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::load::BOUNDS;
use crate::support::told::{Sample, Samples, page};

/// How the page is asked for, and which of its definitions is the newest.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Access {
    pub(crate) address: Option<SocketAddr>,
    pub(crate) path: &'static str,
    pub(crate) token: String,
    /// Counts the changes of its buckets.
    pub(crate) buckets: u64,
    /// Counts all reloads. Odd while there is one.
    pub(crate) reloads: u64,
}

/// The status and the body of an answer, if there is one.
pub(crate) fn ask(access: &Access, method: &str, path: &str) -> Option<(u16, String)> {
    let (address, token) = (access.address?, &access.token);
    let mut stream = TcpStream::connect(address).ok()?;
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\
         Content-Length: 0\r\n\r\n"
    )
    .ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    Some((head.get(9..12)?.parse().ok()?, body.to_owned()))
}

/// Scrapes until it is `done`; returns how often there was a page.
pub(crate) fn scrape(access: &Mutex<Access>, done: &AtomicBool) -> u64 {
    let mut highest: BTreeMap<(String, u64), f64> = BTreeMap::new();
    let mut pages = 0;
    while !done.load(Ordering::Relaxed) {
        let before = access.lock().unwrap().clone();
        let answer = ask(&before, "GET", before.path);
        let is_settled = before.reloads.is_multiple_of(2) && *access.lock().unwrap() == before;
        match answer {
            Some((200, body)) => {
                pages += 1;
                let samples = page(&body);
                for (series, buckets, value) in totals(&samples, &before) {
                    // Of a page from the middle of a reload it is not known which buckets were asked for.
                    if buckets > 0 && !is_settled {
                        continue;
                    }
                    let last = highest.entry((series.clone(), buckets)).or_default();
                    assert!(value >= *last, "{series} from {last} to {value} ({before:?})");
                    *last = value;
                }
            }
            other => assert!(!is_settled, "{other:?} for {before:?}"),
        }
    }
    pages
}

/// What must not go down: each with the definition of its buckets, 0 for one that never changes.
fn totals(samples: &Samples, access: &Access) -> Vec<(String, u64, f64)> {
    let mut totals = Vec::new();
    for ((name, labels), sample) in samples {
        let series = format!("{name}{labels:?}");
        match sample {
            Sample::Number(value) if name.ends_with("_total") => totals.push((series, 0, *value)),
            Sample::Buckets { bounds, counts, sum } => {
                let is_declared = [1.0, 1000.0]
                    .iter()
                    .any(|scale| bounds.iter().copied().eq(BOUNDS.map(|bound| bound * scale)));
                let buckets = if is_declared || !name.starts_with("soak_") { 0 } else { 1 + access.buckets };
                totals.push((format!("{series} sum"), buckets, *sum));
                totals.push((format!("{series} count"), buckets, counts.iter().sum::<u64>() as f64));
            }
            _ => {}
        }
    }
    totals
}
