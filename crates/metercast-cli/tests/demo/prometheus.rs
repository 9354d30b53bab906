//! Debian's Prometheus scrapes the demo, and its query API gives back what was sent.

use conformance::oracle::prometheus::Prometheus;
use conformance::use_programs;
use serde_json::json;

use crate::support::{Demo, Series, until};

/// The samples that a query finds now.
fn query(prometheus: &Prometheus, query: &str) -> Series {
    let mut series = Series::new();
    for (mut labels, value) in prometheus.series(query) {
        let name = labels.remove("__name__").unwrap_or_default();
        // What is added: where it scraped, and which page.
        for added in ["job", "instance", "conformance_page"] {
            labels.remove(added);
        }
        // Prometheus asks for OpenMetrics, which spells the bound 1 as 1.0.
        if let Some(bound) = labels.get_mut("le")
            && let Some(whole) = bound.strip_suffix(".0")
        {
            *bound = whole.to_owned();
        }
        series.insert((name, labels), value);
    }
    series
}

#[test]
fn prometheus_gives_back_what_was_sent() {
    if !use_programs("prometheus_gives_back_what_was_sent", "prometheus") {
        return;
    }
    let mut demo = Demo::start(&["--seconds", "3", "--json", "--hold"]);
    let page = demo.place("metrics  ");
    let (address, path) = page.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let prometheus = Prometheus::start(address, &[("demo".to_owned(), format!("/{path}"))]);
    let result = demo.result();
    assert_eq!(result.summary["equal"], json!(true));

    // Per route and status, and everything else that was sent: each series by its name.
    let names: std::collections::BTreeSet<&str> = result.sent.keys().map(|(name, _)| name.as_str()).collect();
    assert!(
        names.contains("http_server_request_duration_seconds_count") && names.contains("orders_placed_total")
    );
    for name in names {
        let sent: Series = result
            .sent
            .iter()
            .filter(|((of, _), _)| of == name)
            .map(|(series, value)| (series.clone(), *value))
            .collect();
        // Only the buckets that the load generator can know are in `sent`.
        let known = |mut found: Series| {
            found.retain(|series, _| !name.ends_with("_bucket") || sent.contains_key(series));
            found
        };
        let mut last = Series::new();
        until(&format!("a scrape of {name} after the load"), || {
            last = known(query(&prometheus, name));
            (last == sent).then_some(())
        });
    }

    // The totals as somebody would ask for them on a dashboard.
    let total = |of: &str| query(&prometheus, of).into_values().sum::<f64>();
    let requests = result.summary["requests_sent"].as_f64().unwrap();
    assert_eq!(total("sum(http_server_request_duration_seconds_count)"), requests);
    assert_eq!(total("sum(http_server_request_duration_seconds_bucket{le=\"+Inf\"})"), requests);
    assert_eq!(total("sum(http_server_active_requests)"), 0.0);
    let cancelled = total("sum(http_server_request_duration_seconds_count{error_type=\"cancelled\"})");
    assert!(cancelled > 0.0);
    assert!(demo.end().status.success());
}
