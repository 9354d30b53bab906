//! The reference of its metrics, and the catalogue that its dashboard is made from, are what the program says and records.

use std::path::Path;
use std::time::{Duration, SystemTime};

use conformance::committed;
use metercast_jobs::{Delivery, Heartbeat, JobMetrics, Workers};
use metercast_process::ProcessNames;
use metercast_tower::catalogue::Catalogue;
use metercast_tower::{Store, assert_catalogue};

metercast_tower::labels! {
    /// As the agents have it.
    enum Fault { Work }
}

/// Those of the agents.
const BUCKETS: [f64; 11] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

#[test]
fn the_reference_has_every_metric_of_the_job_server() {
    let store = Store::new();
    let observed = store.scope(|| {
        // What the names of jobs are made of is known when it runs alone.
        let jobs = JobMetrics::prefixed("osapi").buckets(&BUCKETS).build().unwrap();
        let jobs = jobs.zeroes();
        let begin = || jobs.worker("a1").begin(Delivery::first().created_at(SystemTime::now()));
        begin().because(Fault::Work).fail();
        begin().complete();
        let workers = Workers::within(Duration::ZERO).observe("osapi.workers.connected").unwrap();
        let process = metercast_process::process(ProcessNames::Prometheus);
        (Heartbeat::observe("osapi.heartbeat.age").unwrap(), workers, process)
    });
    // They are asked when the store is read.
    store.collect();
    let catalogue = Catalogue::of_file(env!("CARGO_BIN_EXE_osapi"))
        .unwrap()
        .retain(|metric| {
            let name = &*metric.name;
            ["http.server.", "tokio.runtime."].iter().any(|begin| name.starts_with(begin))
                || ["http_server_request_total", "build.info", "component.up", "subsystem.up"].contains(&name)
        })
        .and_met(&store);
    drop(observed);
    let json = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/metrics.json");
    // Its page has a namespace before two of them, by a view.
    let mut of_page = catalogue.json();
    for name in ["component_up", "subsystem_up"] {
        let (from, to) = (format!("\"prometheus\":\"{name}\""), format!("\"prometheus\":\"osapi_{name}\""));
        assert!(of_page.contains(&from), "there is no {name} any more");
        of_page = of_page.replace(&from, &to);
    }
    committed::assert_committed(&json, &committed::catalogue(&of_page));
    assert_catalogue!("docs/metrics.md", catalogue);
}
