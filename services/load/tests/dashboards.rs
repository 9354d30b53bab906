//! Every query of the services' dashboards is answered with data by a Prometheus while the services are under load.

#![forbid(unsafe_code)]

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use conformance::program::until;
use conformance::use_programs;
use load::{Load, Ports, Stage, Tally};
use serde_json::Value;

/// How long all of them may take to have data.
const LIMIT: Duration = Duration::from_secs(90);

/// The services, and the jobs under which they are scraped.
const SERVICES: [(&str, &str); 5] = [
    ("executor", "executor"),
    ("mailroom", "mailroom"),
    ("osapi", "controller|agent"),
    ("relay", "relay"),
    ("router", "router"),
];

/// Metrics that have no data in such a run, whose, and why.
const WITHOUT_DATA: &[(&str, &[&str], &str)] = &[
    (
        "executor",
        &[
            "metercast_exporter_series_overflowed",
            "metercast_observables_late",
            "metercast_recordings_dropped",
            "metercast_series_limits_reached",
        ],
        "nothing is too much or too slow, and nothing that is recorded is wrong",
    ),
    (
        "mailroom",
        &[
            "metercast_exporter_series_overflowed",
            "metercast_observables_late_total",
            "metercast_recordings_dropped_total",
            "metercast_series_limits_reached_total",
        ],
        "nothing is too much or too slow, and nothing that is recorded is wrong",
    ),
    (
        "mailroom",
        &[
            "bootstrap_tunnel_sheds_weekly",
            "db_entries_weekly",
            "http_requests_started_weekly",
            "http_requests_weekly",
            "unique_short_ids_weekly",
        ],
        "no week is over",
    ),
    ("relay", &["buzz_audit_log_errors_total"], "the database takes the audit log"),
    ("relay", &["buzz_audit_send_errors_total"], "the audit log keeps up"),
    (
        "relay",
        &["buzz_cache_invalidation_lag_total", "buzz_multinode_fanout_lag_total"],
        "the relay keeps up with its bus",
    ),
    ("relay", &["buzz_count_fallback_rejections_total"], "no client asks for a count of everything"),
    (
        "relay",
        &["buzz_events_rejected_total", "buzz_media_upload_rejections_total"],
        "clients send what may be sent",
    ),
    (
        "relay",
        &["buzz_membership_cache_hits_total", "buzz_membership_cache_misses_total"],
        "the relay is not for members only",
    ),
    ("relay", &["buzz_ws_auth_timeouts_total"], "clients say who they are at once"),
    ("relay", &["buzz_ws_backpressure_disconnects_total"], "clients read what they are sent"),
    (
        "router",
        &[
            "metercast_exporter_series_overflowed",
            "metercast_observables_late_total",
            "metercast_recordings_dropped_total",
            "metercast_series_limits_reached_total",
        ],
        "nothing is too much or too slow, and nothing that is recorded is wrong",
    ),
];

/// A query of a panel.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Asked {
    service: &'static str,
    panel: String,
    legend: String,
    query: String,
}

/// All queries of a service's dashboard as Grafana asks them, with all instances and ten seconds for a rate.
fn asked(service: &'static str, jobs: &str) -> Vec<Asked> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(service).join("docs/dashboard.json");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let dashboard: Value = serde_json::from_str(&text).unwrap();
    let mut found = Vec::new();
    let list = |of: &Value| of.as_array().cloned().unwrap_or_default();
    let panels = list(&dashboard["panels"]).into_iter().flat_map(|panel| {
        let inside = list(&panel["panels"]);
        [panel].into_iter().chain(inside)
    });
    for panel in panels {
        for target in list(&panel["targets"]) {
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            let query = text(&target["expr"]).replace("$__rate_interval", "10s");
            let query = query.replace("$job", jobs).replace("$instance", ".*");
            assert!(!query.contains('$'), "{service}: {query}: which variable is that?");
            found.push(Asked {
                service,
                panel: text(&panel["title"]),
                legend: text(&target["legendFormat"]),
                query,
            });
        }
    }
    found
}

impl Asked {
    /// Whether there is a number among what it is answered. Prometheus would refuse a query that it cannot parse.
    fn has_data(&self, stage: &Stage) -> bool {
        stage.prometheus.series(&self.query).iter().any(|(_, value)| !value.is_nan())
    }

    fn asks_for(&self, name: &str) -> bool {
        self.query.contains(&format!("{name}{{"))
    }

    fn is_excused(&self) -> bool {
        WITHOUT_DATA.iter().any(|(service, names, _)| {
            *service == self.service && names.iter().any(|name| self.asks_for(name))
        })
    }
}

#[test]
fn every_query_of_every_dashboard_is_answered_with_data_under_load() {
    let test = "every_query_of_every_dashboard_is_answered_with_data_under_load";
    for program in ["postgres", "redis-server", "nats-server", "prometheus"] {
        if !use_programs(test, program) {
            return;
        }
    }
    let all: Vec<Asked> = SERVICES.iter().flat_map(|(service, jobs)| asked(service, jobs)).collect();
    for (service, names, why) in WITHOUT_DATA {
        for name in *names {
            let is_there = all.iter().any(|asked| asked.service == *service && asked.asks_for(name));
            assert!(is_there, "no panel of {service} has {name} ({why}) any more");
        }
    }
    let tally = Arc::<Tally>::default();
    let mut stage = Stage::start(Ports::free(), &tally).unwrap();
    let load = Load::start(&stage, &tally, 20);
    until("a scrape of each page", || (stage.scraped() == (7, 7)).then_some(()));
    stage.reload_router(1).unwrap();
    let begun = Instant::now();
    // Each has had data at one time, not all at the same.
    let mut waiting: BTreeSet<Asked> = all.iter().filter(|asked| !asked.is_excused()).cloned().collect();
    while !waiting.is_empty() && begun.elapsed() < LIMIT && !load.is_broken() {
        waiting.retain(|asked| !asked.has_data(&stage));
        std::thread::sleep(Duration::from_millis(200));
    }
    // What is excused can be parsed all the same.
    for asked in all.iter().filter(|asked| asked.is_excused()) {
        asked.has_data(&stage);
    }
    load.end().unwrap_or_else(|faults| panic!("{faults}"));
    stage.answer_the_rest();
    for service in &mut stage.services {
        service.end().unwrap();
    }
    assert!(waiting.is_empty(), "without data: {waiting:#?}");
}
