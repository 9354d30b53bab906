//! The reference of its metrics is what the program says.

use metercast_tower::catalogue::Catalogue;
use metercast_tower::{PageOptions, Strategy, assert_catalogue};

#[test]
fn the_reference_has_every_metric_of_the_executor() {
    let catalogue = Catalogue::of_file(env!("CARGO_BIN_EXE_executor")).unwrap().of_packages(["executor"]);
    // As on its page.
    let options = PageOptions::new().strategy(Strategy::UnderscoreEscapingWithoutSuffixes);
    assert_catalogue!("docs/metrics.md", catalogue.page_options(options));
}
