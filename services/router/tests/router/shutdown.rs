//! The last push has everything, and whoever records after it harms nobody: step 16.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use conformance::http;

use crate::support::{Collector, Router, Yaml, upstream};

#[test]
fn all_that_was_answered_under_load_arrives_when_it_is_asked_to_end() {
    let (user, vendor) = (Collector::new(), Collector::new());
    let router = Router::start(&Yaml::new(&upstream(), &user.url, &vendor.url));
    let answered = AtomicU64::new(0);
    let url = format!("{}/accounts/items/2", router.gateway);
    let (status, took, said) = std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Ok((200, ..)) = http::ask(&url, "GET", "", b"") {
                    answered.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        while answered.load(Ordering::Relaxed) < 200 {
            std::thread::yield_now();
        }
        // The last pushes are refused once, so that metercast counts failures of its own while it ends.
        for collector in [&user, &vendor] {
            collector.answer_with(&[(503, "Retry-After: 0\r\n")]);
        }
        router.end()
    });
    assert!(status.success() && took < Duration::from_secs(5), "{status} after {took:?}: {said}");
    let answered = answered.load(Ordering::Relaxed) as f64;
    let of_ok = [("http.response.status_code", "200")];
    for collector in [&user, &vendor] {
        let total = collector.total("gateway.operations", &of_ok);
        // An answer may be lost on its way, but no count is.
        assert!(total >= answered && total <= answered + 2.0, "{total} of {answered}");
    }
}
