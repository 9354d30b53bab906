//! What was counted is there for whom it is: steps 1 to 3 and 12.

use std::time::Duration;

use crate::support::{Collector, Router, Yaml, until, upstream};

/// The requests of step 2.
pub(crate) fn requests(router: &Router) {
    for _ in 0..3 {
        assert_eq!(router.ask_for("/accounts/items/2", "GetUser"), 200);
    }
    assert_eq!(router.get("/accounts/status/500"), 500);
    for _ in 0..2 {
        assert_eq!(router.get("/products/items/5"), 200);
    }
    assert_eq!(router.get("/nope/x"), 404);
}

#[test]
fn what_was_counted_before_any_configuration_is_there() {
    let (user, vendor) = (Collector::new(), Collector::new());
    let router = Router::start(&Yaml::new(&upstream(), &user.url, &vendor.url));
    let page = router.page();
    assert_eq!(page.sum("gateway_lifecycle_start_total", &[]), Some(1.0));
    assert_eq!(page.sum("gateway_pipelines", &["config_hash="]), Some(1.0));
    assert!(page.lines("target_info").is_empty());
    // What has the same labels whatever comes is there at 0. Before a request nobody knows its method and its scheme, which the
    // conventions ask for.
    assert_eq!(page.sum("acme_requests_total", &[]), Some(0.0));
    assert_eq!(page.sum("acme_slow_milliseconds_count", &[]), Some(0.0));
    assert!(page.lines("acme_get_user").is_empty());
    assert!(page.lines("http_server_active_requests").is_empty());
    assert_eq!(router.get("/accounts/items/2"), 200);
    let active = until("the end of the first request", || {
        router
            .page()
            .sum("http_server_active_requests", &["http_request_method=\"GET\""])
            .filter(|n| *n == 0.0)
    });
    assert_eq!(active, 0.0);
    for collector in [&user, &vendor] {
        until("the start", || (collector.total("gateway.lifecycle.start", &[]) == 1.0).then_some(()));
    }
    until("what is configured", || vendor.names().contains(&"gateway.config.cache".to_owned()).then_some(()));
    assert_eq!(vendor.total("gateway.config.cache", &[]), 0.0);
    assert_eq!(vendor.total("gateway.config.views", &[]), 0.0);
    assert_eq!(vendor.total("gateway.config.custom_instruments", &[]), 1.0);
    assert_eq!(vendor.resource("service.name").as_deref(), Some("router"));
}

#[test]
fn active_requests_are_at_0_before_the_first_if_the_file_says_their_labels() {
    let (user, vendor) = (Collector::new(), Collector::new());
    let text = Yaml::new(&upstream(), &user.url, &vendor.url).text().replace(
        "http.server.active_requests: true",
        "http.server.active_requests: {attributes: {http.request.method: false, url.scheme: {static: http}}}",
    );
    let router = Router::start_text(&text, &[]);
    assert_eq!(
        router.page().lines("http_server_active_requests"),
        ["http_server_active_requests{url_scheme=\"http\"} 0"]
    );
}

#[test]
fn the_user_sees_what_is_public_and_the_vendor_what_is_the_gateways() {
    let (user, vendor) = (Collector::new(), Collector::new());
    let router = Router::start(&Yaml::new(&upstream(), &user.url, &vendor.url));
    requests(&router);
    let page = router.page();
    let operations = |status: &str| {
        page.sum("gateway_operations_total", &[&format!("http_response_status_code=\"{status}\"")])
    };
    assert_eq!(operations("200"), Some(5.0));
    assert_eq!(operations("500"), Some(1.0));
    assert_eq!(operations("404"), Some(1.0));
    let served = "http_server_request_duration_seconds_count";
    assert_eq!(page.sum(served, &["status_code=\"200\""]), Some(5.0));
    assert_eq!(page.sum(served, &["http_route=\"other\""]), Some(1.0), "an unknown upstream is no route");
    assert_eq!(page.sum(served, &["http_route=\"/{upstream}/{*path}\""]), Some(6.0));
    let called = |name: &str| {
        page.sum("http_client_request_duration_seconds_count", &[&format!("subgraph_name=\"{name}\"")])
    };
    assert_eq!((called("accounts"), called("products")), (Some(4.0), Some(2.0)));
    assert!(page.lines("gateway_config_").is_empty());
    assert!(page.lines("gateway_operations_fetch").is_empty());
    let acme = |name: &str| page.sum(name, &[]);
    assert_eq!(acme("acme_requests_total"), Some(7.0));
    assert_eq!(acme("acme_slow_milliseconds_count"), Some(5.0));
    assert_eq!((acme("acme_cost_count"), acme("acme_cost_sum")), (Some(3.0), Some(21.0)));
    assert_eq!(page.sum("acme_get_user_total", &["op=\"GetUser\""]), Some(3.0));
    assert_eq!(acme("acme_queue"), Some(5.0));

    let status = |code| [("http.response.status_code", code)];
    until("all at the user's", || (user.total("gateway.operations", &status("200")) == 5.0).then_some(()));
    until("all at the vendor's", || (vendor.total("gateway.operations", &[]) == 7.0).then_some(()));
    let fetches = |name, code| {
        let labels = [("subgraph.name", name), ("http.response.status_code", code)];
        vendor.total("gateway.operations.fetch", &labels)
    };
    assert_eq!(
        (fetches("accounts", "200"), fetches("accounts", "500"), fetches("products", "200")),
        (3.0, 1.0, 2.0)
    );
    let names = vendor.names();
    assert!(names.iter().all(|name| name.starts_with("gateway.")), "{names:?}");
    let names = user.names();
    assert!(
        !names.iter().any(|name| name.contains(".fetch") || name.starts_with("gateway.config.")),
        "{names:?}"
    );
    until("the user's own", || (user.total("acme.requests", &[]) == 7.0).then_some(()));
    assert_eq!(user.total("acme.get_user", &[("op", "GetUser")]), 3.0);
}

#[test]
fn a_request_that_is_broken_off_counts_where_nothing_is_waited_for() {
    let (user, vendor) = (Collector::new(), Collector::new());
    let router = Router::start(&Yaml::new(&upstream(), &user.url, &vendor.url));
    requests(&router);
    router.break_off("/accounts/sleep/5000", Duration::from_millis(200));
    let page = until("the request is over", || {
        let page = router.page();
        (page.sum("acme_requests_total", &[]) == Some(8.0)).then_some(page)
    });
    assert_eq!(page.sum("acme_slow_milliseconds_count", &[]), Some(5.0));
    assert_eq!(page.sum("acme_get_user_total", &["op=\"GetUser\""]), Some(3.0));
    assert_eq!(page.sum("gateway_operations_total", &[]), Some(7.0));
    assert_eq!(page.sum("http_server_active_requests", &[]), Some(0.0));
    until("all at the user's", || (user.total("acme.requests", &[]) == 8.0).then_some(()));
    let of_user = |name: &str| user.total(name, &[]);
    assert_eq!((of_user("acme.slow"), of_user("acme.get_user")), (5.0, 3.0));
    assert_eq!((of_user("gateway.operations"), of_user("http.server.active_requests")), (7.0, 0.0));
    let active = user.shape("http.server.active_requests").expect("it is there");
    assert_eq!((active.kind, active.is_delta, active.is_monotonic), ("sum", false, false));
}

#[test]
fn variables_of_the_environment_do_not_reach_the_vendors_exporter() {
    let (user, vendor) = (Collector::new(), Collector::new());
    let yaml = Yaml::new(&upstream(), &user.url, &vendor.url);
    let variables = [("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")];
    let router = Router::start_with(&yaml, &variables);
    requests(&router);
    until("all at the vendor's", || (vendor.total("gateway.operations", &[]) == 7.0).then_some(()));
    until("all at the user's", || (user.total("gateway.operations", &[]) == 7.0).then_some(()));
    assert!(router.said().contains(&user.url), "who wins is shown: {}", router.said());
}

#[test]
fn without_a_vendor_nothing_is_said_of_one() {
    let user = Collector::new();
    let yaml = Yaml { vendor: None, ..Yaml::new(&upstream(), &user.url, "") };
    let router = Router::start_with(&yaml, &[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")]);
    requests(&router);
    until("all at the user's", || (user.total("gateway.operations", &[]) == 7.0).then_some(()));
    let said = router.said();
    assert!(!said.contains("vendor") && !said.contains("127.0.0.1:1/"), "{said}");
}

#[test]
fn a_vendor_that_is_not_there_is_no_news_for_the_user() {
    let user = Collector::new();
    let router = Router::start(&Yaml::new(&upstream(), &user.url, "http://127.0.0.1:1"));
    requests(&router);
    until("all at the user's", || (user.total("gateway.operations", &[]) == 7.0).then_some(()));
    let said = router.said();
    assert!(!said.contains("vendor\" cannot") && !said.to_lowercase().contains("error"), "{said}");
}

#[test]
fn hostile_paths_headers_and_bodies_harm_nobody() {
    let (user, vendor) = (Collector::new(), Collector::new());
    let yaml = Yaml::new(&upstream(), &user.url, &vendor.url);
    let instruments = "acme.hostile:
  value: unit
  type: counter
  attributes: {path: {request_path: true}, op: {request_header: x-operation, default: none}}";
    let router = Router::start(&Yaml { instruments: instruments.into(), ..yaml });
    let long = "x".repeat(5_000);
    let paths =
        ["/accounts/..%2f..%2fetc", "/accounts/%ff%00", "/accounts/a%20b?c=%22", "//", "/%61ccounts/items/1"];
    for path in paths.iter().map(|path| (*path).to_owned()).chain([format!("/accounts/{long}")]) {
        assert_eq!(router.get(&path), 404, "{path}");
    }
    for operation in ["a\"b\\c{d=\"e\"}", "# EOF", &long] {
        assert_eq!(router.ask_for("/accounts/items/2", operation), 200);
    }
    let page = router.page();
    assert_eq!(page.sum("acme_hostile_total", &[]), Some(9.0));
    assert_eq!(page.sum("acme_hostile_total", &["op=\"a\\\"b\\\\c{d=\\\"e\\\"}\""]), Some(1.0));
    assert!(page.lines("acme_hostile_total").iter().all(|line| line.len() < 2_500), "long values are cut");
    assert_eq!(page.sum("gateway_operations_total", &[]), Some(9.0));
    until("all at the user's", || (user.total("acme.hostile", &[]) == 9.0).then_some(()));
}

#[test]
fn what_an_upstream_does_not_answer_is_a_bad_gateway() {
    let (user, vendor) = (Collector::new(), Collector::new());
    let router = Router::start(&Yaml::new("http://127.0.0.1:1", &user.url, &vendor.url));
    assert_eq!(router.get("/accounts/items/2"), 502);
    let page = router.page();
    assert_eq!(page.sum("gateway_operations_total", &["http_response_status_code=\"502\""]), Some(1.0));
    let failed = ["subgraph_name=\"accounts\"", "error_type="];
    assert_eq!(page.sum("http_client_request_duration_seconds_count", &failed), Some(1.0));
    let of = [("subgraph.name", "accounts"), ("http.response.status_code", "502")];
    until("it at the vendor's", || (vendor.total("gateway.operations.fetch", &of) == 1.0).then_some(()));
}
