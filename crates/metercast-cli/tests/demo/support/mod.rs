//! What the tests share: the running demo, a small HTTP client, a page as others read it, and a folder.

mod demo;
mod folder;
mod http;
mod page;

pub(crate) use demo::{Demo, Ended};
pub(crate) use folder::Folder;
pub(crate) use http::{get, read_request};
pub(crate) use page::{Series, samples};

use std::time::{Duration, Instant};

/// Longer than anything takes on a busy machine; who waits so long waits for nothing.
pub(crate) const DEADLINE: Duration = Duration::from_secs(120);

/// Asks again and again until there is an answer.
pub(crate) fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(start.elapsed() < DEADLINE, "{what}: not within {DEADLINE:?}");
        // Another process is asked, which nothing here can wait for; the pause only spares it.
        std::thread::sleep(Duration::from_millis(20));
    }
}
