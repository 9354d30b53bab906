//! The reference of its metrics, and the catalogue that its dashboard is made from, are what the program says.

use std::path::Path;

use conformance::committed;
use metercast_tower::assert_catalogue;
use metercast_tower::catalogue::Catalogue;

/// Those of its profile, which the layer's crate has beside those of others.
const REQUESTS: [&str; 3] = ["http_requests_total", "http_requests_started_total", "http_requests_in_flight"];

/// What metercast says of itself, but for checks and reloads, of which there are none.
const OF_METERCAST: [&str; 5] = [
    "otel.sdk.",
    "metercast.exporter.",
    "metercast.observables.",
    "metercast.recordings.",
    "metercast.series.",
];

#[test]
fn the_reference_has_every_metric_of_the_mailroom() {
    let catalogue = Catalogue::of_file(env!("CARGO_BIN_EXE_mailroom")).unwrap().retain(|metric| {
        let name = &*metric.name;
        metric.package() == "mailroom"
            || REQUESTS.contains(&name)
            || OF_METERCAST.iter().any(|begin| name.starts_with(begin))
    });
    let json = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/metrics.json");
    committed::assert_committed(&json, &committed::catalogue(&catalogue.json()));
    assert_catalogue!("docs/metrics.md", catalogue);
}
