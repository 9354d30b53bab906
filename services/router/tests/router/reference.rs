//! The reference of its metrics, and the catalogue that its dashboard is made from, are what the program says.

use std::path::Path;

use conformance::committed;
use metercast_tower::assert_catalogue;
use metercast_tower::catalogue::Catalogue;

/// What a file may ask for, and what metercast says of itself.
const OF_OTHERS: [&str; 4] = ["http.server.", "http.client.", "otel.sdk.", "metercast."];

#[test]
fn the_reference_has_every_metric_of_the_router() {
    let catalogue = Catalogue::of_file(env!("CARGO_BIN_EXE_router")).unwrap().retain(|metric| {
        metric.package() == "router" || OF_OTHERS.iter().any(|begin| metric.name.starts_with(begin))
    });
    let json = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/metrics.json");
    committed::assert_committed(&json, &committed::catalogue(&catalogue.json()));
    assert_catalogue!("docs/metrics.md", catalogue);
}
