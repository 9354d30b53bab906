//! Names, kinds, units, attributes and their values agree with the semantic conventions' own tables, wherever ours claim to be theirs.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::LazyLock;

use conformance::oracle::conventions::Conventions;
use metercast::catalogue::{Catalogue, Label, Metric, Values};
use metercast::{Kind, Store, catalogue};
use metercast_clients::{PoolMetrics, PoolState};
use metercast_jobs::{Delivery, JobMetrics};
use serde::Deserialize;

/// The crates whose metrics are looked at: what is linked here is in the catalogue of this test, used or not.
const CRATES: [&str; 12] = [
    "metercast",
    "metercast-clients",
    "metercast-core",
    "metercast-jobs",
    "metercast-metrics",
    "metercast-opentelemetry",
    "metercast-periods",
    "metercast-process",
    "metercast-prometheus",
    "metercast-tower",
    "metercast-tracing",
    "metercast-websocket",
];

use metercast_core as _;
use metercast_metrics as _;
use metercast_opentelemetry as _;
use metercast_periods as _;
use metercast_process as _;
use metercast_prometheus as _;
use metercast_tower as _;
use metercast_tracing as _;
use metercast_websocket as _;

/// A program, which others do not link.
const PROGRAMS: [&str; 1] = ["metercast-cli"];

/// Names in the conventions' namespaces that are ours, each with the reason.
#[derive(Deserialize)]
struct Own {
    metrics: BTreeMap<String, String>,
    attributes: BTreeMap<String, String>,
}

static OWN: LazyLock<Own> =
    LazyLock::new(|| toml::from_str(include_str!("../conventions.toml")).expect("conventions.toml"));

static CONVENTIONS: LazyLock<Conventions> = LazyLock::new(|| Conventions::ask(env!("CARGO_TARGET_TMPDIR")));

/// All metrics of our crates, with those whose names are only known when they are asked for.
static OURS: LazyLock<Catalogue> = LazyLock::new(|| {
    let store = Store::new();
    let pool = PoolState::new(4, 3).max(10).idle_min(1).idle_max(5).waiting(2);
    store.scope(|| {
        PoolMetrics::semantic("pool").observe(move || pool).expect("valid names").forever();
        let jobs = JobMetrics::messaging("nats", "orders").build().expect("valid names");
        jobs.created();
        jobs.worker("worker").begin(Delivery::nth(1)).complete();
    });
    store.collect();
    catalogue().expect("a program on Linux").and_met(&store)
});

/// What is wrong with the metrics, judged by the conventions. Their package has no table of which metric has which attributes, so
/// attributes are judged by themselves.
fn faults(metrics: &[Metric]) -> Vec<String> {
    let (conventions, own) = (&*CONVENTIONS, &*OWN);
    let mut faults = Vec::new();
    for metric in metrics.iter().filter(|metric| !metric.named_for_prometheus) {
        let name = &metric.name;
        match conventions.metrics.get(name) {
            Some(convention) => {
                if convention.deprecated {
                    faults.push(format!("{name} is deprecated"));
                }
                if metric.kind.to_string() != convention.kind {
                    faults.push(format!("{name} is a {}, not a {}", metric.kind, convention.kind));
                }
                if metric.unit != convention.unit {
                    faults.push(format!("{name} is in {:?}, not in {:?}", metric.unit, convention.unit));
                }
            }
            None if conventions.is_claimed(name) && !own.metrics.contains_key(name) => {
                faults.push(format!("{name} is no metric of the conventions"));
            }
            None => {}
        }
        for label in &metric.labels {
            faults.extend(faults_of(label).map(|fault| format!("{name}: {fault}")));
        }
    }
    faults
}

fn faults_of(label: &Label) -> impl Iterator<Item = String> {
    let (conventions, own) = (&*CONVENTIONS, &*OWN);
    let key = &label.key;
    let mut faults = Vec::new();
    match conventions.attributes.get(key) {
        Some(attribute) => {
            if attribute.deprecated {
                faults.push(format!("{key} is deprecated"));
            }
            if let (Some(known), Values::OneOf { texts, fallback }) = (&attribute.values, &label.values) {
                let ours = texts.iter().chain(fallback);
                let unknown = ours.filter(|text| !known.iter().any(|known| known.as_str() == Some(*text)));
                faults.extend(unknown.map(|text| format!("{key} has no value {text:?}")));
            }
        }
        None if conventions.is_claimed_attribute(key) && !own.attributes.contains_key(key) => {
            faults.push(format!("{key} is no attribute of the conventions"));
        }
        None => {}
    }
    faults.into_iter()
}

#[test]
fn what_claims_to_be_of_the_conventions_is_as_their_tables_say() {
    let (conventions, own, ours) = (&*CONVENTIONS, &*OWN, &*OURS);
    let faults = faults(ours.metrics());
    assert!(
        faults.is_empty(),
        "{}\n(what is meant so, conventions.toml says, with the reason)",
        faults.join("\n")
    );

    let shared: Vec<_> =
        ours.metrics().iter().filter(|metric| conventions.metrics.contains_key(&metric.name)).collect();
    for namespace in [
        "db.client.connection.",
        "http.client.",
        "http.server.",
        "messaging.process.",
        "otel.sdk.",
        "process.",
        "rpc.server.",
    ] {
        assert!(shared.iter().any(|metric| metric.name.starts_with(namespace)), "nothing of {namespace}");
    }
    // What is excused is there, and needs to be.
    for (name, reason) in &own.metrics {
        assert!(ours.metric(name).is_some() && !conventions.metrics.contains_key(name), "{name}: {reason}");
    }
    let has =
        |key: &str| ours.metrics().iter().any(|metric| metric.labels.iter().any(|label| label.key == key));
    for (key, reason) in &own.attributes {
        assert!(has(key) && !conventions.attributes.contains_key(key), "{key}: {reason}");
    }
}

#[test]
fn every_crate_is_looked_at() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates");
    let mut folders: Vec<_> = std::fs::read_dir(crates)
        .expect("crates/")
        .map(|entry| entry.expect("a folder").file_name().to_string_lossy().into_owned())
        .filter(|folder| !PROGRAMS.contains(&folder.as_str()))
        .collect();
    folders.sort();
    assert_eq!(folders, CRATES, "link the crate here, so that its metrics are compared");
}

/// What a wrong metric is told.
fn told(change: impl FnOnce(&mut Metric)) -> Vec<String> {
    let mut metric = OURS.metric("process.cpu.time").expect("it is declared").clone();
    change(&mut metric);
    faults(&[metric])
}

#[test]
fn what_differs_from_the_tables_is_found() {
    assert!(told(|_| {}).is_empty());
    assert_eq!(told(|metric| metric.kind = Kind::Gauge), ["process.cpu.time is a gauge, not a counter"]);
    assert_eq!(told(|metric| metric.unit = "ms".into()), ["process.cpu.time is in \"ms\", not in \"s\""]);
    let renamed = |name: &'static str| told(move |metric| metric.name = name.into());
    assert_eq!(renamed("process.cpu.seconds"), ["process.cpu.seconds is no metric of the conventions"]);
    assert!(renamed("shop.cpu.seconds").is_empty());
    assert!(
        renamed("process.open_file_descriptor.count")
            .contains(&"process.open_file_descriptor.count is deprecated".into())
    );
    let labelled = |key: &'static str| told(move |metric| metric.labels[0].key = key.into());
    assert_eq!(labelled("cpu.kind"), ["process.cpu.time: cpu.kind is no attribute of the conventions"]);
    assert!(labelled("shop.kind").is_empty());
    assert!(
        labelled("process.cpu.state").contains(&"process.cpu.time: process.cpu.state is deprecated".into())
    );
    let valued = told(|metric| {
        let texts = vec!["user".into(), "kernel".into()];
        metric.labels[0].values = Values::OneOf { texts, fallback: None };
    });
    assert_eq!(valued, ["process.cpu.time: cpu.mode has no value \"kernel\""]);
}
