//! The router as a running program, and what stands around it.

mod collector;
mod configuration;
mod grpc;
mod program;

use std::time::{Duration, Instant};

use conformance::http::{self, Answer};

pub(crate) use collector::{Collector, Got};
pub(crate) use configuration::Yaml;
pub(crate) use conformance::page::Page;
pub(crate) use program::{ANYWHERE, Router, refused};

/// Upstreams: `/items/N` answers with N numbers, `/status/CODE` with that status, `/sleep/MILLISECONDS` late. Items cost 7, and those
/// below `/products` are as long as the queue there.
pub(crate) fn upstream() -> String {
    http::serve(|request| {
        let (is_product, rest) = match request.path.trim_start_matches('/').strip_prefix("products/") {
            Some(rest) => (true, rest.to_owned()),
            None => (false, request.path.trim_start_matches('/').to_owned()),
        };
        match rest.split_once('/') {
            Some(("items", n)) => {
                let n: u64 = n.parse().unwrap_or(0);
                let items: Vec<String> = (0..n).map(|item| item.to_string()).collect();
                let answer = Answer::ok("application/json", format!("{{\"items\":[{}]}}", items.join(",")));
                if is_product {
                    answer.header("x-queue", &n.to_string())
                } else {
                    answer.header("x-cost", "7")
                }
            }
            Some(("status", code)) => Answer::status(code.parse().unwrap_or(400), ""),
            Some(("sleep", milliseconds)) => {
                std::thread::sleep(Duration::from_millis(milliseconds.parse().unwrap_or(0)));
                Answer::status(200, "")
            }
            _ => Answer::status(404, ""),
        }
    })
}

/// Waits for something that other processes do.
pub(crate) fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + Duration::from_secs(30);
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
