//! `http`: what measuring a request adds to it.

use std::future::Future;
use std::hint::black_box;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, Uri};
use axum::routing::any;
use http_body::Body as _;
use tower_service::Service;

use crate::inputs::{METHODS, Picks, ROUTES};
use crate::measure::{Effort, Rounds, calibrate, pinned};
use crate::report::{Report, Row};
use crate::subjects::{FLOOR, HTTP, HttpSubject};

const GROUP: &str = "http";

/// Requests of one kind, or of 25 in an order that no processor can learn; with the sizes of bodies or without.
#[derive(Clone, Copy)]
struct Case {
    name: &'static str,
    kinds: usize,
    sizes: bool,
}

const CASES: [Case; 3] = [
    Case { name: "request/one", kinds: 1, sizes: false },
    Case { name: "request/mixed", kinds: METHODS.len() * ROUTES.len(), sizes: false },
    Case { name: "request/mixed/sizes", kinds: METHODS.len() * ROUTES.len(), sizes: true },
];

pub(super) fn run(effort: &Effort, report: &mut Report) {
    for case in CASES {
        pinned(|| run_case(case, effort, report));
    }
}

fn run_case(case: Case, effort: &Effort, report: &mut Report) {
    let mut entries: Vec<_> = HTTP.iter().map(|subject| Entry::new(case, subject)).collect();
    let spreads = Rounds::exactly(effort.rounds).run(entries.len(), |index| entries[index].batch());
    let floor = entries.iter().position(|entry| entry.name == FLOOR).map(|floor| spreads[floor].median);
    for (entry, spread) in entries.iter().zip(spreads) {
        if let Some(floor) = floor.filter(|_| entry.name != FLOOR) {
            let added = format!("{}/added", case.name);
            report.add(Row::value(GROUP, &added, entry.name, spread.median - floor, "ns/op"));
        }
        report.add(Row::spread(GROUP, case.name, entry.name, spread, "ns/op"));
        if let Err(trouble) = entry.check() {
            report.trouble(format!("{GROUP} {} {}: {trouble}", case.name, entry.name));
        }
    }
}

/// One subject of a case.
struct Entry {
    name: &'static str,
    router: Router,
    total: Option<Box<dyn Fn() -> u64 + Send>>,
    keep_up: fn(),
    requests: Vec<(Method, Uri)>,
    picks: Picks,
    times: u64,
    /// What was counted before, and what was sent since.
    before: u64,
    sent: u64,
}

impl Entry {
    fn new(case: Case, subject: &HttpSubject) -> Entry {
        let routes =
            ROUTES.iter().fold(Router::new(), |router, route| router.route(route, any(async || "ok")));
        let measured = (subject.layered)(routes, case.sizes);
        let kinds =
            ROUTES.iter().flat_map(|route| METHODS.map(|method| (method, route.replace("{id}", "17"))));
        let requests = kinds.take(case.kinds).map(|(method, path)| {
            let method = Method::from_bytes(method.as_bytes()).expect("a method");
            (method, Uri::try_from(path).expect("a path"))
        });
        let before = measured.total.as_ref().map_or(0, |total| total());
        let mut entry = Entry {
            name: subject.name,
            router: measured.router,
            total: measured.total,
            keep_up: measured.keep_up,
            requests: requests.collect(),
            picks: Picks::new(0),
            times: 0,
            before,
            sent: 0,
        };
        entry.times = calibrate(|times| entry.send(times));
        entry
    }

    fn send(&mut self, times: u64) -> Duration {
        self.sent += times;
        let begun = Instant::now();
        for _ in 0..times {
            let (method, uri) = &self.requests[self.picks.below(self.requests.len())];
            let mut request = Request::new(Body::empty());
            *request.method_mut() = method.clone();
            *request.uri_mut() = uri.clone();
            let answer = now(pin!(self.router.call(request)));
            let mut body = answer.unwrap_or_else(|never| match never {}).into_body();
            while let Some(frame) =
                now(std::future::poll_fn(|context| Pin::new(&mut body).poll_frame(context)))
            {
                let _ = black_box(frame);
            }
        }
        begun.elapsed()
    }

    /// Nanoseconds for each request.
    fn batch(&mut self) -> f64 {
        (self.keep_up)();
        self.send(self.times).as_secs_f64() * 1e9 / self.times as f64
    }

    /// Whether every request was counted.
    fn check(&self) -> Result<(), String> {
        let Some(total) = &self.total else { return Ok(()) };
        let (total, expected) = (total(), self.before + self.sent);
        if total == expected { Ok(()) } else { Err(format!("has {total} where {expected} is right")) }
    }
}

/// What a future is ready with, at once: nothing in a request waits.
fn now<F: Future + Unpin>(mut future: F) -> F::Output {
    match Pin::new(&mut future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("nothing waits"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_subject_counts_every_request() {
        for case in CASES {
            for subject in HTTP {
                let mut entry = Entry::new(case, subject);
                entry.send(100);
                assert_eq!(entry.check(), Ok(()), "{} {}", case.name, subject.name);
            }
        }
    }
}
