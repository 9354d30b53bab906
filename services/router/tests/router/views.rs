//! Views change what the user sees, and nothing that was counted: steps 7 to 9.

use crate::counts::requests;
use crate::support::{Collector, Router, Yaml, until, upstream};

const OK: &[&str] = &["http_response_status_code=\"200\""];

#[test]
fn views_of_a_reload_keep_what_was_counted_and_the_vendor_notices_nothing() {
    let (user, vendor) = (Collector::new(), Collector::new());
    let yaml = Yaml::new(&upstream(), &user.url, &vendor.url);
    let router = Router::start(&yaml);
    requests(&router);
    until("a first push", || (vendor.total("gateway.operations", &[]) == 7.0).then_some(()));
    let fetches = "gateway.operations.fetch.duration";
    let bounds = vendor.bounds(fetches);
    let views = "\
- {name: http.client.*, aggregation: drop}
- {name: gateway.operations, description: Another description}
- name: acme.cost
  rename: acme.query.cost
  aggregation: {histogram: {buckets: [1, 5, 10]}}
- {name: http.server.request.duration, allowed_attribute_keys: [http.response.status_code]}
- {name: gateway.operations.fetch, rename: gateway.private}
";
    router.reloaded(&Yaml { views: views.into(), ..yaml });
    assert_eq!(router.get("/accounts/items/2"), 200);
    let page = router.page();
    assert!(page.lines("http_client_").is_empty());
    assert!(page.0.contains("# TYPE gateway_operations_total counter"));
    assert!(page.0.contains("# HELP gateway_operations_total Another description"));
    assert_eq!(page.sum("gateway_operations_total", OK), Some(6.0));
    // Each cost 7. Histograms that say nothing of their buckets are counted in these bounds too, so nothing begins anew.
    let bucket = |le| page.sum("acme_query_cost_bucket", &[&format!("le=\"{le}\"")]);
    assert_eq!((bucket("5"), bucket("10"), bucket("+Inf")), (Some(0.0), Some(4.0), Some(4.0)));
    assert_eq!(page.sum("acme_query_cost_count", &[]), Some(4.0));
    assert!(page.lines("acme_cost").is_empty());
    let served = "http_server_request_duration_seconds_count";
    assert_eq!((page.sum(served, OK), page.count(served, OK)), (Some(6.0), 1));

    // What the old settings owe goes under the old name.
    until("the user's views", || {
        router.get("/accounts/items/2");
        user.names().contains(&"acme.query.cost".to_owned()).then_some(())
    });
    let shape = user.shape("gateway.operations").expect("it is there");
    assert_eq!((shape.kind, shape.is_delta, shape.is_monotonic), ("sum", true, true));
    assert_eq!(shape.description, "Another description");
    let of_ok = [("http.response.status_code", "200")];
    let shown = router.page().sum("gateway_operations_total", OK).expect("it is there");
    until("the same at the user's", || (user.total("gateway.operations", &of_ok) == shown).then_some(()));
    assert_eq!(user.keys("http.server.request.duration"), ["http.response.status_code"]);
    assert!(!user.got().last().expect("a push").has("http.client.request.duration"));
    until("the vendor's last", || (vendor.total("gateway.operations", &[]) >= 9.0).then_some(()));
    assert_eq!(vendor.bounds(fetches), bounds);
    until("the same at the vendor's", || (vendor.total("gateway.operations", &of_ok) == shown).then_some(()));
    assert_eq!(vendor.keys("gateway.operations"), ["http.response.status_code"]);
    assert_eq!(
        vendor.keys("gateway.operations.fetch"),
        ["http.response.status_code", "subgraph.name"],
        "views are the user's"
    );
    assert_eq!(
        vendor.shape("gateway.operations").expect("it is there").description,
        "Requests by the status of their answer"
    );
    assert!(!vendor.names().iter().any(|name| name == "gateway.private" || name == "acme.query.cost"));
}

#[test]
fn bounds_that_nobody_counted_in_begin_anew_for_those_who_ask_and_for_nobody_else() {
    let (user, vendor) = (Collector::new(), Collector::new());
    let yaml = Yaml::new(&upstream(), &user.url, &vendor.url);
    let router = Router::start(&yaml);
    requests(&router);
    until("the user's first", || (user.total("acme.cost", &[]) == 3.0).then_some(()));
    until("the vendor's first", || (vendor.total("gateway.operations", &[]) == 7.0).then_some(()));
    let fetches = ("gateway.operations.fetch.duration", vendor.bounds("gateway.operations.fetch.duration"));
    let views =
        "- {name: acme.cost, rename: acme.query.cost, aggregation: {histogram: {buckets: [6.5, 7.5]}}}";
    router.reloaded(&Yaml { views: views.into(), ..yaml });
    assert_eq!(router.get("/accounts/items/2"), 200);
    let page = router.page();
    let bucket = |le| page.sum("acme_query_cost_bucket", &[&format!("le=\"{le}\"")]);
    assert_eq!((bucket("6.5"), bucket("7.5"), bucket("+Inf")), (Some(0.0), Some(1.0), Some(1.0)));
    assert_eq!(page.sum("acme_query_cost_count", &[]), Some(1.0));
    assert_eq!(page.sum("acme_requests_total", &[]), Some(8.0), "nothing else begins anew");
    until("the user's next", || (user.total("acme.query.cost", &[]) == 1.0).then_some(()));
    assert_eq!(user.total("acme.cost", &[]), 3.0);
    until("the vendor's", || (vendor.total("gateway.operations", &[]) == 8.0).then_some(()));
    assert_eq!(vendor.bounds(fetches.0), fetches.1);
    assert_eq!(vendor.total(fetches.0, &[]), 7.0);
}

#[test]
fn dropping_all_and_keeping_some_lets_out_some() {
    let (user, vendor) = (Collector::new(), Collector::new());
    let yaml = Yaml::new(&upstream(), &user.url, &vendor.url);
    let router = Router::start(&yaml);
    requests(&router);
    let views = "\
- {name: \"*\", aggregation: drop}
- {name: gateway.*, aggregation: default}
- {name: nosuch.*, aggregation: drop}
";
    router.reloaded(&Yaml { views: views.into(), ..yaml });
    requests(&router);
    let page = router.page();
    let others: Vec<&str> =
        page.0.lines().filter(|line| !line.starts_with('#') && !line.starts_with("gateway_")).collect();
    assert!(others.is_empty(), "{others:?}");
    assert_eq!(page.sum("gateway_operations_total", OK), Some(10.0));
    until("the user's", || (user.total("gateway.operations", &[]) == 14.0).then_some(()));
    // What the old settings owed has come with these; from here on only the new ones speak.
    let before = user.got().len();
    requests(&router);
    until("the user's next", || (user.total("gateway.operations", &[]) == 21.0).then_some(()));
    let after = user.got().split_off(before);
    let names = after
        .iter()
        .flat_map(|got| &got.message.resource_metrics)
        .flat_map(|resource| &resource.scope_metrics);
    let names: Vec<&str> = names.flat_map(|scope| &scope.metrics).map(|metric| &*metric.name).collect();
    assert!(names.iter().all(|name| name.starts_with("gateway.")), "{names:?}");
    // It is said once metrics have had some readings to be used in.
    (0..3).for_each(|_| drop(router.page()));
    let named = || router.said().matches("nosuch.*").count();
    until("what matches nothing", || (named() > 0).then_some(()));
    (0..3).for_each(|_| drop(router.page()));
    let pushes = user.got().len();
    until("another push", || (user.got().len() > pushes).then_some(()));
    assert_eq!(named(), 1, "once, of both of the user's exporters: {}", router.said());
}

#[test]
fn an_alias_shows_a_metric_twice_in_two_units() {
    let (user, vendor) = (Collector::new(), Collector::new());
    let yaml = Yaml::new(&upstream(), &user.url, &vendor.url);
    let views = "- {name: http.server.request.duration, alias: http_request_latency_ms, unit: ms}";
    let router = Router::start(&Yaml { views: views.into(), ..yaml });
    requests(&router);
    let page = router.page();
    let of = |suffix: &str| {
        let name = |stem: &str| page.sum(&format!("{stem}_{suffix}"), &[]).expect("it is there");
        (name("http_server_request_duration_seconds"), name("http_request_latency_ms_milliseconds"))
    };
    let (first, second) = of("count");
    assert_eq!((first, second), (7.0, 7.0));
    let (first, second) = of("sum");
    assert!((second - 1000.0 * first).abs() <= 1e-9 * second, "{first} s, {second} ms");
    until("both at the user's", || {
        let of = |name| user.total(name, &[]);
        (of("http.server.request.duration") == 7.0 && of("http_request_latency_ms") == 7.0).then_some(())
    });
    assert_eq!(user.scope("http_request_latency_ms"), user.scope("http.server.request.duration"));
    let unit = |name| user.shape(name).expect("it is there").unit;
    assert_eq!(
        (unit("http.server.request.duration"), unit("http_request_latency_ms")),
        ("s".into(), "ms".into())
    );
}
