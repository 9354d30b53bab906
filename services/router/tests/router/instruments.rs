//! Instruments that the user defines come and go with reloads, and are bounded: step 10.

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
    assert!(vendor.names().iter().all(|name| name.starts_with("gateway.")), "{:?}", vendor.names());
}
