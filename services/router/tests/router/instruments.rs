//! Instruments that the user defines come and go with reloads, and are bounded: step 10.

use conformance::http;

use crate::counts::requests;
use crate::support::{Collector, Router, Yaml, until, upstream};

#[test]
fn a_reload_adds_instruments_and_takes_them_away_and_keeps_the_counts_of_the_others() {
    let (user, vendor) = (Collector::new(), Collector::new());
    let yaml = Yaml::new(&upstream(), &user.url, &vendor.url);
    let router = Router::start(&yaml);
    requests(&router);
    let failed = "acme.failed: {value: unit, type: counter, condition: {gt: [{response_status: code}, 499]}}";
    router.reloaded(&Yaml { instruments: failed.into(), ..yaml.clone() });
    requests(&router);
    let page = router.page();
    assert_eq!(page.sum("acme_failed_total", &[]), Some(1.0));
    assert_eq!(page.sum("acme_requests_total", &[]), Some(14.0));
    router.reloaded(&yaml);
    requests(&router);
    let page = router.page();
    assert!(page.lines("acme_failed").is_empty() && !page.0.contains("acme_failed"), "{}", page.0);
    assert_eq!(page.sum("acme_requests_total", &[]), Some(21.0));
    until("all at the user's", || (user.total("acme.requests", &[]) == 21.0).then_some(()));
    assert!(vendor.names().iter().all(|name| name.starts_with("gateway.")), "{:?}", vendor.names());
}

#[test]
fn operations_and_subgraphs_have_instruments_by_what_only_they_know() {
    let (user, vendor) = (Collector::new(), Collector::new());
    let text = Yaml::new(&upstream(), &user.url, &vendor.url).text();
    let operations = "      operation:
        acme.operations:
          value: unit
          type: counter
          condition: {not: {eq: [404, {response_status: true}]}}
          attributes:
            name: {operation_name: true, default: none}
            kind: {operation_kind: true, default: none}
            status: {response_status: true}
      subgraph:
        acme.calls: {value: unit, type: counter, attributes: {of: {subgraph_name: true}}}
";
    assert_eq!(text.matches("      subgraph:\n").count(), 1);
    let router = Router::start_text(&text.replace("      subgraph:\n", operations), &[]);
    requests(&router);
    let post = |body: &[u8]| {
        let url = format!("{}/accounts/items/1", router.gateway);
        http::ask(&url, "POST", "x-operation: Add\r\n", body).expect("an answer").0
    };
    let cut: &[u8] = b"{\"kind\":\"mutation";
    let bodies: [&[u8]; 4] = [b"{\"kind\":\"mutation\"}", cut, b"{\"kind\":7}", b"\xff"];
    assert_eq!(bodies.map(post), [200; 4], "who sends no JSON is served");
    let page = router.page();
    let mut lines = page.lines("acme_operations_total{");
    lines.sort_unstable();
    assert_eq!(
        lines,
        [
            "acme_operations_total{name=\"Add\",kind=\"mutation\",status=\"200\"} 1",
            "acme_operations_total{name=\"Add\",kind=\"none\",status=\"200\"} 3",
            "acme_operations_total{name=\"GetUser\",kind=\"none\",status=\"200\"} 3",
            "acme_operations_total{name=\"none\",kind=\"none\",status=\"200\"} 2",
            "acme_operations_total{name=\"none\",kind=\"none\",status=\"500\"} 1",
        ]
    );
    let calls = |of: &str| page.sum("acme_calls_total", &[&format!("of=\"{of}\"")]);
    assert_eq!((calls("accounts"), calls("products")), (Some(8.0), Some(2.0)));
    assert!(vendor.names().iter().all(|name| name.starts_with("gateway.")), "{:?}", vendor.names());
}

#[test]
fn paths_beyond_the_limit_are_counted_together() {
    let (user, vendor) = (Collector::new(), Collector::new());
    let yaml = Yaml {
        instruments: "acme.by_path: {value: unit, type: counter, attributes: {path: {request_path: true}}}"
            .into(),
        views: "- {name: acme.by_path, cardinality_limit: 100}".into(),
        ..Yaml::new(&upstream(), &user.url, &vendor.url)
    };
    let router = Router::start(&yaml);
    for n in 0..1_000 {
        assert_eq!(router.get(&format!("/accounts/items/{n}")), 200);
    }
    let page = router.page();
    assert_eq!(page.count("acme_by_path_total", &["path="]), 100);
    assert_eq!(page.sum("acme_by_path_total", &["otel_metric_overflow=\"true\""]), Some(900.0));
    until("all at the user's", || (user.total("acme.by_path", &[]) == 1_000.0).then_some(()));
    assert_eq!(user.total("acme.by_path", &[("otel.metric.overflow", "true")]), 900.0);
    // What a reading met is there for the next.
    let page = router.page();
    for exporter in ["prometheus", "otlp"] {
        let of = format!("otel_component_name=\"{exporter}\"");
        let overflowed = page.sum("metercast_exporter_series_overflowed", &[&of, "metric=\"acme.by_path\""]);
        assert_eq!(overflowed, Some(900.0), "{exporter}: {}", page.0);
    }
    let said = router.said();
    let named: Vec<&str> = said.lines().filter(|line| line.contains("acme.by_path")).collect();
    assert!(matches!(named[..], [line] if line.contains("the limit of 100")), "{named:?}");
    assert!(vendor.names().iter().all(|name| name.starts_with("gateway.")), "{:?}", vendor.names());
}
