//! The reference of its metrics is what the program says.

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
    assert_catalogue!("docs/metrics.md", catalogue.page_options(options));
}
