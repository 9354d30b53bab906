//! The reference of its metrics, and the catalogue that its dashboard is made from, are what the program says.

use std::path::Path;

use conformance::committed;
use metercast_tower::catalogue::Catalogue;
use metercast_tower::{PageOptions, Strategy, assert_catalogue};

/// What metercast says of itself, but for checks and reloads, of which there are none.
const OF_METERCAST: [&str; 5] = [
    "otel.sdk.",
    "metercast.exporter.",
    "metercast.observables.",
    "metercast.recordings.",
    "metercast.series.",
];

#[test]
fn the_reference_has_every_metric_of_the_executor() {
    let catalogue = Catalogue::of_file(env!("CARGO_BIN_EXE_executor")).unwrap().retain(|metric| {
        metric.package() == "executor" || OF_METERCAST.iter().any(|begin| metric.name.starts_with(begin))
    });
    // As on its page.
    let options = PageOptions::new().strategy(Strategy::UnderscoreEscapingWithoutSuffixes);
    let catalogue = catalogue.page_options(options);
    let json = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/metrics.json");
    committed::assert_committed(&json, &committed::catalogue(&catalogue.json()));
    assert_catalogue!("docs/metrics.md", catalogue);
}
