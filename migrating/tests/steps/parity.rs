//! What stays as it was at each step, and what does not.

use crate::page::{difference, samples};
use crate::program::run;

/// The page without the lines that say a quantile: such are estimates.
fn without_quantiles(page: &str) -> String {
    page.lines().filter(|line| !line.contains("quantile=")).map(|line| format!("{line}\n")).collect()
}

#[test]
fn the_recorder_of_metrics_has_the_page_of_the_old_one() {
    let before = without_quantiles(&run("metrics/before").page);
    assert!(before.contains("shop_orders_total{side=\"buy\"} 2\n"), "{before}");
    for step in ["metrics/swap", "metrics/beside", "metrics/exporters"] {
        assert_eq!(difference(&before, &without_quantiles(&run(step).page)), "", "{step}");
    }
}

#[test]
fn a_registry_of_prometheus_has_its_page() {
    let before = run("prometheus/before").page;
    assert!(before.contains("shop_orders_total{side=\"buy\"} 2\n"), "{before}");
    for step in ["prometheus/swap", "prometheus/exporters"] {
        assert_eq!(run(step).page, before, "{step}");
    }
}

#[test]
fn a_group_of_measured_has_its_samples() {
    let before = samples(&run("measured/before").page);
    assert!(before.contains("shop_orders_total{side=\"buy\"} 2\n"), "{before}");
    for step in ["measured/swap", "measured/exporters", "measured/declared"] {
        assert_eq!(difference(&before, &samples(&run(step).page)), "", "{step}");
    }
}

#[test]
fn a_registry_of_prometheus_client_has_its_samples() {
    let before = samples(&run("client/before").page);
    assert!(before.contains("shop_orders_total{side=\"buy\"} 2\n"), "{before}");
    for step in ["client/swap", "client/exporters"] {
        assert_eq!(difference(&before, &samples(&run(step).page)), "", "{step}");
    }
}

#[test]
fn with_its_views_in_a_file_the_provider_exports_what_the_sdk_does() {
    let (before, after) = (run("opentelemetry/before"), run("opentelemetry/exporters"));
    assert!(
        before.pushed.contains("shop: shop.orders{side=\"buy\"} in {order} = 2 (counter)\n"),
        "{}",
        before.pushed
    );
    assert_eq!(before.pushed, after.pushed);
    let left = difference(&samples(&before.page), &samples(&after.page));
    assert!(left.lines().all(|line| line[1..].starts_with("target_info{")), "{left}");
}

#[test]
fn events_of_tracing_have_the_samples_that_they_had_but_no_scope() {
    let scope = "otel_scope_name=\"tracing/tracing-opentelemetry\",otel_scope_version=\"0.34.0\"";
    let before = samples(&run("tracing/before").page);
    let before = before.replace(&format!("{{{scope}}}"), "").replace(&format!("{scope},"), "");
    assert!(before.contains("shop_orders_total{side=\"buy\"} 2\n"), "{before}");
    let left = difference(&before, &samples(&run("tracing/swap").page));
    assert!(left.lines().all(|line| line.starts_with("-target_info{")), "{left}");
}

#[test]
fn a_call_site_that_has_moved_and_one_that_has_not_record_into_one_metric() {
    for step in ["metrics/declared", "opentelemetry/declared", "tracing/declared"] {
        let page = run(step).page;
        for line in ["shop_orders_total{side=\"buy\"} 2", "shop_orders_total{side=\"sell\"} 1"] {
            assert!(page.lines().any(|there| there == line), "{step} has no {line}\n{page}");
        }
    }
}

#[test]
fn a_metric_that_has_moved_out_of_a_registry_keeps_its_lines() {
    for step in ["prometheus/declared", "client/declared"] {
        let page = run(step).page;
        for line in [
            "shop_orders_total{side=\"buy\"} 2",
            "shop_orders_total{side=\"sell\"} 1",
            "shop_orders_active 1",
        ] {
            assert!(page.lines().any(|there| there == line), "{step} has no {line}\n{page}");
        }
    }
}

#[test]
fn what_is_on_the_page_is_pushed_too() {
    for peer in ["metrics", "prometheus", "client", "tracing", "measured"] {
        let pushed = run(&format!("{peer}/exporters")).pushed;
        assert!(pushed.contains("shop_orders"), "{peer}: {pushed}");
        assert!(pushed.contains("shop_settle"), "{peer}: {pushed}");
    }
}

#[test]
fn the_settings_of_the_old_recorder_have_their_like() {
    let page = run("metrics/settings").page;
    for line in [
        "shop_settle_seconds_bucket{region=\"eu\",side=\"buy\",le=\"0.1\"} 1",
        "shop_orders_active{region=\"eu\"} 1",
    ] {
        assert!(page.lines().any(|there| there == line), "no {line}\n{page}");
    }
}
