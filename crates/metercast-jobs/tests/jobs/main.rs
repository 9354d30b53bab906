//! Jobs as a program meets them.

mod attempts;
mod heartbeats;
mod names;
mod workers;

use metercast::{InMemoryReader, Log, PrometheusPage, Store, snapshot::Point};

/// The lines of the current store's page that are no comments, sorted.
fn lines() -> Vec<String> {
    let page = PrometheusPage::new("own", Log::default()).render(&Store::current());
    let mut lines: Vec<_> = page.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect();
    lines.sort();
    lines
}

/// Those of them that begin so.
fn lines_of(name: &str) -> Vec<String> {
    lines().into_iter().filter(|line| line.starts_with(name)).collect()
}

/// The only series of a metric in the current store.
fn point(metric: &str) -> Option<Point> {
    let snapshot = InMemoryReader::new(Store::current()).collect();
    let family = snapshot.family(metric)?;
    assert_eq!(family.series.len(), 1, "{:?}", family.series);
    Some(family.series[0].point.clone())
}
