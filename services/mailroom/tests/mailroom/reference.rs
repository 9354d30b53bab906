//! The reference of its metrics is what the program says.

use metercast_tower::assert_catalogue;
use metercast_tower::catalogue::Catalogue;

#[test]
fn the_reference_has_every_metric_of_the_mailroom() {
    let catalogue = Catalogue::of_file(env!("CARGO_BIN_EXE_mailroom")).unwrap();
    assert_catalogue!("docs/metrics.md", catalogue.of_packages(["mailroom"]));
}
