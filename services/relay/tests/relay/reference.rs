//! The reference of its metrics, and the catalogue that its dashboard is made from, are what the program says and records.

use std::path::Path;

use conformance::committed;
use metercast_clients::PoolState;
use metercast_tower::catalogue::Catalogue;
use metercast_tower::{PageOptions, Profile, Store, assert_catalogue};
use metrics::{Label, counter, gauge, histogram, with_local_recorder};
use relay::{Kind, METRICS};

#[test]
fn the_reference_has_every_metric_of_the_relay() {
    let store = Store::new();
    let recorder = relay::recorder().store(&store).build().expect("bounds");
    with_local_recorder(&recorder, || {
        relay::describe();
        for (kind, name, labels, _) in METRICS {
            let labels: Vec<Label> = labels.iter().map(|key| Label::new(*key, "any")).collect();
            match kind {
                Kind::Counter => counter!(name, labels).absolute(0),
                Kind::Gauge => gauge!(name, labels).set(0.0),
                Kind::Histogram => histogram!(name, labels).record(0.0),
            }
        }
    });
    let pool = || PoolState::new(1, 1).max(1).waiting(0);
    let observed: Vec<_> = store.scope(|| {
        let pools = relay::pool_metrics().into_iter();
        pools.map(|pool_metrics| pool_metrics.observe(pool).expect("names")).collect()
    });
    // They are asked when the store is read.
    store.collect();
    let catalogue = Catalogue::of_file(env!("CARGO_BIN_EXE_relay"))
        .expect("notes")
        .retain(|metric| ["http_requests_total", "http_request_latency_ms"].contains(&&*metric.name))
        .and_met(&store)
        // As on its page.
        .page_options(PageOptions::new().profile(Profile::MetricsRs));
    drop(observed);
    let json = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/metrics.json");
    committed::assert_committed(&json, &committed::catalogue(&catalogue.json()));
    assert_catalogue!("docs/metrics.md", catalogue);
}
