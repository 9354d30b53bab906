//! What a declarative file of OpenTelemetry, and a file of another application, make of a page that is really served.
#![cfg(all(feature = "serve", feature = "yaml"))]

mod support;

use metercast::config::{Config, Mapping};
use metercast::{Store, Telemetry, f64_histogram, u64_counter};
use support::{scrape, value};

/// The page of a store with a few metrics. Recorded once it is served.
fn page(config: Config) -> String {
    let store = Store::new();
    let telemetry = Telemetry::builder(config).store(store.clone()).log(support::log().0).start().unwrap();
    let address = telemetry.scrape_address().unwrap();
    store.scope(|| {
        u64_counter!("orders.placed", "Orders", 2, "region" => "eu", "user" => "a");
        u64_counter!("orders.placed", "Orders", 3, "region" => "eu", "user" => "b");
        u64_counter!("orders.refused", "Refusals", 1);
        f64_histogram!("order.settle", "Settling", 3.0);
    });
    let page = scrape(address);
    telemetry.shutdown().unwrap();
    page
}

#[test]
fn views_of_a_declarative_file_are_streams_of_their_own() {
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("declared.yaml");
    let text = r#"
file_format: "1.1"
resource: {attributes: [{name: service.name, value: "${NAME}"}]}
meter_provider:
  readers:
    - pull: {exporter: {prometheus/development: {host: 127.0.0.1, port: 0, scope_info_enabled: false}}}
  views:
    - {selector: {instrument_name: orders.placed}, stream: {attribute_keys: {included: [region]}}}
    - {selector: {instrument_name: orders.placed}, stream: {name: orders.users, attribute_keys: {excluded: [region]}}}
    - {selector: {instrument_name: "*.refused"}, stream: {aggregation: {drop: }}}
    - selector: {instrument_type: histogram}
      stream: {aggregation: {explicit_bucket_histogram: {boundaries: [1, 5]}}}
"#;
    std::fs::write(&path, text).unwrap();
    let variables = [("OTEL_CONFIG_FILE", path.to_str().unwrap()), ("NAME", "shop")];
    let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let page = page(Config::builder().variables(variables).self_metrics(false).build().unwrap());
    assert_eq!(value(&page, "orders_placed_total{region=\"eu\"}"), Some(5.0), "{page}");
    assert_eq!(value(&page, "orders_users_total{user=\"a\"}"), Some(2.0), "{page}");
    assert_eq!(value(&page, "orders_users_total{user=\"b\"}"), Some(3.0), "{page}");
    assert!(!page.contains("refused"), "{page}");
    assert_eq!(value(&page, "order_settle_bucket{le=\"5\"}"), Some(1.0), "{page}");
    assert!(!page.contains("le=\"10\""), "{page}");
    assert!(page.contains("target_info{") && page.contains("service_name=\"shop\""), "{page}");
}

#[test]
fn two_views_of_a_declarative_file_that_match_one_metric_count_it_once() {
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("declared_twice.yaml");
    let text = r#"
file_format: "1.1"
meter_provider:
  readers:
    - pull: {exporter: {prometheus/development: {host: 127.0.0.1, port: 0}}}
  views:
    - {selector: {instrument_name: "*"}, stream: {attribute_keys: {excluded: [user]}}}
    - {selector: {instrument_name: orders.placed}, stream: {description: Better, attribute_keys: {excluded: [user]}}}
"#;
    std::fs::write(&path, text).unwrap();
    let config =
        Config::builder().environment(false).declarative_file(&path).self_metrics(false).build().unwrap();
    let page = page(config);
    let orders: Vec<&str> = page.lines().filter(|line| line.starts_with("orders_placed_total{")).collect();
    assert!(orders.len() == 1 && orders[0].ends_with(" 5"), "{page}");
}

#[test]
fn a_page_of_the_gateway_is_as_its_own_file_says() {
    let text = r#"
telemetry:
  exporters:
    metrics:
      common:
        service_name: router
        buckets: [2, 4]
        views:
          - {name: "orders.*", aggregation: drop}
          - {name: orders.placed, aggregation: default, allowed_attribute_keys: [region]}
          - {name: order.settle, rename: order.done}
      prometheus: {enabled: true, listen: "127.0.0.1:0", path: /metrics, resource_selector: all}
"#;
    let builder = Config::builder().environment(false).self_metrics(false).mapping(Mapping::gateway());
    let page = page(builder.text("router.yaml", text).build().unwrap());
    let line =
        |start: &str| page.lines().find(|line| line.starts_with(start)).unwrap_or_else(|| panic!("{page}"));
    assert!(
        line("orders_placed_total{").contains("region=\"eu\"")
            && line("orders_placed_total{").ends_with(" 5")
    );
    assert!(line("orders_placed_total{").contains("service_name=\"router\""), "{page}");
    assert!(!page.contains("refused") && !page.contains("order_settle"), "{page}");
    assert!(
        page.contains("order_done_bucket{") && page.contains("le=\"4\"") && !page.contains("le=\"5\""),
        "{page}"
    );
}
