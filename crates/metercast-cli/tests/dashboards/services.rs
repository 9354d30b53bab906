//! The dashboards and rules of the services are those that are committed, and ask for nothing that the services do not have.

use conformance::committed::assert_committed;
use conformance::oracle::grafana::{Batch, Query};
use conformance::use_programs;
use serde_json::Value;

use crate::alerts::rules;
use crate::catalogue::SERVICES;
use crate::dashboard::{panels, substituted};

#[test]
fn every_service_has_its_dashboard_and_its_rules() {
    for service in &SERVICES {
        assert_committed(&service.document("dashboard.json"), &service.dashboard());
        assert_committed(&service.document("rules.yaml"), &service.rules());
    }
}

#[test]
fn every_name_in_dashboards_and_rules_is_exported_and_every_metric_has_a_panel() {
    if !use_programs("every_name_in_dashboards_and_rules_is_exported_and_every_metric_has_a_panel", "python3")
    {
        return;
    }
    for service in &SERVICES {
        let exported = service.names();
        let dashboard: Value = serde_json::from_str(&service.dashboard()).unwrap();
        let of_panels: Vec<String> = panels(&dashboard).into_iter().flat_map(|panel| panel.queries).collect();
        let of_panels: Vec<String> = of_panels.iter().map(|query| substituted(query)).collect();
        let rules = rules(&service.rules());
        let recorded: Vec<&str> = rules.iter().filter_map(|rule| rule["record"].as_str()).collect();
        let of_rules = rules.iter().map(|rule| rule["expr"].as_str().unwrap().to_owned());
        let queries: Vec<String> = of_panels.iter().cloned().chain(of_rules).collect();
        let answers = Batch { queries: queries.clone(), ..Batch::default() }.ask(env!("CARGO_TARGET_TMPDIR"));
        let mut asked = Vec::new();
        for (query, answer) in queries.iter().zip(answers.queries) {
            let Query::Names(names) = answer else { panic!("{}: {query}: {answer:?}", service.name) };
            for name in &names {
                let is_known = exported.contains(name) || recorded.contains(&&**name) || name == "up";
                assert!(is_known, "{}: there is no {name} for {query}", service.name);
            }
            asked.extend(names);
        }
        for name in &exported {
            // The buckets have its count.
            let has = |name: &str| asked.iter().any(|asked| asked == name);
            let buckets = name.strip_suffix("_count").map(|name| format!("{name}_bucket"));
            assert!(
                has(name) || buckets.is_some_and(|name| has(&name)),
                "{}: no panel has {name}",
                service.name
            );
        }
    }
}
