//! What a store shows while other processes do something.

use std::time::{Duration, Instant};

use metercast::{Log, PageOptions, Profile, PrometheusPage, Store};

/// How long a server may take to do what is waited for.
const LIMIT: Duration = Duration::from_secs(60);

/// The page of a store with names as they are.
pub(crate) fn page(store: &Store) -> String {
    let options = PageOptions::new().profile(Profile::MetricsRs);
    PrometheusPage::with("own", options, &[], Log::default()).render(store)
}

/// The value of the one series with this name and all of these parts of labels, if there is one.
pub(crate) fn value(store: &Store, name: &str, labels: &[&str]) -> Option<f64> {
    let page = page(store);
    let is_named = |line: &&str| {
        line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' ']))
            && labels.iter().all(|label| line.contains(label))
    };
    let mut lines = page.lines().filter(is_named);
    let line = lines.next()?;
    assert_eq!(lines.next(), None, "a second one beside {line}");
    Some(line.rsplit_once(' ').expect("a value").1.parse().expect("a number"))
}

/// Waits until a series has a value.
pub(crate) async fn until_is(store: &Store, name: &str, labels: &[&str], expected: f64) {
    until(&format!("{name} {labels:?} {expected}"), store, async || {
        value(store, name, labels) == Some(expected)
    })
    .await;
}

/// Waits for something; if that takes too long, the page says how things stand.
pub(crate) async fn until(what: &str, store: &Store, mut look: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !look().await {
        assert!(begun.elapsed() < LIMIT, "waited in vain: {what}\n{}", page(store));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
